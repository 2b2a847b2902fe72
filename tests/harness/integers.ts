/** Ground truth of integers in BigInt: limits of a dtype, edge values, wrapping and clamping. Shares nothing with the project. */
export type IntName = "i8" | "u8" | "i16" | "u16" | "i32" | "u32";
export const INT_NAMES: readonly IntName[] = ["i8", "u8", "i16", "u16", "i32", "u32"];

export const bitsOf = (d: IntName): number => Number(d.slice(1));
export const isSigned = (d: IntName): boolean => d.startsWith("i");
export const minOf = (d: IntName): bigint => (isSigned(d) ? -(1n << BigInt(bitsOf(d) - 1)) : 0n);
export const maxOf = (d: IntName): bigint => (1n << BigInt(isSigned(d) ? bitsOf(d) - 1 : bitsOf(d))) - 1n;
export const clamp = (d: IntName, x: bigint): number =>
  Number(x < minOf(d) ? minOf(d) : x > maxOf(d) ? maxOf(d) : x);
export const wrap = (d: IntName, x: bigint): number =>
  Number(isSigned(d) ? BigInt.asIntN(bitsOf(d), x) : BigInt.asUintN(bitsOf(d), x));

/** The dtype of a width and a sign. */
export const integer = (bits: number, signed: boolean): IntName => `${signed ? "i" : "u"}${bits}` as IntName;
/** The dtypes of the width of `d`. */
export const eitherSign = (d: IntName): readonly IntName[] => [
  integer(bitsOf(d), true),
  integer(bitsOf(d), false),
];

/** Limits, their neighbours and halves, small numbers, and some in between. */
export function edgesOf(d: IntName): number[] {
  const [min, max] = [Number(minOf(d)), Number(maxOf(d))];
  const root = 2 ** (bitsOf(d) / 2);
  const all = [
    min,
    max,
    0,
    1,
    -1,
    min + 1,
    max - 1,
    2,
    3,
    -2,
    -7,
    root,
    root - 1,
    -root,
    Math.floor(max / 2),
    Math.floor(max / 3),
    -Math.floor(max / 3),
    Math.floor(max / 2) + 1,
  ];
  return [...new Set(all)].filter((x) => x >= min && x <= max).map((x) => x + 0);
}

/** `count` values of a dtype: edges and arbitrary ones, the same for the same salt; `x` and `y` of one test meet in all pairs of edges. */
export function integers(d: IntName, count: number, salt: number): number[] {
  const edges = edgesOf(d);
  return Array.from({ length: count }, (_, i) => {
    const k = salt === 0 ? i : Math.floor(i / (edges.length + 4)) * (2 * salt - 1) + i * (salt - 1);
    const pick = k % (edges.length + 4);
    if (pick < edges.length) return edges[pick] as number;
    const h = Math.imul(Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b), 0xc2b2ae35);
    return wrap(d, BigInt(h ^ (h >>> 13)));
  });
}
