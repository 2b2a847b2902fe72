/** Functions on JavaScript numbers: exact integer division, bounds, conversion to a dtype. */
import { convertRule } from "../../ir/convert.ts";
import { flag, integer, number, options, present } from "../arguments.ts";
import { intrinsic } from "../intrinsic.ts";
import { type DTypeName, hasIntegers } from "../ir.ts";
import { shapeOf, shapeText, type Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";

const family = "scalar";

function division(ops: Ops, op: "ceildiv" | "floordiv", x: unknown, y: unknown): Value {
  integer(ops, x, "x", 0);
  integer(ops, y, "y", 1);
  const divisor = shapeOf(y);
  if (divisor.is === "number" && divisor.value === 0) {
    ops.refuse("KPU3013", `${ops.name}: the divisor is 0`, { argument: 1 });
  }
  return ops.op(op, [ops.number(x as Value), ops.number(y as Value)]);
}

const TWO = [
  { name: "x", kind: "scalar" },
  { name: "y", kind: "scalar" },
] as const;
const INTEGERS = [7, -7, 0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 1000003];
const DIVISION = [
  { name: "x", kind: "scalar", values: INTEGERS },
  { name: "y", kind: "scalar", values: [2, -2, 1, -1, 3, -3, 2 ** 31 - 1, 65536] },
] as const;

/** The common case, two integers, needs no ops. */
const safe = (x: unknown, y: unknown): boolean =>
  Number.isSafeInteger(x) && Number.isSafeInteger(y) && y !== 0;

export const ceildiv = intrinsic<(x: number, y: number) => number>({
  name: "ceildiv",
  family,
  signature: { operands: DIVISION, result: "number" },
  effect: "trap",
  cost: "scalar",
  doc: "The smallest integer not below the exact x / y, for integers x and y. A zero divisor is an error.",
  example: "y.set(0, S.ceildiv(7, 2));",
  // `+ 0` turns -0 into 0: an integer has no sign of zero.
  simulate: (sim, x: unknown, y: unknown) =>
    safe(x, y)
      ? Math.ceil((x as number) / (y as number)) + 0
      : division(new DirectOps(sim, "ceildiv"), "ceildiv", x, y),
  lower: (b, x: unknown, y: unknown) => division(new LoweredOps(b, "ceildiv"), "ceildiv", x, y),
});

export const floordiv = intrinsic<(x: number, y: number) => number>({
  name: "floordiv",
  family,
  signature: { operands: DIVISION, result: "number" },
  effect: "trap",
  cost: "scalar",
  doc: "The largest integer not above the exact x / y, for integers x and y. A zero divisor is an error.",
  example: "y.set(0, S.floordiv(-7, 2));",
  simulate: (sim, x: unknown, y: unknown) =>
    safe(x, y)
      ? Math.floor((x as number) / (y as number)) + 0
      : division(new DirectOps(sim, "floordiv"), "floordiv", x, y),
  lower: (b, x: unknown, y: unknown) => division(new LoweredOps(b, "floordiv"), "floordiv", x, y),
});

function bound(ops: Ops, op: "min" | "max", x: unknown, y: unknown): Value {
  number(ops, x, "x", 0);
  number(ops, y, "y", 1);
  return ops.op(op, [ops.number(x as Value), ops.number(y as Value)]);
}

export const min = intrinsic<(x: number, y: number) => number>({
  name: "min",
  family,
  signature: { operands: TWO, result: "number" },
  effect: "pure",
  cost: "scalar",
  doc: "Math.min of two numbers.",
  example: "y.set(0, S.min(3, 5));",
  simulate: (sim, x: unknown, y: unknown) =>
    typeof x === "number" && typeof y === "number"
      ? Math.min(x, y)
      : bound(new DirectOps(sim, "min"), "min", x, y),
  lower: (b, x: unknown, y: unknown) => bound(new LoweredOps(b, "min"), "min", x, y),
});

export const max = intrinsic<(x: number, y: number) => number>({
  name: "max",
  family,
  signature: { operands: TWO, result: "number" },
  effect: "pure",
  cost: "scalar",
  doc: "Math.max of two numbers.",
  example: "y.set(0, S.max(3, 5));",
  simulate: (sim, x: unknown, y: unknown) =>
    typeof x === "number" && typeof y === "number"
      ? Math.max(x, y)
      : bound(new DirectOps(sim, "max"), "max", x, y),
  lower: (b, x: unknown, y: unknown) => bound(new LoweredOps(b, "max"), "max", x, y),
});

function clipNumber(ops: Ops, x: unknown, low: unknown, high: unknown): Value {
  number(ops, x, "x", 0);
  number(ops, low, "low", 1);
  number(ops, high, "high", 2);
  const raised = ops.op("max", [ops.number(x as Value), ops.number(low as Value)]);
  return ops.op("min", [raised, ops.number(high as Value)]);
}

export const clip = intrinsic<(x: number, low: number, high: number) => number>({
  name: "clip",
  family,
  signature: {
    operands: [
      { name: "x", kind: "scalar" },
      { name: "low", kind: "scalar" },
      { name: "high", kind: "scalar" },
    ],
    result: "number",
  },
  effect: "pure",
  cost: "scalar",
  doc: "Math.min(Math.max(x, low), high): with low > high the result is high.",
  example: "y.set(0, S.clip(9, 0, 5));",
  simulate: (sim, x: unknown, low: unknown, high: unknown) =>
    clipNumber(new DirectOps(sim, "clip"), x, low, high),
  lower: (b, x: unknown, low: unknown, high: unknown) => clipNumber(new LoweredOps(b, "clip"), x, low, high),
});

function absolute(ops: Ops, x: unknown): Value {
  number(ops, x, "x", 0);
  return ops.op("abs", [ops.number(x as Value)]);
}

export const abs = intrinsic<(x: number) => number>({
  name: "abs",
  family,
  signature: { operands: [{ name: "x", kind: "scalar" }], result: "number" },
  effect: "pure",
  cost: "scalar",
  doc: "Math.abs of a number.",
  example: "y.set(0, S.abs(-3));",
  simulate: (sim, x: unknown) => absolute(new DirectOps(sim, "abs"), x),
  lower: (b, x: unknown) => absolute(new LoweredOps(b, "abs"), x),
});

export interface ConvertOptions {
  /** Keep the low bits instead of clamping. */
  readonly wrap?: boolean | undefined;
}

function convert(ops: Ops, d: DTypeName, x: unknown, given: unknown): Value {
  present(ops, x, "x", 0);
  const s = shapeOf(x);
  if (s.is !== "number" && s.is !== "bool") {
    return ops.refuse("KPU3001", `${ops.name}: x must be a number or boolean, got ${shapeText(s)}`, {
      argument: 0,
      ...(s.is === "vec" ? { help: `for vectors: S.cast(x, ${d})` } : {}),
    });
  }
  const o = options(ops, given, hasIntegers(d) ? ["wrap"] : [], 1);
  return ops.op("convert", [x as Value], { dtype: d, ...(flag(ops, o, "wrap", 1) ? { wrap: true } : {}) });
}

const CONVERT_DOC = {
  int: "truncates towards zero and clamps to the dtype; NaN gives 0. `wrap` keeps the low bits instead, as a TypedArray store does.",
  float:
    "rounds to the nearest value of the dtype, ties to even; beyond the largest finite value it is infinite, in f8e4m3 NaN.",
};

type ToInt = (x: number | boolean, options?: ConvertOptions) => number;
type ToFloat = (x: number | boolean) => number;

function conversion<F extends ToInt | ToFloat | ((x: number | boolean) => boolean)>(d: DTypeName): F {
  const wraps = hasIntegers(d);
  const rule = convertRule(d);
  const doc =
    d === "bool"
      ? "false for 0, -0 and NaN, else true."
      : `The number as a value of ${d}: ${CONVERT_DOC[wraps ? "int" : "float"]}`;
  return intrinsic<(x: never, options?: never) => unknown>({
    name: d,
    family,
    signature: {
      operands: [{ name: "x", kind: "scalar" }],
      ...(wraps
        ? {
            options: [
              { name: "wrap", kind: "static", values: [true], optional: true, doc: "keep the low bits" },
            ],
          }
        : {}),
      result: d === "bool" ? "boolean" : "number",
    },
    effect: "pure",
    cost: "scalar",
    doc,
    example: d === "bool" ? "if (S.bool(2)) y.set(0, 1);" : `y.set(0, S.${d}(3.7));`,
    simulate: (sim, x: unknown, o?: unknown) =>
      typeof x === "number" && o === undefined && d !== "bool"
        ? rule(x)
        : convert(new DirectOps(sim, d), d, x, o),
    lower: (b, x: unknown, o?: unknown) => convert(new LoweredOps(b, d), d, x, o),
  }) as unknown as F;
}

// Named `toI8` here because `i8` is the dtype; S calls them i8, ...
export const toI8 = conversion<ToInt>("i8");
export const toU8 = conversion<ToInt>("u8");
export const toI16 = conversion<ToInt>("i16");
export const toU16 = conversion<ToInt>("u16");
export const toI32 = conversion<ToInt>("i32");
export const toU32 = conversion<ToInt>("u32");
export const toF16 = conversion<ToFloat>("f16");
export const toBf16 = conversion<ToFloat>("bf16");
export const toF32 = conversion<ToFloat>("f32");
export const toI4 = conversion<ToInt>("i4");
export const toU4 = conversion<ToInt>("u4");
export const toF8e4m3 = conversion<ToFloat>("f8e4m3");
export const toF8e5m2 = conversion<ToFloat>("f8e5m2");
export const toBool = conversion<(x: number | boolean) => boolean>("bool");
