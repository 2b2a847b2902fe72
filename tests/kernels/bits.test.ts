/** Rotations, bit counts and narrowing shifts, against BigInt arithmetic. Conformance 39 and 40. */
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
  const width = BigInt(bitsOf(d));
  const rotated = (x: bigint, by: bigint): bigint => {
    const n = ((by % width) + width) % width;
    return held(d, (pattern(d, x) << n) | (pattern(d, x) >> (width - n)));
  };
  test.each([1, 7, 40])("rotations of %i lanes", (lanes) => {
    const x = numbers(d, lanes, 0);
    const y = numbers(d, lanes, 3).map((v, i) => (i % 2 ? v : held(d, BigInt(i))));
    const left = x.map((v, i) => rotated(v, y[i] as bigint));
    const right = x.map((v, i) => rotated(v, -(y[i] as bigint)));
    expect(run((a, b) => S.vrol(a, b), d, [x, y], d, lanes)).toEqual(left);
    expect(run((a, b) => S.vror(a, b), d, [x, y], d, lanes)).toEqual(right);
    for (const by of [0, 1, 3, Number(width) - 1, Number(width), Number(width) + 3]) {
      expect(run((a) => S.vrol(a, by), d, [x, y], d, lanes)).toEqual(x.map((v) => rotated(v, BigInt(by))));
    }
    expect(run((a, b) => S.vror(a, b.at(0)), d, [x, y], d, lanes)).toEqual(
      x.map((v) => rotated(v, -(y[0] as bigint))),
    );
  });
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

/** x / 2^by, exactly rounded half to even; by as unsigned. */
function halfToEven(x: bigint, by: bigint): bigint {
  if (by > 64n) return 0n;
  const floor = x >> by;
  const twice = 2n * (x - (floor << by));
  const one = 1n << by;
  return twice > one || (twice === one && floor % 2n !== 0n) ? floor + 1n : floor;
}
const clamped = (d: DTypeName, x: bigint): bigint => (x < minOf(d) ? minOf(d) : x > maxOf(d) ? maxOf(d) : x);

describe.each(["i16", "u16", "i32", "u32"] as const)("narrowing shifts of %s", (d) => {
  const bits = bitsOf(d);
  const signs = [undefined, "signed", "unsigned"] as const;
  test.each(bits === 16 ? [false] : [false, true])("toH %s", (toH) => {
    const lanes = 21;
    const x = numbers(d, lanes, 0);
    const y = numbers(d, lanes, 5).map((v, i) => (i % 4 ? held(d, BigInt(i % (bits + 4))) : v));
    const step = bits / (toH ? 16 : 8);
    const mask = x.map((_, i) => i % 5 !== 4);
    for (const outSign of signs) {
      const sign = outSign === undefined ? d[0] : outSign === "signed" ? "i" : "u";
      const to = `${sign}${toH ? 16 : 8}` as DTypeName;
      const o = { toH, ...(outSign === undefined ? {} : { outSign }) } as object;
      const placed = (f: (x: bigint, by: bigint) => bigint, r = 0n): bigint[] =>
        x.flatMap((v, i) => {
          const lane = r !== 0n && !mask[i] ? r : f(v, pattern(d, y[i] as bigint));
          return [lane, ...new Array<bigint>(step - 1).fill(0n)];
        });
      const shifted = (v: bigint, by: bigint): bigint => v >> (by > 64n ? 64n : by);
      const got = (f: (a: Lanes, b: Lanes) => Vec<NumD>): bigint[] => run(f, d, [x, y], to, lanes * step);
      expect(got((a, b) => S.vnsr(a, b, o))).toEqual(placed((v, by) => held(to, shifted(v, by))));
      expect(got((a, b) => S.vnsr(a, b, { ...o, saturate: true }))).toEqual(
        placed((v, by) => clamped(to, shifted(v, by))),
      );
      expect(got((a, b) => S.vnsr(a, b, { ...o, withRound: true, mask, r: 9 }))).toEqual(
        placed((v, by) => held(to, halfToEven(v, by)), 9n),
      );
      expect(got((a, b) => S.vnsrsr(a, b, o))).toEqual(placed((v, by) => clamped(to, halfToEven(v, by))));
    }
  });
});
