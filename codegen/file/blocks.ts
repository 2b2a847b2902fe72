/** Constant tables and weights as bytes: blocks one behind the other, each from a multiple of 64 on, zeros between. */
import { bytesOf } from "../../ir/dtype.ts";
import { readElements, writeElements } from "../../ir/elements.ts";
import type { Kernel } from "../../ir/kir.ts";
import { align } from "../layout.ts";
import { damaged } from "./sections.ts";

export type Table = Kernel["tables"][number];

/** Where each of these many bytes stands; the last number is the end of all. */
export function blockOffsets(sizes: readonly number[]): readonly number[] {
  const offsets = [0];
  let end = 0;
  for (const [i, size] of sizes.entries()) {
    end = (offsets[i] as number) + size;
    offsets.push(align(end));
  }
  offsets[sizes.length] = end;
  return offsets;
}

export function packBlocks(blocks: readonly Uint8Array[]): Uint8Array {
  const offsets = blockOffsets(blocks.map((b) => b.length));
  const bytes = new Uint8Array(offsets[blocks.length] as number);
  for (const [i, block] of blocks.entries()) bytes.set(block, offsets[i]);
  return bytes;
}

/**
 * The blocks of a section, as views of it.
 * @throws KPU7003 unless {@link packBlocks} gives the section for blocks of these sizes
 */
export function blocksOf(section: Uint8Array, sizes: readonly number[], what: string): readonly Uint8Array[] {
  const offsets = blockOffsets(sizes);
  const end = offsets[sizes.length] as number;
  if (end !== section.length) damaged(`its ${what} have ${section.length} bytes, and should have ${end}`);
  return sizes.map((size, i) => {
    const from = offsets[i] as number;
    const next = offsets[i + 1] as number;
    if (section.subarray(from + size, next).some((b) => b !== 0)) damaged(`between its ${what} is no zero`);
    return section.subarray(from, from + size);
  });
}

/** A table as it lies in memory. */
export function tableBytes({ dtype, values }: Table): Uint8Array {
  const bytes = new Uint8Array(bytesOf(dtype, values.length));
  writeElements(dtype, new DataView(bytes.buffer), 0, values);
  return bytes;
}

/**
 * The inverse of {@link tableBytes}.
 * @throws KPU7003 bytes that no table has, such as a NaN of another pattern
 */
export function tableOf(dtype: Table["dtype"], bytes: Uint8Array, elements: number): Table {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const table = { dtype, values: readElements(dtype, view, 0, elements) };
  if (tableBytes(table).some((b, i) => b !== bytes[i]))
    damaged(`a constant of ${dtype} has bits that no value has`);
  return table;
}
