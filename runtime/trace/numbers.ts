/** Ops on numbers that move with loops. What an op does with plain numbers is the ALU table's; here is what stays affine. */
import type { Apply, Type } from "../../ir/kir.ts";
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

/** The value of an op of numbers of which at least one is not the same in all rounds. */
export function movingOp(e: Apply, numbers: readonly Affine[]): Value {
  const answer = settled(() => answerOf(e, numbers));
  if (answer === undefined) return pending(alone(numbers.find((n) => !isConstant(n)) as Affine));
  if (typeof answer === "boolean") return Number(answer);
  return isDemand(answer) ? pending(answer) : answer;
}

type Answer = Affine | boolean | Demand;

/** An op of which an operand moves; undefined where only single rounds can tell. */
function answerOf(e: Apply, numbers: readonly Affine[]): Answer | undefined {
  const [type] = e.args.map((x) => x.type);
  if (type?.kind !== "scalar") return undefined;
  if (type.name === "i32" || type.name === "i64") return affineOp(e, numbers);
  // Integers that a float64 holds are exact in it, too; a product with 0 may be -0.
  if (type.name !== "f64" || !numbers.every(isExact)) return undefined;
  if (e.op === "mul" && numbers.some((n) => isConstant(n) && baseOf(n) === 0)) return undefined;
  const answer = affineOp(e, numbers);
  return typeof answer === "boolean" || answer === undefined || isDemand(answer) || isExact(answer)
    ? answer
    : undefined;
}

function isExact(a: Affine): boolean {
  const { low, high } = bounds(a);
  if (!(low > -(2 ** 53) && high < 2 ** 53 && Number.isInteger(baseOf(a)))) return false;
  return typeof a === "number" || a.terms.every(({ step }) => Number.isInteger(step));
}

/** An op of integers. */
function affineOp(e: Apply, numbers: readonly Affine[]): Answer | undefined {
  const [a, b] = numbers as readonly [Affine, Affine];
  switch (e.op) {
    case "floor":
    case "ceil":
    case "trunc":
      return a;
    case "add":
      return add(a, b);
    case "sub":
      return subtract(a, b);
    case "mul":
      return multiply(a, b);
    case "neg":
      return scale(a, -1);
    case "lt":
      return isNegative(subtract(a, b));
    case "ge":
      return opposite(isNegative(subtract(a, b)));
    case "gt":
      return isNegative(subtract(b, a));
    case "le":
      return opposite(isNegative(subtract(b, a)));
    case "eq":
      return isZero(subtract(a, b));
    case "ne":
      return opposite(isZero(subtract(a, b)));
    case "truthy":
      return opposite(isZero(a));
    case "min":
      return where(isNegative(subtract(a, b)), a, b);
    case "max":
      return where(isNegative(subtract(a, b)), b, a);
    case "floordiv":
      return isPositive(b) ? floorDivide(a, baseOf(b)) : undefined;
    case "ceildiv":
      return isPositive(b) ? negated(floorDivide(scale(a, -1), baseOf(b))) : undefined;
    case "mod":
      // The remainder of a dividend that is not negative is that of floor division.
      return isPositive(b) ? within(a, 0, Infinity, () => modulo(a, baseOf(b))) : undefined;
    case "and": {
      const isMask = isConstant(b) && baseOf(b) >= 0 && Number.isInteger(Math.log2(baseOf(b) + 1));
      return isMask ? within(a, 0, Infinity, () => modulo(a, baseOf(b) + 1)) : undefined;
    }
    case "js_shl":
      return isConstant(b) ? asInt32(scale(a, 2 ** (baseOf(b) & 31))) : undefined;
    case "js_shr":
      return isConstant(b) ? floorDivide(a, 2 ** (baseOf(b) & 31)) : undefined;
    case "to_int32":
      return asInt32(a);
    case "cast_scalar":
      return castTo(e.type, a);
    default:
      return undefined;
  }
}

const isPositive = (a: Affine): boolean => isConstant(a) && baseOf(a) > 0;
const opposite = (x: boolean | Demand): boolean | Demand => (isDemand(x) ? x : !x);
const negated = (x: Affine | Demand): Affine | Demand => (isDemand(x) ? x : scale(x, -1));
const where = (cond: boolean | Demand, yes: Affine, no: Affine): Affine | Demand =>
  isDemand(cond) ? cond : cond ? yes : no;

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
