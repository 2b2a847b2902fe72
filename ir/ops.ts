/**
 * The op table: every operation of KIR is one entry here. Printer, parser, verifier, interpreter, constant folder and
 * the WebAssembly emitter all follow this table; an op that is not here does not exist.
 *
 * Operand rules are written as functions from operand types (and attributes) to the result type, or to a sentence
 * that says what is wrong.
 */

import { dotGroup } from "./dot.ts";
import {
  DTYPES,
  type DTypeName,
  isAddressed,
  isFloat,
  isInt,
  isPacked,
  oppositeSign,
  type Scope,
} from "./dtype.ts";
import {
  type Attrs,
  mask,
  ptrType,
  sameType,
  scalar,
  scalarOf,
  type Type,
  typeText,
  VOID,
  vec,
} from "./kir.ts";
import { MATH, type MathName } from "./math.ts";
import { namedOperands, type PathOp, pathMismatch, pathOperands } from "./path/operands.ts";

export type Effect =
  /** Depends on operands only: may be folded, moved, duplicated, dropped. */
  | "pure"
  /** Reads memory. */
  | "read"
  /** Writes memory, or has another visible effect; order is kept. */
  | "write"
  /** Pure but may stop the program with an error (zero divisor). */
  | "trap"
  /** Suspends the tile: barrier, event wait. */
  | "block";

export type CostClass =
  | "free"
  | "scalar"
  | "branch"
  | "valu"
  | "vmul"
  | "vdiv"
  | "vmath"
  | "vperm"
  | "vreduce"
  | "load"
  | "store"
  | "engine"
  | "sync"
  | "host";

/** Result type, or what is wrong. */
export type TypeRule = (args: readonly Type[], attrs: Attrs) => Type | string;

export interface OpSpec {
  readonly arity: number | "any";
  readonly rule: TypeRule;
  readonly effect: Effect;
  /** True when the op's arithmetic is in the ALU table under the op's own name (see `alu.ts`). */
  readonly alu: boolean;
  readonly cost: CostClass;
  readonly doc: string;
  /** Attribute names; those with `?` may be absent. */
  readonly attrs?: readonly string[];
}

// ---------------------------------------------------------------------------------------------- operand rules

const NUMBER_SCALARS = ["num", "i32", "i64", "f32", "f64"];
const isNumberScalar = (t: Type | undefined): boolean =>
  t?.kind === "scalar" && NUMBER_SCALARS.includes(t.name);
const isScalar = (t: Type | undefined, ...names: string[]): boolean =>
  t?.kind === "scalar" && names.includes(t.name);
const isIndex = (t: Type | undefined): boolean => isScalar(t, "num", "i32", "i64");
const text = (t: Type | undefined): string => (t === undefined ? "nothing" : typeText(t));
const allSame = (args: readonly Type[]): boolean => args.every((a) => sameType(a, args[0] as Type));

/** Same-typed number scalars or same-typed vectors whose dtype is allowed; masks when `masks`. */
function lanewise(
  allowed: (d: DTypeName) => boolean,
  scalars: readonly string[],
  o: { masks?: boolean } = {},
): TypeRule {
  return (args) => {
    const first = args[0];
    if (first === undefined) return "needs operands";
    if (!allSame(args)) return `operands must have one type, got ${args.map(typeText).join(", ")}`;
    if (first.kind === "vec" && allowed(first.dtype)) return first;
    if (first.kind === "mask" && o.masks) return first;
    if (isScalar(first, ...scalars)) return first;
    return `not defined for ${typeText(first)}`;
  };
}
const int = (d: DTypeName): boolean => isInt(d);
const float = (d: DTypeName): boolean => isFloat(d);
const numeric = (d: DTypeName): boolean => int(d) || float(d);

/** As {@link lanewise}, with `saturate` and `out` (the dtype of the other sign) on integer vectors. */
const saturating: TypeRule = (args, attrs) => {
  const t = lanewise(numeric, NUMBER_SCALARS)(args, attrs);
  if (typeof t === "string" || t.kind !== "vec") return t;
  const out = attrs["out"];
  if (!isInt(t.dtype)) return attrs["saturate"] || out ? "saturate and out need an integer vector" : t;
  if (out === undefined || out === t.dtype) return t;
  return out === oppositeSign(t.dtype)
    ? vec(out, t.lanes)
    : `out must be ${t.dtype} or ${oppositeSign(t.dtype)}`;
};

/** A comparison: number scalars give bool, vectors give a mask. */
const compare: TypeRule = (args, attrs) => {
  const t = lanewise(numeric, [...NUMBER_SCALARS, "bool"])(args, attrs);
  if (typeof t === "string") return t;
  return t.kind === "vec" ? mask(t.lanes) : scalar("bool");
};
const jsInt: TypeRule = (args) =>
  args.every((a) => isScalar(a, "num", "i32")) && allSame(args) ? (args[0] as Type) : "needs i32 operands";
const toInt32: TypeRule = ([a]) =>
  isNumberScalar(a) ? scalar(isScalar(a, "num") ? "num" : "i32") : `needs a number, got ${text(a)}`;
const toUint32: TypeRule = ([a]) =>
  isNumberScalar(a) ? scalar(isScalar(a, "num") ? "num" : "i64") : `needs a number, got ${text(a)}`;

type PtrType = Extract<Type, { kind: "ptr" }>;
/** A pointer whose elements code and the copy engine reach. */
const pointer = (t: Type | undefined): PtrType | undefined =>
  t?.kind === "ptr" && isAddressed(t.scope) ? t : undefined;
const laneType = (dtype: DTypeName, lanes: number): Type =>
  dtype === "bool" ? mask(lanes) : vec(dtype, lanes);
const lanesOf = (t: Type | undefined): number => (t?.kind === "vec" || t?.kind === "mask" ? t.lanes : 0);

/** A value that may stand in a lane of memory of this dtype: its vector, or a mask for bool. */
function storable(p: Type | undefined, v: Type | undefined): string | undefined {
  const ptr = pointer(p);
  if (ptr === undefined) return `needs a pointer, got ${text(p)}`;
  if (ptr.constant) return "writes through a const pointer";
  const want = laneType(ptr.dtype, lanesOf(v));
  return v !== undefined && sameType(want, v) ? undefined : `stores ${text(v)} through ${typeText(ptr)}`;
}
function maskFor(lanes: number, m: Type | undefined): string | undefined {
  return m?.kind === "mask" && m.lanes === lanes ? undefined : `needs mask<${lanes}>, got ${text(m)}`;
}
const indices = (t: Type | undefined, lanes: number): string | undefined =>
  t?.kind === "vec" && isInt(t.dtype) && DTYPES[t.dtype].bits >= 16 && t.lanes === lanes
    ? undefined
    : `needs ${lanes} indices of 16 or 32 bits, got ${text(t)}`;

/** A vector and its mask. */
/** Lanes that an op moves through memory by what is known at run time: each has its own bytes there. */
const hasBytes = (x: Type | undefined): x is Extract<Type, { kind: "vec" }> =>
  x?.kind === "vec" && !isPacked(x.dtype);
const packing: TypeRule = ([x, m]) =>
  hasBytes(x) ? (maskFor(x.lanes, m) ?? x) : `needs a vector with whole bytes, got ${text(x)}`;

const needPtr =
  (then: (p: PtrType, args: readonly Type[], attrs: Attrs) => Type | string): TypeRule =>
  (args, attrs) => {
    const p = pointer(args[0]);
    return p === undefined ? `needs a pointer to elements, got ${text(args[0])}` : then(p, args, attrs);
  };

const dma: TypeRule = (args) => {
  const [dst, src, ...rest] = args;
  const d = pointer(dst);
  const s = pointer(src);
  if (!d || !s) return "needs two pointers";
  if (d.dtype !== s.dtype) return `copies ${s.dtype} to ${d.dtype}`;
  if (d.constant) return "writes through a const pointer";
  return rest.slice(0, 4).every(isIndex) ? VOID : "width, strides and times must be integers";
};

/** dma_nd: pointers, then lists of `dims` integers, then the fill value when `padded`. */
const dmaNd: TypeRule = (args, attrs) => {
  const dims = attrs["dims"] as number;
  const padded = attrs["padded"] === true;
  const numbers = (padded ? 5 : 3) * dims;
  const expected = 2 + numbers + (padded ? 1 : 0);
  if (args.length !== expected) return `takes ${expected} operands with dims ${dims}, got ${args.length}`;
  if (!args.slice(2, 2 + numbers).every(isIndex)) return "counts, strides and padding must be integers";
  const value = args[2 + numbers];
  if (padded && !isNumberScalar(value) && !isScalar(value, "bool")) return "the fill value must be a scalar";
  return dma(args.slice(0, 2), attrs);
};

const dmaGather: TypeRule = (args, attrs) => {
  const index = pointer(args[2]);
  if (!index || !isInt(index.dtype) || DTYPES[index.dtype].bits < 16)
    return `needs a pointer to indices of 16 or 32 bits, got ${text(args[2])}`;
  if (!args.slice(3, 7).every(isIndex)) return "count, width and strides must be integers";
  return dma(args.slice(0, 2), attrs);
};

/** The same op with an event as its last operand. */
const onEvent =
  (rule: TypeRule): TypeRule =>
  (args, attrs) =>
    isScalar(args[args.length - 1], "event") ? rule(args.slice(0, -1), attrs) : "needs an event";

const range: TypeRule = ([p, n]) =>
  pointer(p) && isIndex(n) ? VOID : `needs a pointer and a count, got ${text(p)}, ${text(n)}`;

/** A command of the matrix path: operands as its table says, then an event. */
const path =
  (op: PathOp): TypeRule =>
  (args, attrs) => {
    const operands = pathOperands(op, attrs);
    if (args.length !== operands.length + 1)
      return `takes ${operands.map((o) => o.name).join(", ")} and an event, got ${args.length} operands`;
    for (const [i, o] of operands.entries()) {
      const t = args[i] as Type;
      if (o.is === "pointer") {
        if (t.kind !== "ptr") return `${o.name} must be a pointer, got ${text(t)}`;
        if (!o.scopes.includes(t.scope))
          return `${o.name} must be in ${o.scopes.join(" or ")}, got ${text(t)}`;
        if (!o.dtypes.includes(t.dtype))
          return `${o.name} must point to ${o.dtypes.join(", ")}, got ${text(t)}`;
        if (o.access !== "reads" && t.constant) return "writes through a const pointer";
      } else if (
        o.is === "flag" ? !isScalar(t, "bool") : o.is === "factor" ? !isScalar(t, "f32") : !isIndex(t)
      )
        return `${o.name} must be ${OPERAND_KINDS[o.is]}, got ${text(t)}`;
    }
    if (!isScalar(args[operands.length], "event")) return "needs an event";
    const named = namedOperands(op, attrs, args);
    return pathMismatch(op, attrs, (name) => named(name) as PtrType) ?? VOID;
  };
const OPERAND_KINDS = {
  count: "an integer",
  integer: "an integer",
  factor: "an f32",
  flag: "a bool",
} as const;

const memset: TypeRule = (args) => {
  const p = pointer(args[0]);
  if (!p) return "needs a pointer";
  if (p.constant) return "writes through a const pointer";
  if (!isNumberScalar(args[1]) && !isScalar(args[1], "bool")) return "the fill value must be a scalar";
  return isIndex(args[2]) ? VOID : "count must be an integer";
};

// ---------------------------------------------------------------------------------------------- the table

const pureAlu = (
  arity: number,
  rule: TypeRule,
  doc: string,
  cost: CostClass = "valu",
  attrs?: readonly string[],
): OpSpec & { readonly alu: true } => ({
  arity,
  rule,
  effect: "pure",
  alu: true,
  cost,
  doc,
  ...(attrs ? { attrs } : {}),
});
const pure = (
  arity: number | "any",
  rule: TypeRule,
  doc: string,
  cost: CostClass,
  attrs?: readonly string[],
): OpSpec => ({
  arity,
  rule,
  effect: "pure",
  alu: false,
  cost,
  doc,
  ...(attrs ? { attrs } : {}),
});
const op = (
  arity: number | "any",
  effect: Effect,
  cost: CostClass,
  rule: TypeRule,
  doc: string,
  attrs?: readonly string[],
): OpSpec => ({
  arity,
  rule,
  effect,
  alu: false,
  cost,
  doc,
  ...(attrs ? { attrs } : {}),
});
/** A program of math.ts. */
const mathOp = (name: MathName): OpSpec & { readonly alu: true } =>
  pureAlu(
    MATH[name].operands,
    lanewise(float, ["num", "f32"]),
    `${MATH[name].doc} By the algorithm of math.ts; on scalars the f32 function.`,
    "vmath",
  );
const SAT = ["saturate?", "out?"] as const;
const F64ISH = ["num", "f32", "f64"];

const table = {
  // -- arithmetic: on scalars exactly JavaScript's (i32 and i64 only where proven exact), on vectors the ALU table's
  add: pureAlu(
    2,
    saturating,
    "x + y. Integer vectors wrap, or clamp the exact result with `saturate`.",
    "valu",
    SAT,
  ),
  sub: pureAlu(2, saturating, "x - y.", "valu", SAT),
  mul: pureAlu(2, saturating, "x * y.", "vmul", SAT),
  mulhi: pureAlu(
    2,
    lanewise(int, []),
    "The high half of the exact product x * y, which has twice the bits: floor(x * y / 2^bits).",
    "vmul",
  ),
  div: pureAlu(
    2,
    lanewise(numeric, F64ISH),
    "x / y. Integer lanes: x/0 = 0, min/-1 saturates, truncates. Float lanes and scalars: IEEE.",
    "vdiv",
  ),
  mod: pureAlu(
    2,
    lanewise(numeric, NUMBER_SCALARS),
    "Remainder with the dividend's sign; integer lanes: x%0 = 0. Scalars: JavaScript's %; i32 and i64 only where the divisor is proven non-zero and the result is proven not -0.",
    "vdiv",
  ),
  neg: pureAlu(1, lanewise(numeric, NUMBER_SCALARS), "-x. Integer lanes wrap.", "valu"),
  abs: pureAlu(
    1,
    lanewise(numeric, NUMBER_SCALARS),
    "|x|. Integer lanes wrap: abs(min) = min, unless `saturate`.",
    "valu",
    ["saturate?"],
  ),
  fma: pureAlu(
    3,
    lanewise(float, []),
    "fma(acc, x, y) = acc + x*y: product and sum in float64, one rounding to the dtype.",
    "vmul",
  ),
  dot: pure(
    3,
    (args) => {
      const [acc, x, y] = args;
      if (acc?.kind !== "vec" || x?.kind !== "vec" || y?.kind !== "vec") return "needs three vectors";
      return dotGroup(acc, x, y) === undefined ? `not defined for ${text(acc)}, ${text(x)}, ${text(y)}` : acc;
    },
    "dot(acc, x, y): acc plus two or four products of neighbouring lanes for each of its lanes. 8-bit integers give 16 bits by two and 32 by four, 16-bit ones 32 bits by two, in any mix of signs; the exact sum is clamped once. f16 and bf16 give f32 by two or four: products exact, summed in float64 in ascending order, one rounding.",
    "vmul",
  ),
  min: pureAlu(
    2,
    lanewise(numeric, NUMBER_SCALARS),
    "Vectors: minimumNumber (a NaN loses, -0 < +0). Scalars: Math.min (a NaN wins).",
    "valu",
  ),
  max: pureAlu(2, lanewise(numeric, NUMBER_SCALARS), "Vectors: maximumNumber. Scalars: Math.max.", "valu"),
  minimum: pureAlu(2, lanewise(numeric, []), "IEEE 754-2019 minimum: a NaN wins, -0 < +0.", "valu"),
  maximum: pureAlu(2, lanewise(numeric, []), "IEEE 754-2019 maximum: a NaN wins, -0 < +0.", "valu"),
  sign: pureAlu(
    1,
    lanewise(numeric, NUMBER_SCALARS),
    "-1, 0 or 1; floats keep -0 and NaN (Math.sign).",
    "valu",
  ),
  floor: pureAlu(1, lanewise(float, F64ISH), "Largest integer not above x.", "valu"),
  ceil: pureAlu(1, lanewise(float, F64ISH), "Smallest integer not below x.", "valu"),
  trunc: pureAlu(1, lanewise(float, F64ISH), "Towards zero.", "valu"),
  rint: pureAlu(1, lanewise(float, F64ISH), "Nearest integer, ties to even.", "valu"),
  round_away: pureAlu(1, lanewise(float, F64ISH), "Nearest integer, ties away from zero.", "valu"),
  sqrt: pureAlu(1, lanewise(float, F64ISH), "Square root, correctly rounded.", "vdiv"),
  rsqrt: pureAlu(
    1,
    lanewise(float, ["num", "f32"]),
    "1 / sqrt(x): computed in float64, one rounding.",
    "vmath",
  ),
  recip: pureAlu(1, lanewise(float, ["num", "f32"]), "1 / x.", "vdiv"),
  exp: mathOp("exp"),
  exp2: mathOp("exp2"),
  log: mathOp("log"),
  log2: mathOp("log2"),
  sin: mathOp("sin"),
  cos: mathOp("cos"),
  tan: mathOp("tan"),
  tanh: mathOp("tanh"),
  sigmoid: mathOp("sigmoid"),
  silu: mathOp("silu"),
  erf: mathOp("erf"),
  gelu: mathOp("gelu"),
  pow: mathOp("pow"),

  // -- scalar only: what JavaScript has beyond that
  round: pure(
    1,
    lanewise(() => false, F64ISH),
    "Math.round: half towards +infinity.",
    "scalar",
  ),
  imul: pure(2, jsInt, "Math.imul.", "scalar"),
  clz32: pure(1, jsInt, "Math.clz32.", "scalar"),
  to_int32: pure(1, toInt32, "JavaScript ToInt32: what `x | 0` does.", "scalar"),
  to_uint32: pure(1, toUint32, "JavaScript ToUint32: what `x >>> 0` does.", "scalar"),
  js_shl: pure(2, jsInt, "x << (y & 31) on 32 bits.", "scalar"),
  js_shr: pure(2, jsInt, "x >> (y & 31) on 32 bits.", "scalar"),
  ceildiv: op(
    2,
    "trap",
    "scalar",
    lanewise(() => false, ["num", "i32", "i64"]),
    "Smallest integer not below the exact x / y; a zero divisor stops the program.",
  ),
  floordiv: op(
    2,
    "trap",
    "scalar",
    lanewise(() => false, ["num", "i32", "i64"]),
    "Largest integer not above the exact x / y; a zero divisor stops the program.",
  ),
  convert: pure(
    1,
    ([a], attrs) => {
      if (!isNumberScalar(a) && !isScalar(a, "bool")) return `needs a scalar, got ${text(a)}`;
      const d = attrs["dtype"] as DTypeName;
      return scalar(isScalar(a, "num") && d !== "bool" ? "num" : scalarOf(d));
    },
    "S.<dtype>(x): floats round to nearest even; float to integer truncates and saturates, NaN gives 0; with `wrap`, keeps the low bits. bool: x is not 0 and not NaN.",
    "scalar",
    ["dtype", "wrap?"],
  ),
  cast_scalar: pure(
    1,
    ([a], attrs) =>
      a?.kind === "scalar" && a.name !== "event"
        ? scalar(attrs["to"] as "i32")
        : `needs a scalar, got ${text(a)}`,
    "Exact change of representation between num, i32, i64, f32, f64 and bool (true = 1); only where the value is proven to fit.",
    "free",
    ["to"],
  ),
  truthy: pure(
    1,
    ([a]) => (isNumberScalar(a) || isScalar(a, "bool") ? scalar("bool") : `needs a scalar, got ${text(a)}`),
    "JavaScript truthiness: false for 0, -0 and NaN.",
    "scalar",
  ),
  select: pure(
    3,
    ([c, a, b]) => {
      if (!isScalar(c, "bool")) return `condition must be bool, got ${text(c)}`;
      return a && b && sameType(a, b) ? a : `arms differ: ${text(a)}, ${text(b)}`;
    },
    "select(c, a, b): a when c, else b; both are evaluated. Any value type, pointers and events included.",
    "scalar",
  ),

  // -- comparison, logic, shifts
  eq: pureAlu(2, compare, "x == y (a NaN is not equal to anything)."),
  ne: pureAlu(2, compare, "x != y."),
  lt: pureAlu(2, compare, "x < y."),
  le: pureAlu(2, compare, "x <= y."),
  gt: pureAlu(2, compare, "x > y."),
  ge: pureAlu(2, compare, "x >= y."),
  and: pureAlu(
    2,
    lanewise(int, ["num", "i32", "bool"], { masks: true }),
    "Bitwise and; logical on bool and masks.",
  ),
  or: pureAlu(2, lanewise(int, ["num", "i32", "bool"], { masks: true }), "Bitwise or."),
  xor: pureAlu(2, lanewise(int, ["num", "i32", "bool"], { masks: true }), "Bitwise exclusive or."),
  not: pureAlu(
    1,
    lanewise(int, ["num", "i32", "bool"], { masks: true }),
    "Bitwise complement; logical on bool and masks.",
  ),
  shl: pureAlu(
    2,
    lanewise(int, []),
    "Lane shift left; the amount is unsigned, >= width gives 0. `saturate` clamps the exact result.",
    "valu",
    ["saturate?"],
  ),
  shr: pureAlu(
    2,
    lanewise(int, []),
    "Lane shift right: arithmetic on signed, logical on unsigned dtypes; amount >= width gives sign fill or 0. `round`: half to even.",
    "valu",
    ["round?"],
  ),
  rotl: pureAlu(2, lanewise(int, []), "Lane rotated left; the amount counts modulo the width."),
  rotr: pureAlu(2, lanewise(int, []), "Lane rotated right; the amount counts modulo the width."),
  clz: pureAlu(1, lanewise(int, []), "Zeros above the highest one; the width for 0."),
  cls: pureAlu(1, lanewise(int, []), "Bits below the top bit that equal it, up to the first that differs."),
  ctz: pureAlu(1, lanewise(int, []), "Zeros below the lowest one; the width for 0."),
  popcnt: pureAlu(1, lanewise(int, []), "Ones."),
  brev: pureAlu(1, lanewise(int, []), "The bits in reverse order."),

  // -- vectors and masks
  vconst: pure(
    0,
    (_a, attrs) => laneType(attrs["dtype"] as DTypeName, (attrs["values"] as number[]).length),
    "A constant vector, or mask for dtype bool (values 0 and 1).",
    "free",
    ["dtype", "values"],
  ),
  splat: pure(
    1,
    ([a], attrs) => {
      const d = attrs["dtype"] as DTypeName;
      if (d === "bool") return isScalar(a, "bool") ? mask(attrs["lanes"] as number) : "needs a bool";
      return isNumberScalar(a) ? vec(d, attrs["lanes"] as number) : `needs a number, got ${text(a)}`;
    },
    "A scalar in every lane. To an integer dtype only where the value is proven to fit; to a float dtype with one rounding.",
    "valu",
    ["dtype", "lanes"],
  ),
  sel: pure(
    3,
    ([m, x, y]) => {
      if (!x || !y || !sameType(x, y) || (x.kind !== "vec" && x.kind !== "mask"))
        return `arms differ: ${text(x)}, ${text(y)}`;
      return maskFor(x.lanes, m) ?? x;
    },
    "sel(mask, x, y): x in active lanes, y elsewhere.",
    "valu",
  ),
  cast: pure(
    1,
    ([a], attrs) => {
      const d = attrs["dtype"] as DTypeName;
      return a?.kind === "vec" && d !== "bool" ? vec(d, a.lanes) : `needs a vector, got ${text(a)}`;
    },
    "Lane by lane to another dtype. Float to int truncates and saturates, NaN gives 0 (`wrap`: low bits of the i32 result); int to narrower int keeps low bits, or clamps with `saturate`; to a float one rounding.",
    "valu",
    ["dtype", "saturate?", "wrap?"],
  ),
  shuffle: pure(
    "any",
    (args, attrs) => {
      const first = args[0];
      if (first?.kind !== "vec" && first?.kind !== "mask") return `needs vectors, got ${text(first)}`;
      if (!args.every((a) => a.kind === first.kind)) return "mixes masks and vectors";
      if (!args.every((a) => first.kind === "mask" || (a.kind === "vec" && a.dtype === first.dtype)))
        return "operands must have one dtype";
      const total = args.reduce((n, a) => n + lanesOf(a), 0);
      const lanes = attrs["lanes"] as number[];
      if (!lanes.every((l) => Number.isInteger(l) && l >= -1 && l < total))
        return `lane index out of 0..${total - 1}`;
      return first.kind === "mask" ? mask(lanes.length) : vec(first.dtype, lanes.length);
    },
    "Picks lanes from the concatenation of its operands (vectors or masks); index -1 gives 0.",
    "vperm",
    ["lanes"],
  ),
  compress: pure(2, packing, "Active lanes of x to the front, in order; 0 in the rest.", "vperm"),
  expand: pure(2, packing, "The first lanes of x to the active lanes, in order; 0 in the others.", "vperm"),
  table: pure(
    "any",
    ([indices, ...table]) => {
      const first = table[0];
      if (indices?.kind !== "vec" || !isInt(indices.dtype)) return `needs indices, got ${text(indices)}`;
      if (!hasBytes(first)) return `needs a table with whole bytes, got ${text(first)}`;
      if (!table.every((t) => t.kind === "vec" && t.dtype === first.dtype))
        return "tables must have one dtype";
      return DTYPES[first.dtype].bits === DTYPES[indices.dtype].bits
        ? vec(first.dtype, indices.lanes)
        : `indices of a table of ${first.dtype} must be as wide, got ${indices.dtype}`;
    },
    "table(indices, x, ...): the lane of the concatenated tables that each index names; 0 where it names none.",
    "vperm",
  ),
  slide: pure(
    3,
    ([x, y, i]) => {
      if (!hasBytes(x) || !y || !sameType(x, y))
        return `needs two equal vectors with whole bytes, got ${text(x)}, ${text(y)}`;
      return isIndex(i) ? x : `needs an index, got ${text(i)}`;
    },
    "slide(x, y, i): as many lanes as x has, from lane i of x and y laid end to end; i is within 0 and that count.",
    "vperm",
  ),
  bitcast: pure(
    1,
    ([x], attrs) => {
      const d = attrs["dtype"] as DTypeName;
      if (x?.kind !== "vec" || d === "bool") return `needs a vector, got ${text(x)}`;
      const lanes = (x.lanes * DTYPES[x.dtype].bits) / DTYPES[d].bits;
      return Number.isInteger(lanes) ? vec(d, lanes) : `the bits of ${typeText(x)} are no whole ${d} lanes`;
    },
    "The bits of the lanes, least significant first, as lanes of another dtype. A NaN has the bits of its dtype's one NaN.",
    "free",
    ["dtype"],
  ),
  extract: pure(
    2,
    ([v, i]) =>
      v?.kind === "vec" && isIndex(i)
        ? scalar(scalarOf(v.dtype))
        : v?.kind === "mask" && isIndex(i)
          ? scalar("bool")
          : "needs a vector or mask and an index",
    "One lane as a scalar; the index must be within the lanes. At level open the result type is still the dtype's scalar.",
    "vperm",
  ),
  lane_check: op(
    1,
    "write",
    "scalar",
    ([i]) => (isIndex(i) ? VOID : "needs an index"),
    "Stops the program when the index is no lane of `lanes` lanes.",
    ["lanes"],
  ),
  radd: pure(
    1,
    ([v]) => (v?.kind === "vec" ? scalar(scalarOf(v.dtype)) : `needs a vector, got ${text(v)}`),
    "Sum by halves: lanes i and i + n/2, an odd last lane is carried as the last lane of the next round. Integers wrap; f16 and bf16 accumulate in f32 and round once.",
    "vreduce",
  ),
  rmin: pure(
    1,
    ([v]) => (v?.kind === "vec" ? scalar(scalarOf(v.dtype)) : `needs a vector, got ${text(v)}`),
    "minimumNumber over the lanes.",
    "vreduce",
  ),
  rmax: pure(
    1,
    ([v]) => (v?.kind === "vec" ? scalar(scalarOf(v.dtype)) : `needs a vector, got ${text(v)}`),
    "maximumNumber over the lanes.",
    "vreduce",
  ),
  rmin_idx: pure(
    2,
    ([v, m]) => (v?.kind === "vec" ? (maskFor(v.lanes, m) ?? scalar("i32")) : "needs a vector"),
    "Lowest index of the minimum among active lanes (NaN lanes lose); -1 when no lane is active.",
    "vreduce",
  ),
  rmax_idx: pure(
    2,
    ([v, m]) => (v?.kind === "vec" ? (maskFor(v.lanes, m) ?? scalar("i32")) : "needs a vector"),
    "Lowest index of the maximum among active lanes; -1 when none.",
    "vreduce",
  ),
  any: pure(
    1,
    ([m]) => (m?.kind === "mask" ? scalar("bool") : `needs a mask, got ${text(m)}`),
    "True when some lane is active.",
    "vreduce",
  ),
  all: pure(
    1,
    ([m]) => (m?.kind === "mask" ? scalar("bool") : `needs a mask, got ${text(m)}`),
    "True when every lane is active.",
    "vreduce",
  ),
  tail_mask: pure(
    1,
    ([n], attrs) => (isNumberScalar(n) ? mask(attrs["lanes"] as number) : `needs a number, got ${text(n)}`),
    "The first n lanes, n clamped to 0..lanes.",
    "valu",
    ["lanes"],
  ),

  // -- pointers
  ptr_add: pure(
    2,
    ([p, i]) =>
      p?.kind === "ptr" && isIndex(i) ? p : `needs a pointer and an integer, got ${text(p)}, ${text(i)}`,
    "Moves by elements, in either direction; only access checks bounds.",
    "scalar",
  ),
  ptr_cast: pure(
    1,
    needPtr((p, _a, attrs) => ptrType(attrs["dtype"] as DTypeName, p.scope, p.constant)),
    "The same address as another dtype.",
    "free",
    ["dtype"],
  ),
  ptr_eq: pure(
    2,
    ([p, q]) => (p?.kind === "ptr" && q?.kind === "ptr" ? scalar("bool") : "needs two pointers"),
    "Same address.",
    "scalar",
  ),
  ptr_diff: pure(
    2,
    ([p, q]) =>
      p?.kind === "ptr" && q?.kind === "ptr" && p.dtype === q.dtype
        ? scalar("i64")
        : "needs two pointers of one dtype",
    "Distance p - q in elements; both must point into the same buffer.",
    "scalar",
  ),
  ptr_null: pure(
    1,
    ([p]) => (p?.kind === "ptr" ? scalar("bool") : `needs a pointer, got ${text(p)}`),
    "True for the null pointer.",
    "scalar",
  ),

  // -- memory (virtual level: element addressed; lanes come from the result or operand type)
  get: op(
    1,
    "read",
    "load",
    needPtr((p) => scalar(scalarOf(p.dtype))),
    "One element as a scalar.",
  ),
  set: op(
    2,
    "write",
    "store",
    needPtr((p, [, v]) =>
      p.constant
        ? "writes through a const pointer"
        : isNumberScalar(v) || isScalar(v, "bool")
          ? VOID
          : `stores ${text(v)}`,
    ),
    "One element from a scalar, by the dtype's store rule: integers wrap (as a TypedArray does), floats round, bool takes truthiness.",
  ),
  load: op(
    1,
    "read",
    "load",
    needPtr((p, _a, attrs) => laneType(p.dtype, attrs["lanes"] as number)),
    "Consecutive lanes.",
    ["lanes"],
  ),
  load_masked: op(
    3,
    "read",
    "load",
    needPtr((p, [, m, r]) => {
      const t = laneType(p.dtype, lanesOf(m));
      return r && sameType(t, r)
        ? (maskFor(lanesOf(m), m) ?? t)
        : `inactive lanes need ${typeText(t)}, got ${text(r)}`;
    }),
    "load_masked(p, mask, r): inactive lanes give r's lane and touch no memory.",
  ),
  load_strided: op(
    4,
    "read",
    "load",
    needPtr((p, [, s, m, r]) => {
      const t = laneType(p.dtype, lanesOf(m));
      if (!isIndex(s)) return "stride must be an integer";
      return r && sameType(t, r)
        ? (maskFor(lanesOf(m), m) ?? t)
        : `inactive lanes need ${typeText(t)}, got ${text(r)}`;
    }),
    "load_strided(p, stride, mask, r): lane i from element i * stride, stride >= 1.",
  ),
  store: op(2, "write", "store", (args) => storable(args[0], args[1]) ?? VOID, "Consecutive lanes."),
  store_masked: op(
    3,
    "write",
    "store",
    ([p, v, m]) => storable(p, v) ?? maskFor(lanesOf(v), m) ?? VOID,
    "store_masked(p, v, mask): inactive lanes touch no memory.",
  ),
  store_strided: op(
    4,
    "write",
    "store",
    ([p, v, s, m]) =>
      storable(p, v) ??
      (isIndex(s) ? undefined : "stride must be an integer") ??
      maskFor(lanesOf(v), m) ??
      VOID,
    "store_strided(p, v, stride, mask).",
  ),
  gather: op(
    4,
    "read",
    "load",
    needPtr((p, [, i, m, r]) => {
      const n = lanesOf(i);
      const t = laneType(p.dtype, n);
      return (
        indices(i, n) ??
        maskFor(n, m) ??
        (r && sameType(t, r) ? t : `inactive lanes need ${typeText(t)}, got ${text(r)}`)
      );
    }),
    "gather(p, idx, mask, r): lane i from element idx[i].",
  ),
  scatter: op(
    4,
    "write",
    "store",
    ([p, i, v, m]) => storable(p, v) ?? indices(i, lanesOf(v)) ?? maskFor(lanesOf(v), m) ?? VOID,
    "scatter(p, idx, v, mask): with equal indices the highest lane wins.",
  ),
  alloc: op(
    0,
    "write",
    "free",
    (_a, attrs) => ptrType(attrs["dtype"] as DTypeName, attrs["scope"] as Scope),
    "A buffer of `count` elements, not initialised; one per tile for near scopes, one for all tiles in l3 and global. `offset` (bytes in the scope) is present at machine level.",
    ["dtype", "scope", "count", "name?", "offset?"],
  ),
  alloc_const: op(
    0,
    "write",
    "free",
    (_a, attrs) => ptrType(attrs["dtype"] as DTypeName, "local", true),
    "A read-only table, `Kernel.tables[table]`.",
    ["dtype", "table", "offset?"],
  ),

  // -- engines and events
  dma_copy: op(
    6,
    "write",
    "engine",
    dma,
    "dma_copy(dst, src, width, src_stride, dst_stride, times): rows of `width` elements; strides count elements between row starts. Complete when it returns.",
  ),
  dma_copy_async: op(
    7,
    "write",
    "engine",
    onEvent(dma),
    "dma_copy with an event: the destination is invisible and the source frozen until the event was waited for.",
  ),
  dma_nd: op(
    "any",
    "write",
    "engine",
    dmaNd,
    "dma_nd {dims: n} dst, src, counts x n, src_strides x n, dst_strides x n: the elements of a box, outermost dimension first; strides count elements and the destination's are distinct. With `padded` come before x n, after x n and a value: the destination box has before + count + after elements per dimension, and the value around the source.",
    ["dims", "padded?"],
  ),
  dma_nd_async: op("any", "write", "engine", onEvent(dmaNd), "dma_nd with an event as last operand.", [
    "dims",
    "padded?",
  ]),
  dma_gather: op(
    7,
    "write",
    "engine",
    dmaGather,
    "dma_gather(dst, src, index, count, width, src_stride, dst_stride): row i of `width` elements from row index[i] of the source, whose rows start src_stride apart.",
  ),
  dma_gather_async: op(8, "write", "engine", onEvent(dmaGather), "dma_gather with an event."),
  dma_memset: op(
    3,
    "write",
    "engine",
    memset,
    "dma_memset(dst, value, count): fills by the dtype's store rule.",
  ),
  dma_memset_async: op(4, "write", "engine", onEvent(memset), "dma_memset with an event."),
  prefetch: op(
    2,
    "write",
    "engine",
    range,
    "prefetch(p, count): brings elements near; without effect on values. They must be within the buffer.",
  ),
  flush_cache: op(
    "any",
    "write",
    "engine",
    (args, attrs) =>
      args.length === 0
        ? VOID
        : args.length === 2
          ? range(args, attrs)
          : "takes a pointer and a count, or nothing",
    "Writes back what is near of `count` elements from p on, or of all memory; without effect on values.",
  ),
  block_move: op(
    "any",
    "write",
    "engine",
    path("block_move"),
    "block_move dst, src, ...: rows of elements between l3 and l2, as the transform rearranges them: identity, transpose and pack take rows, cols, src_stride and dst_stride (of pack the panel), im2col rows, dst_stride and the 14 numbers of its window. With `quantized` come a scale (f32) and a zero point. The event is last, as of all commands of the matrix path.",
    ["transform", "layout?", "quantized?"],
  ),
  stream_rows: op(
    6,
    "write",
    "engine",
    path("stream_rows"),
    "stream_rows dst, src, rows, depth, stride: rows from l2 into a stream buffer at the row edge of the fabric; `transposed` where l2 has the columns of the matrix one after the other.",
    ["transposed?"],
  ),
  stream_cols: op(
    6,
    "write",
    "engine",
    path("stream_cols"),
    "stream_cols dst, src, cols, depth, stride: columns of a matrix whose rows stand in l2, at the column edge; `transposed` where l2 has the columns one after the other. 4-bit elements are unpacked.",
    ["transposed?"],
  ),
  preload: op(
    6,
    "write",
    "engine",
    path("preload"),
    "preload acc, src, rows, cols, stride: accumulators take rows of l2 as they are, without gaps.",
  ),
  mma: op(
    8,
    "write",
    "engine",
    path("mma"),
    "mma acc, a, b, m, n, k, clear: acc[i][j] += a[i][p] * b[p][j] for p ascending, from 0 where `clear` is true: f32 with a product and a sum rounded each, i32 wrapping. a and b are blocks as they were streamed.",
    ["dataflow"],
  ),
  drain: op(
    "any",
    "write",
    "engine",
    path("drain"),
    "drain dst, acc, rows, cols, stride, then what its attributes name: bias, scale (a pointer or an f32), residual and its stride, the residual's scale and zero point, the destination's scale and zero point. Steps in f32: + i32 bias, * scale, + float bias, + residual, activation, rounded or quantized.",
    ["axis", "activation", "bias?", "scale?", "residual?", "quantized?"],
  ),
  event_alloc: op(0, "write", "sync", () => scalar("event"), "A free event of this tile."),
  event_wait: op(
    1,
    "block",
    "sync",
    ([e]) => (isScalar(e, "event") ? VOID : "needs an event"),
    "Waits for the transfer started on the event.",
  ),
  event_free: op(
    1,
    "write",
    "sync",
    ([e]) => (isScalar(e, "event") ? VOID : "needs an event"),
    "Gives the event back.",
  ),

  // -- SPMD and host
  tile_id: pure(0, () => scalar("i32"), "Number of this tile, 0 .. tile_count - 1.", "free"),
  tile_count: pure(0, () => scalar("i32"), "Number of tiles the program runs on.", "free"),
  perf_begin: op(0, "write", "host", () => VOID, "Marks the begin of span `id` of this tile.", ["id"]),
  perf_end: op(0, "write", "host", () => VOID, "Marks the end of span `id`, the innermost open one.", ["id"]),
  barrier: op(0, "block", "sync", () => VOID, "All tiles meet."),
  print: op(
    "any",
    "write",
    "host",
    () => VOID,
    "Prints `Kernel.texts[text]` with its operands. At level machine a wide vector comes in pieces: `groups` has the number of operands of each printed value.",
    ["text", "groups?"],
  ),
  assert: op(
    1,
    "write",
    "host",
    ([c]) => (isScalar(c, "bool") ? VOID : "needs a bool"),
    "Stops the program with `Kernel.texts[text]` when false.",
    ["text"],
  ),
} as const satisfies Record<string, OpSpec>;

export type OpName = keyof typeof table;
export const OPS: { readonly [K in OpName]: OpSpec } = table;

/** Ops whose lanes are computed by the ALU table. */
export type AluOp = { [K in OpName]: (typeof table)[K]["alu"] extends true ? K : never }[OpName];
