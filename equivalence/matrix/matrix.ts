/**
 * The matrix: every intrinsic at every dtype, width and form of mask, made from the records. `cellsOf` says what there is,
 * `runMatrixCell` runs one and compares all executions.
 */
import { INTRINSICS, type IntrinsicRecord } from "../../dsl/intrinsic.ts";
import type { DTypeName } from "../../ir/dtype.ts";
import { EXAMPLE_BYTES, exampleArguments, exampleKernel } from "./example.ts";
import { MEMORY_CELLS, memoryDTypes } from "./memory.ts";
import { dtypesOf, isPlanned, planCell, widths, widthsOf } from "./plan.ts";
import { type CellReport, everyWay, type Mismatch, runCell, WAYS, type WayResult } from "./run.ts";

/** One kernel's worth of the matrix. */
export interface MatrixCell {
  readonly intrinsic: string;
  readonly kind: "lanes" | "memory" | "example";
  /** Absent for an example. */
  readonly dtype?: DTypeName;
  readonly lanes?: number;
}

/** The cells of a record; every record has its example among them. */
export function cellsOf(r: IntrinsicRecord): MatrixCell[] {
  const intrinsic = r.name;
  const example: MatrixCell = { intrinsic, kind: "example" };
  const grid = (
    kind: "lanes" | "memory",
    dtypes: readonly DTypeName[],
    lanesAt: (d: DTypeName) => readonly number[],
  ): MatrixCell[] =>
    dtypes.flatMap((dtype) => lanesAt(dtype).map((lanes) => ({ intrinsic, kind, dtype, lanes })));
  if (intrinsic in MEMORY_CELLS)
    return [...grid("memory", memoryDTypes(intrinsic), (d) => widths(d)), example];
  return isPlanned(r) ? [...grid("lanes", dtypesOf(r), (d) => widthsOf(r, d)), example] : [example];
}

/** The whole matrix, in the order of the records. */
export function matrixCells(): MatrixCell[] {
  return INTRINSICS.flatMap(cellsOf);
}

export interface MatrixReport extends CellReport {
  /** Forms that the intrinsic refuses here, with the code. */
  readonly refused: readonly string[];
}

/** Runs a cell in every execution. */
export function runMatrixCell(c: MatrixCell): MatrixReport {
  const record = INTRINSICS.find((r) => r.name === c.intrinsic);
  if (record === undefined) throw new TypeError(`there is no intrinsic ${c.intrinsic}`);
  if (c.kind === "example") return bytesReport(c, 1, exampleKernel(record), exampleArguments, EXAMPLE_BYTES);
  const { dtype, lanes } = c;
  if (dtype === undefined || lanes === undefined) throw new TypeError("a cell of lanes has dtype and width");
  if (c.kind === "memory") {
    const make = MEMORY_CELLS[c.intrinsic];
    if (make === undefined) throw new TypeError(`${c.intrinsic} has no cells of memory`);
    const { kernel, input, outputBytes, forms } = make(dtype, lanes);
    return bytesReport(c, forms.length, kernel, (output) => [input.slice(), output], outputBytes);
  }
  const cell = planCell(record, dtype, lanes);
  // Refused as a whole: a defect of the record's signature, which promises this dtype.
  if (cell === undefined) throw new TypeError(`${c.intrinsic}: no form can be planned for ${dtype}x${lanes}`);
  return { ...runCell(cell), refused: cell.refused };
}

/** Cells that are compared as bytes: what memory holds is bits. */
function bytesReport(
  c: MatrixCell,
  variants: number,
  kernel: Parameters<typeof everyWay>[0],
  args: (output: Uint8Array) => readonly unknown[],
  bytes: number,
): MatrixReport {
  const results = everyWay(kernel, args, bytes);
  const direct = results.get("direct") as WayResult;
  const mismatches = WAYS.flatMap((way): Mismatch[] => {
    const other = results.get(way) as WayResult;
    const difference = (variant: string, lane: number, mine: unknown, theirs: unknown): Mismatch[] => [
      {
        cell: nameOf(c),
        way,
        variant,
        row: 0,
        lane,
        direct: String(mine),
        other: String(theirs),
        operands: "",
      },
    ];
    const line = direct.printed.findIndex((text, i) => text !== other.printed[i]);
    if (line >= 0) return difference("printed", line, direct.printed[line], other.printed[line]);
    const at = direct.output.findIndex((b, i) => b !== other.output[i]);
    return at < 0 ? [] : difference("bytes", at, direct.output[at], other.output[at]);
  });
  return { variants, lanes: bytes, againstTable: 0, mismatches, refused: [] };
}

export function nameOf(c: MatrixCell): string {
  return c.kind === "example" ? `${c.intrinsic} (example)` : `${c.intrinsic} ${c.dtype}x${c.lanes}`;
}
