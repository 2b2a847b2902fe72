/** What every elementwise intrinsic does to one element, by plain numbers and BigInt; by the intrinsic's name. */
import { S } from "kpu-dsl";
import { correct } from "../accuracy/reference.ts";
import { type FloatName, held, type IntegerName, type NumericName } from "../harness/arrays.ts";
import { bitsOf, clamp, wrap } from "../harness/integers.ts";
import type { Operation } from "./elementwise.ts";

type Of = (x: number, y: number, z: number) => number | boolean;
type Integer = (d: IntegerName) => Of;
type Float = (d: FloatName) => Of;

const big = BigInt;
const patternOf = (d: IntegerName, x: number): bigint => big.asUintN(bitsOf(d), big(x));
const binary = (d: IntegerName, x: number): string => patternOf(d, x).toString(2).padStart(bitsOf(d), "0");
const shiftBy = (d: IntegerName, y: number): bigint => {
  const amount = patternOf(d, y);
  return amount > 64n ? 64n : amount;
};
function rotated(d: IntegerName, x: number, left: bigint): number {
  const width = big(bitsOf(d));
  const by = ((left % width) + width) % width;
  return wrap(d, (patternOf(d, x) << by) | (patternOf(d, x) >> (width - by)));
}

/** A NaN loses, -0 < +0. */
const larger: Of = (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.max(x, y));
const smaller: Of = (x, y) => (Number.isNaN(x) ? y : Number.isNaN(y) ? x : Math.min(x, y));
const comparisons = {
  vceq: (x, y) => x === y,
  vcneq: (x, y) => x !== y,
  vcgt: (x, y) => x > y,
  vcge: (x, y) => x >= y,
  vclt: (x, y) => x < y,
  vcle: (x, y) => x <= y,
} satisfies Record<string, Of>;
const extremes = { vmax: larger, vmin: smaller } satisfies Record<string, Of>;
const select: Of = (x, y, z) => (z > y ? x : y);

const INTEGER: Readonly<Record<string, Integer>> = {
  vadd: (d) => (x, y) => wrap(d, big(x) + big(y)),
  vsub: (d) => (x, y) => wrap(d, big(x) - big(y)),
  vmul: (d) => (x, y) => wrap(d, big(x) * big(y)),
  vdiv: (d) => (x, y) => (y === 0 ? 0 : clamp(d, big(x) / big(y))),
  vmod: () => (x, y) => (y === 0 ? 0 : Number(big(x) % big(y))),
  vabs: (d) => (x) => wrap(d, big(Math.abs(x))),
  vneg: (d) => (x) => wrap(d, -big(x)),
  vsign: () => (x) => Math.sign(x),
  vand: (d) => (x, y) => wrap(d, big(x) & big(y)),
  vor: (d) => (x, y) => wrap(d, big(x) | big(y)),
  vxor: (d) => (x, y) => wrap(d, big(x) ^ big(y)),
  vinv: (d) => (x) => wrap(d, ~big(x)),
  vsl: (d) => (x, y) => wrap(d, big(x) << shiftBy(d, y)),
  vsr: (d) => (x, y) => Number(big(x) >> shiftBy(d, y)),
  vrol: (d) => (x, y) => rotated(d, x, big(y)),
  vror: (d) => (x, y) => rotated(d, x, -big(y)),
  vclz: (d) => (x) => binary(d, x).replace(/1.*/, "").length,
  vcls: (d) => (x) => (/^(0+|1+)/.exec(binary(d, x))?.[0].length ?? 0) - 1,
  vctz: (d) => (x) => binary(d, x).replace(/.*1/, "").length,
  vpcnt: (d) => (x) => binary(d, x).replaceAll("0", "").length,
  vbrevs: (d) => (x) => wrap(d, big(`0b${[...binary(d, x)].reverse().join("")}`)),
};
const FLOAT: Readonly<Record<string, Float>> = {
  vadd: (d) => (x, y) => held(d, x + y),
  vsub: (d) => (x, y) => held(d, x - y),
  vmul: (d) => (x, y) => held(d, x * y),
  vdiv: (d) => (x, y) => held(d, x / y),
  vmod: (d) => (x, y) => held(d, x % y),
  vabs: () => (x) => Math.abs(x),
  vneg: () => (x) => -x,
  vsign: () => (x) => Math.sign(x),
  vfma: (d) => (x, y, z) => held(d, x + y * z),
  visnan: () => (x) => Number.isNaN(x),
  visinf: () => (x) => Math.abs(x) === Infinity,
  visfinite: () => (x) => Number.isFinite(x),
};
/** Names of the accuracy suite's references, which share nothing with ir/ either. */
const MATH = {
  vexp: "exp",
  vexp2: "exp2",
  vlog: "log",
  vlog2: "log2",
  vsin: "sin",
  vcos: "cos",
  vtan: "tan",
  vtanh: "tanh",
  vsigmoid: "sigmoid",
  vsilu: "silu",
  verf: "erf",
  vgelu: "gelu",
  vsqrt: "sqrt",
  vrsqrt: "rsqrt",
  vrecip: "recip",
  vpow: "pow",
  vfloor: "floor",
  vceil: "ceil",
  vtrunc: "trunc",
  vround: "round_away",
  vrint: "rint",
} as const;
const shared: Readonly<Record<string, Of>> = {
  ...comparisons,
  ...extremes,
  vmaxnan: (x, y) => Math.max(x, y),
  vminnan: (x, y) => Math.min(x, y),
  vclip: (x, y, z) => smaller(larger(x, y, 0) as number, z, 0),
};

/** Intrinsics whose truth stands here. */
export const KNOWN: ReadonlySet<string> = new Set(
  [INTEGER, FLOAT, MATH, shared].flatMap((table) => Object.keys(table)),
);
export const MASKS: ReadonlySet<string> = new Set([
  ...Object.keys(comparisons),
  "visnan",
  "visinf",
  "visfinite",
]);

const named = (name: string): Operation["call"] =>
  (S as unknown as Record<string, Operation["call"]>)[name] as Operation["call"];
const unary = (name: string): Operation["call"] => {
  const f = named(name) as unknown as (x: never) => never;
  return (x) => f(x);
};
const binaryCall = (name: string): Operation["call"] => {
  const f = named(name) as unknown as (x: never, y: never) => never;
  return (x, y) => f(x, y);
};

/** All elementwise operations of a dtype. */
export function elementwiseOf(d: NumericName): Operation[] {
  const float = d === "f16" || d === "bf16" || d === "f32";
  const own: Record<string, Of> = Object.fromEntries(
    float
      ? Object.entries(FLOAT).map(([name, of]) => [name, of(d)])
      : Object.entries(INTEGER).map(([name, of]) => [name, of(d as IntegerName)]),
  );
  const plain = Object.entries({ ...shared, ...own }).map(
    ([name, truth]): Operation => ({
      name,
      truth,
      call:
        name === "vfma" || name === "vclip"
          ? named(name)
          : truth.length === 1
            ? unary(name)
            : binaryCall(name),
    }),
  );
  const select_: Operation = {
    name: "vsel",
    call: (x, y, z) => S.vsel(x, y, S.vcgt(z, y)),
    truth: select,
  };
  const math = Object.entries(MATH).map(
    ([name, reference]): Operation => ({
      name,
      truth: (x, y) => correct(reference, d as FloatName, x, y),
      call: name === "vpow" ? binaryCall(name) : unary(name),
      ...(d === "f32" ? { ulps: 1 } : {}),
    }),
  );
  return [...plain, select_, ...(float ? math : [])];
}
