/** Ops on numbers that move with loops. What an op does with plain numbers is the ALU table's; here is what stays affine. */
import type { Apply, Type } from "../../ir/kir.ts";
import type { OpName } from "../../ir/ops.ts";
import {
  type Affine,
  add,
  alone,
  baseOf,
  bounds,
  type Demand,
  floorDivide,
  isConstant,
  isDemand,
  isNegative,
  isZero,
  modulo,
  multiply,
  scale,
  settled,
  subtract,
} from "./affine.ts";
import { pending, type Value } from "./value.ts";

/** The value of an op where at least one of its numbers is not the same in all rounds. */
export type MovingRule = (a: Affine, b: Affine) => Value;

export function movingRule(e: Apply): MovingRule {
  const rule = RULES[e.op];
  const [type] = e.args.map((x) => x.type);
  if (rule === undefined || e.args.length > 2 || type?.kind !== "scalar") return singly;
  if (type.name === "i32" || type.name === "i64") return (a, b) => answered(rule, a, b, e);
  if (type.name !== "f64") return singly;
  const { op, args } = e;
  // Integers that a float64 holds are exact in it, too; a product with 0 may be -0.
  const exactly: Rule = (a, b) => {
    if (!isExact(a) || (args.length > 1 && !isExact(b))) return undefined;
    if (op === "mul" && (isZeroAlways(a) || isZeroAlways(b))) return undefined;
    const answer = rule(a, b, e);
    return typeof answer === "boolean" || answer === undefined || isDemand(answer) || isExact(answer)
      ? answer
      : undefined;
  };
  return (a, b) => answered(exactly, a, b, e);
}

/** Only single rounds can tell. */
const singly: MovingRule = (a, b) => pending(alone(isConstant(a) ? b : a));

function answered(rule: Rule, a: Affine, b: Affine, e: Apply): Value {
  let answer = rule(a, b, e);
  // Most are answered at once, without a function to ask again.
  if (answer !== undefined && isDemand(answer)) answer = settled(() => rule(a, b, e));
  if (answer === undefined) return singly(a, b);
  if (typeof answer === "boolean") return Number(answer);
  return isDemand(answer) ? pending(answer) : answer;
}

type Answer = Affine | boolean | Demand;

/** What an op makes of integers of which one moves; undefined where only single rounds can tell. */
type Rule = (a: Affine, b: Affine, e: Apply) => Answer | undefined;

function isExact(a: Affine): boolean {
  const { low, high } = bounds(a);
  if (!(low > -(2 ** 53) && high < 2 ** 53 && Number.isInteger(baseOf(a)))) return false;
  return typeof a === "number" || a.terms.every(({ step }) => Number.isInteger(step));
}
const isZeroAlways = (a: Affine): boolean => isConstant(a) && baseOf(a) === 0;

const asItIs: Rule = (a) => a;
const RULES: { readonly [K in OpName]?: Rule } = {
  floor: asItIs,
  ceil: asItIs,
  trunc: asItIs,
  add: (a, b) => add(a, b),
  sub: (a, b) => subtract(a, b),
  mul: (a, b) => multiply(a, b),
  neg: (a) => scale(a, -1),
  lt: (a, b) => isNegative(subtract(a, b)),
  ge: (a, b) => opposite(isNegative(subtract(a, b))),
  gt: (a, b) => isNegative(subtract(b, a)),
  le: (a, b) => opposite(isNegative(subtract(b, a))),
  eq: (a, b) => isZero(subtract(a, b)),
  ne: (a, b) => opposite(isZero(subtract(a, b))),
  truthy: (a) => opposite(isZero(a)),
  min: (a, b) => smaller(a, b, a, b),
  max: (a, b) => smaller(b, a, a, b),
  floordiv: (a, b) => (isPositive(b) ? floorDivide(a, baseOf(b)) : undefined),
  ceildiv: (a, b) => (isPositive(b) ? negated(floorDivide(scale(a, -1), baseOf(b))) : undefined),
  // The remainder of a dividend that is not negative is that of floor division.
  mod: (a, b) => (isPositive(b) ? within(a, 0, Infinity, () => modulo(a, baseOf(b))) : undefined),
  and: (a, b) => {
    const isMask = isConstant(b) && baseOf(b) >= 0 && Number.isInteger(Math.log2(baseOf(b) + 1));
    return isMask ? within(a, 0, Infinity, () => modulo(a, baseOf(b) + 1)) : undefined;
  },
  js_shl: (a, b) => (isConstant(b) ? asInt32(scale(a, 2 ** (baseOf(b) & 31))) : undefined),
  js_shr: (a, b) => (isConstant(b) ? floorDivide(a, 2 ** (baseOf(b) & 31)) : undefined),
  to_int32: (a) => asInt32(a),
  cast_scalar: (a, _, e) => castTo(e.type, a),
};

const isPositive = (a: Affine): boolean => isConstant(a) && baseOf(a) > 0;
const opposite = (x: boolean | Demand): boolean | Demand => (isDemand(x) ? x : !x);
const negated = (x: Affine | Demand): Affine | Demand => (isDemand(x) ? x : scale(x, -1));

/** x where low <= high, and y where high <= low: of equal ones both are right, so that rounds in which they are demand nothing. */
function smaller(low: Affine, high: Affine, x: Affine, y: Affine): Affine | Demand {
  const above = isNegative(subtract(high, low));
  if (!isDemand(above)) return above ? y : x;
  const below = isNegative(subtract(low, high));
  return isDemand(below) ? above : below ? x : y;
}

/** What holds for values in `low <= a < end`; undefined for those outside of it. */
function within(
  a: Affine,
  low: number,
  end: number,
  then: () => Affine | Demand,
): Affine | Demand | undefined {
  const below = isNegative(subtract(a, low));
  if (isDemand(below)) return below;
  const inside = end === Infinity || isNegative(subtract(a, end));
  if (typeof inside !== "boolean") return inside;
  return below || !inside ? undefined : then();
}
const asInt32 = (a: Affine): Affine | Demand | undefined => within(a, -(2 ** 31), 2 ** 31, () => a);

/** The same integers in another type, where that holds each of them as it is. */
function castTo(t: Type, a: Affine): Affine | Demand | undefined {
  if (t.kind !== "scalar") return undefined;
  switch (t.name) {
    case "i32":
      return asInt32(a);
    case "i64":
    case "f64": {
      const { low, high } = bounds(a);
      // What is proven to fit fits in loops whose end is not known yet, too.
      return t.name === "i64" || (low > -(2 ** 53) && high < 2 ** 53) ? a : undefined;
    }
    default:
      return undefined;
  }
}
