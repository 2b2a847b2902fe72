/** Rows of elements: the shape that most operands of commands have. */
import { Box, type Region } from "../region.ts";
import type { Place, Problem } from "../transfer.ts";

/** `rows` rows of `cols` elements, `stride` elements from row to row. */
export function grid(
  rows: number,
  cols: number,
  stride: number,
): (start: number, elementBytes: number) => Region | undefined {
  return (start, bytes) =>
    rows === 0 || cols === 0 ? undefined : Box.of(start, bytes, [rows, cols], [stride * bytes, bytes]);
}

/** Rows that would run into each other. */
export function gridProblem(name: string, stride: number, rows: number, cols: number): Problem | undefined {
  if (stride >= cols || rows <= 1 || cols === 0) return undefined;
  return {
    message: `${name} is ${stride}, but a row has ${cols} elements: rows run into each other`,
    help: "a stride counts elements from the start of a row to the start of the next",
    data: { [name]: stride, cols },
  };
}

export function viewOf({ bytes }: Place): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
