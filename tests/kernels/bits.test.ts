/** Bit counts and bit reversal, against strings of binary digits. */
import { type DTypeName, dtypeOf, type i32, kernel, type NumD, ptr, S, type Vec } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { hostArray, INTEGERS } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

const bitsOf = (d: DTypeName): number => Number(/\d+/.exec(d)?.[0]);
const signedOf = (d: DTypeName): boolean => d.startsWith("i");
const minOf = (d: DTypeName): bigint => (signedOf(d) ? -(2n ** BigInt(bitsOf(d) - 1)) : 0n);
const maxOf = (d: DTypeName): bigint => 2n ** BigInt(bitsOf(d) - (signedOf(d) ? 1 : 0)) - 1n;
const pattern = (d: DTypeName, x: bigint): bigint => BigInt.asUintN(bitsOf(d), x);
const held = (d: DTypeName, x: bigint): bigint =>
  signedOf(d) ? BigInt.asIntN(bitsOf(d), x) : BigInt.asUintN(bitsOf(d), x);

/** Edge values, powers of two and their neighbours, and scrambled bits. */
function numbers(d: DTypeName, count: number, salt: number): bigint[] {
  const edges = [minOf(d), maxOf(d), 0n, 1n, -1n, maxOf(d) / 2n, maxOf(d) / 3n, maxOf(d) / 3n + 1n];
  for (let k = 1; k < bitsOf(d); k++) edges.push(1n << BigInt(k), (1n << BigInt(k)) - 1n);
  return Array.from({ length: count }, (_, i) => {
    const edge = edges[(i * (salt + 1)) % edges.length] as bigint;
    const mixed = BigInt(Math.imul(i + 1, 0x9e3779b1 + salt * 2)) * 0x10001n;
    return held(d, i % 3 === 2 ? mixed : edge);
  });
}
const binary = (d: DTypeName, x: bigint): string => pattern(d, x).toString(2).padStart(bitsOf(d), "0");

/** Stands for integer lanes of any width; the dtype itself comes at run time. */
type Lanes = Vec<i32>;
/** Runs `f` on two vectors of dtype d and gives the lanes of dtype `to` that it returns. */
function run(
  f: (x: Lanes, y: Lanes) => Vec<NumD>,
  d: DTypeName,
  [x, y]: readonly [readonly bigint[], readonly bigint[]],
  to: DTypeName,
  results: number,
): bigint[] {
  const lanes = x.length;
  const type = ptr(dtypeOf(d) as i32);
  const k = kernel([ptr(dtypeOf(to) as NumD), type, type], function bits(out, a, b) {
    if (S.tileId() === 0) S.vstore(f(S.vload(a, { lanes }), S.vload(b, { lanes })), out);
  });
  const out = hostArray(to, new Array<number>(results).fill(0));
  execute(k, [out, hostArray(d, x.map(Number)), hostArray(d, y.map(Number))]);
  return Array.from(out, BigInt);
}

const COUNTS = {
  vclz: (b: string) => b.length - b.replace(/^0+/, "").length,
  vcls: (b: string) => (/^(0+|1+)/.exec(b)?.[0].length ?? 0) - 1,
  vctz: (b: string) => b.length - b.replace(/0+$/, "").length,
  vpcnt: (b: string) => b.replaceAll("0", "").length,
} as const;

describe.each(INTEGERS)("%s", (d) => {
  test.each([3, 40])("bits of %i lanes", (lanes) => {
    const x = numbers(d, lanes, 1);
    for (const [name, count] of Object.entries(COUNTS)) {
      const f = S[name as keyof typeof COUNTS];
      expect(
        run((a) => f(a), d, [x, x], d, lanes),
        name,
      ).toEqual(x.map((v) => BigInt(count(binary(d, v)))));
    }
    const reversed = x.map((v) => held(d, BigInt(`0b${[...binary(d, v)].reverse().join("")}`)));
    expect(run((a) => S.vbrevs(a), d, [x, x], d, lanes)).toEqual(reversed);
    const masked = run(
      (a) => S.vpcnt(a, { mask: [...x].map((_, i) => i % 3 !== 0), r: 77 }),
      d,
      [x, x],
      d,
      lanes,
    );
    expect(masked).toEqual(x.map((v, i) => (i % 3 ? BigInt(COUNTS.vpcnt(binary(d, v))) : 77n)));
  });
});
