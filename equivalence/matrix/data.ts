/** Input rows of a cell: every pair of edge values as far as the rows go, then random bits; the same for the same cell. */
import { fromBits } from "../../ir/convert.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";
import { storeElement } from "../../ir/elements.ts";
import { Random, seedOfText } from "../../ir/random.ts";
import type { Area, Cell } from "./cell.ts";

/** Lanes that a cell tries in all; more rows for narrow vectors, within reason. */
const LANES = 640;
const MOST_ROWS = 64;

export function rowsOf(cell: Cell): number {
  return Math.max(4, Math.min(MOST_ROWS, Math.ceil(LANES / cell.lanes)));
}

const BITS: { readonly [bits: number]: (x: number) => number } = {
  4: (x) => x & 0xf,
  8: (x) => x & 0xff,
  16: (x) => x & 0xffff,
};

function randomValue(d: DTypeName, random: number): number {
  return fromBits(d, (BITS[DTYPES[d].bits] ?? ((x) => x))(random));
}

export function inputData(cell: Cell): Uint8Array {
  const rows = rowsOf(cell);
  const bytes = new Uint8Array(rows * cell.inputStride + 8);
  const view = new DataView(bytes.buffer);
  cell.areas.forEach((area, at) => {
    const random = new Random(seedOfText(`${cell.record.name} ${cell.dtype} ${cell.lanes} ${area.role}`));
    for (let row = 0; row < rows; row++) {
      const base = row * cell.inputStride + area.offset;
      const { bytes: size } = DTYPES[area.dtype];
      for (let lane = 0; lane < area.lanes; lane++) {
        storeElement(
          area.dtype,
          view,
          base + lane * size,
          value(area, at, row * area.lanes + lane, random.bits()),
        );
      }
    }
  });
  return bytes;
}

/** Element k of an area: a walk over all pairs of edge values of the first two areas, with one in four random. */
function value(area: Area, at: number, k: number, random: number): number {
  const edges = area.values ?? edgeValues(area.dtype);
  if (area.dtype === "bool") return random & 1;
  if (area.values === undefined && random % 4 === 0)
    return randomValue(area.dtype, Math.imul(random, 2654435761) >>> 0);
  const n = edges.length;
  const step = at === 0 ? k % n : (Math.floor(k / n) + k * at) % n;
  return edges[step] as number;
}
