/** What products are drawn of. */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { readElements } from "../../ir/elements.ts";

/** Pairs of dtypes that the fabric multiplies. */
export const OPERANDS = [
  ["f32", "f32"],
  ["f16", "f16"],
  ["bf16", "bf16"],
  ["i8", "i8"],
  ["u8", "u8"],
  ["u8", "i8"],
  ["i8", "u8"],
  ["i8", "i4"],
  ["u8", "u4"],
] as const satisfies readonly (readonly [DTypeName, DTypeName])[];

export const valuesOf = (d: DTypeName, a: ArrayBufferView, n: number): number[] =>
  readElements(d, new DataView(a.buffer, a.byteOffset, a.byteLength), 0, n);

/** Numbers of small range with a few bits, and of floats a special one among `rarity`. */
export function drawn(d: DTypeName, count: number, seed: number, rarity = 97): number[] {
  let state = (seed * 2654435761 + 12345) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 8;
  };
  const special = [Infinity, NaN, -0, 1e-40, 65504, 3e38];
  return Array.from({ length: count }, () => {
    const x = next();
    const { kind, min, max } = DTYPES[d];
    if (kind === "int")
      return d === "i32" ? (x % 2 === 0 ? x - 8000000 : 2 ** 31 - 1 - (x % 9)) : min + (x % (max - min + 1));
    return x % rarity === 0 ? (special[x % 6] as number) : ((x % 4001) - 2000) / 512;
  });
}
