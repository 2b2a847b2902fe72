/**
 * The ALU as functions. The meaning of each op stands in `formulas.ts`; here a formula becomes code for one dtype and one set of
 * attributes. Each is compiled on its own (not as closures over shared code), because only then does V8 specialise and inline it:
 * a loop over 8 lanes is about 20 ns.
 *
 * Lanes are exact values of the dtype, in float64 (see dtype.ts). The results are, too.
 */
import { convertRule, type NumberRule, roundTo, storeRule } from "./convert.ts";
import { DTYPES, type DTypeName, isFloat, isInt, isStorage } from "./dtype.ts";
import { ALU, formulaFunction, type Meaning, SCALAR_ONLY } from "./formulas.ts";
import type { Attrs } from "./kir.ts";
import { newLanes } from "./lanes.ts";
import { type AluOp, OPS, type OpName } from "./ops.ts";

export { parseMaskString, tailMask } from "./masks.ts";

/** One lane. Operands beyond the op's arity are ignored; comparisons and masks give 0 or 1. */
export type LaneFn = (x: number, y: number, z: number) => number;
/** All lanes of same-length operands. Operands beyond the op's arity are ignored. Gives a new array. */
export type LaneLoop = (x: readonly number[], y: readonly number[], z: readonly number[]) => number[];
export type ScalarType = "i32" | "i64" | "f32" | "f64" | "bool";
export type ScalarFn = (...x: number[]) => number;

const NO_ATTRS: Attrs = {};
const identity: NumberRule = (x) => x;

/** A formula and the rule that puts its result into the result dtype. */
interface LaneMeaning {
  readonly formula: string;
  readonly fit: NumberRule;
}

/** The row of the ALU table for one dtype and the attributes `saturate`, `out` and `round`. */
function laneMeaning(op: AluOp, d: DTypeName, attrs: Attrs): LaneMeaning {
  const row: Meaning = ALU[op];
  const undefinedHere = (): never => {
    throw new TypeError(`${op} is not defined for ${d} lanes with attributes ${JSON.stringify(attrs)}`);
  };
  const given = (formula: string | undefined): string =>
    (formula ?? undefinedHere()).replaceAll(/\bwidth\b/gu, String(DTYPES[d].bits));
  for (const key in attrs) if (attrs[key] && !OPS[op].attrs?.includes(`${key}?`)) undefinedHere();
  const { saturate, round, out } = attrs;
  if (!isInt(d)) {
    if (saturate || round || out !== undefined) undefinedHere();
    if (isStorage(d)) undefinedHere();
    if (!isFloat(d)) return { formula: given(row.mask), fit: identity };
    return { formula: given(row.float), fit: row.fit === "none" || row.mask ? identity : roundTo(d) };
  }
  const result = (out ?? d) as DTypeName;
  if (saturate) return { formula: given(row.clamped), fit: convertRule(result) };
  if (round) return { formula: given(row.rounded), fit: storeRule(result) };
  const formula = given(DTYPES[d].signed ? row.int : (row.unsigned ?? row.int));
  const fit = row.fit === "none" ? identity : row.fit === "clamp" ? convertRule(result) : storeRule(result);
  return { formula, fit };
}

let instances = 0;

/**
 * Compiles JavaScript text that may name the functions of formulas, `fit` and `newLanes`. The number in the text makes it unique: V8
 * gives equal texts one shared type feedback, and the loops of all dtypes would then pay for each other (3 times slower).
 */
function compile(text: string, fit: NumberRule): unknown {
  const functions: Record<string, unknown> = { fit, newLanes };
  for (const name of text.match(/[a-z_]\w*/giu) ?? []) {
    const called = formulaFunction(name);
    if (called !== undefined) functions[name] = called;
  }
  return new Function(...Object.keys(functions), `"use strict"; /* ${instances++} */ return ${text};`)(
    ...Object.values(functions),
  );
}

function compileLane({ formula, fit }: LaneMeaning): LaneFn {
  return compile(`(x, y, z) => ${fit === identity ? formula : `fit(${formula})`}`, fit) as LaneFn;
}

function compileLoop({ formula, fit }: LaneMeaning, arity: number): LaneLoop {
  const operands = ["x", "y", "z"].slice(0, arity).map((v) => `const ${v} = ${v}s[i];`);
  const result = fit === identity ? formula : `fit(${formula})`;
  const text = `(xs, ys, zs) => {
    const n = xs.length;
    const out = newLanes(n);
    for (let i = 0; i < n; i++) { ${operands.join(" ")} out[i] = ${result}; }
    return out;
  }`;
  return compile(text, fit) as LaneLoop;
}

/** A table of functions made at first use: by op, type, and the attributes that are not absent or false. */
function memo<O extends string, T extends string, F>(
  make: (op: O, type: T, attrs: Attrs) => F,
): (op: O, type: T, attrs?: Attrs) => F {
  const table = new Map<string, Map<string, Map<string, F>>>();
  return (op, type, attrs = NO_ATTRS) => {
    let chosen = "";
    for (const key in attrs) {
      const value = attrs[key];
      if (value !== undefined && value !== false) chosen += value === true ? `${key} ` : `${key} ${value} `;
    }
    let byType = table.get(op);
    if (byType === undefined) table.set(op, (byType = new Map()));
    let byAttrs = byType.get(type);
    if (byAttrs === undefined) byType.set(type, (byAttrs = new Map()));
    let f = byAttrs.get(chosen);
    if (f === undefined) byAttrs.set(chosen, (f = make(op, type, attrs)));
    return f;
  };
}

/**
 * The function of one lane of `op` on operands of dtype `d` ("bool": mask lanes). `attrs` are the op's attributes: `saturate`,
 * `out` (result dtype of the other sign), `round`. Memoised. Example: `laneFn("add", "i8", { saturate: true })(100, 100, 0)` is 127.
 */
export const laneFn: (op: AluOp, d: DTypeName, attrs?: Attrs) => LaneFn = memo(
  (op: AluOp, d: DTypeName, attrs) => compileLane(laneMeaning(op, d, attrs)),
);

/** {@link laneFn} over whole vectors. Memoised; keep the result where it is called often. */
export const laneLoop: (op: AluOp, d: DTypeName, attrs?: Attrs) => LaneLoop = memo(
  (op: AluOp, d: DTypeName, attrs) => compileLoop(laneMeaning(op, d, attrs), OPS[op].arity as number),
);

/** Results that are not of the operands' type: nothing is done to them. */
const OWN_RESULT: ReadonlySet<OpName> = new Set([
  "eq",
  "ne",
  "lt",
  "le",
  "gt",
  "ge",
  "truthy",
  "to_int32",
  "to_uint32",
]);

/**
 * The function of a scalar op on operands of one scalar type: JavaScript's meaning, bools as 0 and 1. On f32 the result is rounded
 * to f32; an i32 or i64 is never -0. Division by zero in `ceildiv` and `floordiv` gives NaN: the caller reports it. Memoised.
 *
 * `select(c, a, b)` goes by the type of a and b. `convert` and `cast_scalar` go by their attributes.
 */
export const scalarFn: (op: OpName, type: ScalarType, attrs?: Attrs) => ScalarFn = memo(
  (op: OpName, type: ScalarType, attrs) => {
    const { dtype, wrap, to } = attrs;
    if (op === "convert") return convertRule(dtype as DTypeName, wrap === true) as ScalarFn;
    // An integer has no -0: lowering narrows where nobody can see the sign of zero.
    if (op === "cast_scalar" && (to === "i32" || to === "i64")) return ((x: number) => x + 0) as ScalarFn;
    if (op === "cast_scalar") return (to === "bool" ? storeRule("bool") : identity) as ScalarFn;
    const row: Meaning | undefined =
      op in ALU ? ALU[op as AluOp] : SCALAR_ONLY[op as keyof typeof SCALAR_ONLY];
    const formula = type === "bool" ? row?.mask : row?.scalar;
    if (formula === undefined) throw new TypeError(`${op} is not defined for ${type} scalars`);
    const fit =
      OWN_RESULT.has(op) || type === "bool" || type === "f64"
        ? identity
        : type === "f32"
          ? Math.fround
          : withoutMinusZero;
    return compileLane({ formula, fit }) as ScalarFn;
  },
);
const withoutMinusZero: NumberRule = (x) => x + 0;

// ---------------------------------------------------------------------------------------------- reductions

export type ReduceOp = "radd" | "rmin" | "rmax";

/** What an inactive lane counts as in a reduction, and the result when no lane is active. */
export function identityOf(op: ReduceOp, d: DTypeName): number {
  if (op === "radd") return 0;
  if (isFloat(d)) return op === "rmin" ? Infinity : -Infinity;
  return op === "rmin" ? DTYPES[d].max : DTYPES[d].min;
}

/**
 * Combines lanes by halves: lane i with lane i + n/2, n halving until one is left; the last lane of an odd round is carried into the
 * next. f16 and bf16 are summed in f32 and rounded once.
 *
 *     7 lanes  a b c d e f g  ->  a+d b+e c+f g  ->  (a+d)+(c+f) (b+e)+g  ->  one
 */
export function reduce(op: ReduceOp, d: DTypeName, data: readonly number[]): number {
  if (data.length === 0) return identityOf(op, d);
  const sum = op === "radd";
  const combine = laneFn(sum ? "add" : op === "rmin" ? "min" : "max", sum && isFloat(d) ? "f32" : d);
  const lanes = data.slice();
  for (let n = lanes.length; n > 1; ) {
    const half = n >> 1;
    for (let i = 0; i < half; i++) lanes[i] = combine(lanes[i] as number, lanes[i + half] as number, 0);
    if (n % 2 === 1) lanes[half] = lanes[n - 1] as number;
    n -= half;
  }
  const result = lanes[0] as number;
  return sum && isFloat(d) ? roundTo(d)(result) : result;
}

/**
 * Lowest index of the smallest (`rmin_idx`) or largest lane among the active ones, -1 when none is active. As minimumNumber and
 * maximumNumber order them: -0 is less than 0, and a NaN loses to every number.
 */
export function reduceIndex(
  op: "rmin_idx" | "rmax_idx",
  _d: DTypeName,
  data: readonly number[],
  mask: readonly number[],
): number {
  let best = -1;
  for (let i = 0; i < data.length; i++) {
    if (!mask[i]) continue;
    if (best < 0 || beats(op, data[i] as number, data[best] as number)) best = i;
  }
  return best;
}
function beats(op: "rmin_idx" | "rmax_idx", x: number, y: number): boolean {
  if (Number.isNaN(x) || Number.isNaN(y)) return !Number.isNaN(x);
  const [low, high] = op === "rmin_idx" ? [x, y] : [y, x];
  return low < high || (low === 0 && high === 0 && 1 / low < 1 / high);
}
