/**
 * The rules about arguments, written once for both executions: kinds and dtypes, equal lanes, scalars that broadcast
 * and must fit, masks in all their forms, options. Each function checks an argument and gives it as a value of ops.
 */
import { parseMaskString } from "../ir/alu.ts";
import { DType } from "./dtypes.ts";
import { fits, misfit } from "./fit.ts";
import { type DTypeName, hasFloats, isAddressed, isInt, isStorage } from "./ir.ts";
import { isExpr, isView, type Shape, shapeOf, shapeText, textOf, type Value } from "./operand.ts";
import { isFull, type Ops } from "./ops.ts";
import { Mask } from "./values.ts";

/** No vector may have more lanes; a bound for mistakes, far above what registers can hold. */
export const MAX_LANES = 4096;

/** Lanes of one dtype; `bool` means mask lanes. */
export interface LaneShape {
  readonly dtype: DTypeName;
  readonly lanes: number;
}

function laneText(s: LaneShape): string {
  return s.dtype === "bool" ? `mask<${s.lanes}>` : `${s.dtype}x${s.lanes}`;
}

/** Refuses a missing argument, so that later messages can speak about kinds. */
export function present(ops: Ops, v: unknown, what: string, argument: number): void {
  if (v === undefined) ops.refuse("KPU3009", `${ops.name}: argument ${what} is missing`, { argument });
}

/** The dtype of a vector argument, which must be one of `allowed`. */
export function vector(
  ops: Ops,
  v: unknown,
  what: string,
  argument: number,
  allowed?: readonly DTypeName[],
): LaneShape {
  present(ops, v, what, argument);
  const s = shapeOf(v);
  if (s.is !== "vec")
    return ops.refuse("KPU3001", `${ops.name}: ${what} must be a vector, got ${shapeText(s)}`, { argument });
  if (allowed !== undefined && !allowed.includes(s.dtype)) {
    return ops.refuse("KPU3001", `${ops.name} is not defined for ${s.dtype}`, {
      argument,
      help: undefinedHelp(s.dtype, allowed),
    });
  }
  return s;
}

/** What to write where an intrinsic does not take vectors of `d`. */
export function undefinedHelp(d: DTypeName, allowed: readonly DTypeName[]): string {
  return isStorage(d)
    ? `${d} is for storage: cast first, as in S.cast(x, ${hasFloats(d) ? "f32" : "i32"})`
    : `use one of ${allowed.join(", ")}; S.cast converts`;
}

export function mustFit(ops: Ops, value: number, dtype: DTypeName, what: string, argument: number): void {
  if (fits(value, dtype)) return;
  const { message, help } = misfit(ops.name, what, value, dtype);
  ops.refuse("KPU3003", message, { argument, help });
}

/** A vector (or mask) of exactly this shape, or a scalar that broadcasts to it. */
export function lanesLike(ops: Ops, v: unknown, like: LaneShape, what: string, argument: number): Value {
  present(ops, v, what, argument);
  const s = shapeOf(v);
  if (s.is === "vec" || s.is === "mask") {
    const dtype = s.is === "mask" ? "bool" : s.dtype;
    if (dtype !== like.dtype) {
      return ops.refuse("KPU3001", `${ops.name}: ${what} is ${shapeText(s)}, expected ${laneText(like)}`, {
        argument,
        ...(s.is === "vec" && like.dtype !== "bool"
          ? { help: `convert it: S.cast(${what}, ${like.dtype})` }
          : {}),
      });
    }
    if (s.lanes !== like.lanes) {
      return ops.refuse("KPU3002", `${ops.name}: ${what} has ${s.lanes} lanes, expected ${like.lanes}`, {
        argument,
      });
    }
    return v as Value;
  }
  if (s.is === "bool" && like.dtype === "bool") {
    return ops.op("splat", [v as Value], { dtype: "bool", lanes: like.lanes });
  }
  if (s.is === "number" && like.dtype !== "bool") {
    if (s.value !== undefined) mustFit(ops, s.value, like.dtype, what, argument);
    return ops.op("splat", [v as Value], { dtype: like.dtype, lanes: like.lanes });
  }
  const scalar = like.dtype === "bool" ? "boolean" : "number";
  return ops.refuse(
    "KPU3001",
    `${ops.name}: ${what} must be ${laneText(like)} or a ${scalar}, got ${shapeText(s)}`,
    {
      argument,
    },
  );
}

/** A number argument, with its value when it is known now. */
export function number(ops: Ops, v: unknown, what: string, argument: number): number | undefined {
  present(ops, v, what, argument);
  const s = shapeOf(v);
  if (s.is === "number") return s.value;
  return ops.refuse("KPU3001", `${ops.name}: ${what} must be a number, got ${shapeText(s)}`, { argument });
}

/** A number that is an integer, at least `least` when given. What is not known now, lowering proves or memory checks. */
export function integer(ops: Ops, v: unknown, what: string, argument: number, least?: number): void {
  const value = number(ops, v, what, argument);
  if (value === undefined) return;
  if (!Number.isSafeInteger(value)) {
    ops.refuse("KPU3005", `${ops.name}: ${what} must be an integer, got ${value}`, {
      argument,
      help: "round it: Math.trunc(x), S.floordiv(a, b), ...",
    });
  }
  if (least !== undefined && value < least) {
    ops.refuse("KPU4007", `${ops.name}: ${what} must be at least ${least}, got ${value}`, { argument });
  }
}

/** A lane count: a positive integer known at compile time. */
export function laneCount(ops: Ops, v: unknown, argument: number): number {
  if (isExpr(v)) {
    return ops.refuse("KPU2007", `${ops.name}: lanes must be static`, {
      argument,
      help: "use a number of the closure or a literal; a runtime length is a mask: S.tailMask(n, lanes)",
    });
  }
  if (typeof v === "number" && Number.isInteger(v) && v >= 1 && v <= MAX_LANES) return v;
  return ops.refuse(
    "KPU3010",
    `${ops.name}: lanes must be an integer from 1 to ${MAX_LANES}, got ${textOf(v)}`,
    { argument },
  );
}

/** A dtype given as an author gives it: `f32`. */
export function dtype(
  ops: Ops,
  v: unknown,
  what: string,
  argument: number,
  allowed: readonly DTypeName[],
): DTypeName {
  present(ops, v, what, argument);
  if (!(v instanceof DType)) {
    return ops.refuse("KPU3001", `${ops.name}: ${what} must be a dtype, got ${textOf(v)}`, {
      argument,
      help: 'import it: import { f32 } from "kpu-dsl"',
    });
  }
  if (allowed.includes(v.name)) return v.name;
  return ops.refuse("KPU3001", `${ops.name} is not defined for ${v.name}`, {
    argument,
    help: `use one of ${allowed.join(", ")}`,
  });
}

/** A pointer argument whose elements are reached. `write` refuses a const pointer. */
export function pointer(ops: Ops, v: unknown, what: string, argument: number, write = false): DTypeName {
  const { dtype, scope } = pointed(ops, v, what, argument, write);
  if (isAddressed(scope)) return dtype;
  return ops.refuse("KPU4014", `${ops.name}: ${what} points into ${scope}, whose elements nothing reaches`, {
    argument,
    help: FABRIC_HELP[scope as keyof typeof FABRIC_HELP],
  });
}
const FABRIC_HELP = {
  l1: "S.streamRows and S.streamCols write to l1, and S.mma takes whole blocks from there",
  acc: "S.preload and S.mma write to acc, and S.drain brings what is there to l2",
} as const;

/** What a pointer argument points to, anywhere; only its address is used. `write` refuses a const pointer. */
export function pointed(
  ops: Ops,
  v: unknown,
  what: string,
  argument: number,
  write = false,
): Extract<Shape, { is: "ptr" }> {
  present(ops, v, what, argument);
  const s = shapeOf(v);
  if (s.is !== "ptr")
    return ops.refuse("KPU3001", `${ops.name}: ${what} must be a pointer, got ${shapeText(s)}`, { argument });
  if (write && s.constant) {
    return ops.refuse("KPU3012", `${ops.name}: ${what} is a const pointer`, {
      argument,
      help: "declare the parameter as ptr(dtype) without { const: true }",
    });
  }
  return s;
}

/** The pointer itself: lowering keeps the shape of a buffer beside it. */
export function address(v: unknown): Value {
  return isView(v) ? v.ptr : (v as Value);
}

const MASK_HELP = 'use a mask, an array of booleans or a mask string such as "3T5F"';

/** A mask in any of its forms. Its lane count must be `lanes` unless that is undefined. */
export function maskOf(
  ops: Ops,
  v: unknown,
  lanes: number | undefined,
  argument: number,
  what = "mask",
): Value {
  const m = maskValue(ops, v, argument, what);
  const s = shapeOf(m);
  const have = s.is === "mask" ? s.lanes : 0;
  if (lanes !== undefined && have !== lanes) {
    return ops.refuse("KPU3002", `${ops.name}: ${what} has ${have} lanes, expected ${lanes}`, { argument });
  }
  return m;
}

/** Mask strings stand in loops: each is read once. */
const MASK_STRINGS = new Map<string, Mask>();

function maskValue(ops: Ops, v: unknown, argument: number, what: string): Value {
  if (typeof v === "string") {
    const known = MASK_STRINGS.get(v);
    if (known !== undefined) return known;
    const parsed = parseMaskString(v);
    if (typeof parsed === "string") {
      return ops.refuse("KPU3008", `${ops.name}: ${what} "${v}": ${parsed}`, { argument, help: MASK_HELP });
    }
    laneCount(ops, parsed.length, argument);
    const mask = new Mask(parsed);
    if (MASK_STRINGS.size < 1024) MASK_STRINGS.set(v, mask);
    return mask;
  }
  if (Array.isArray(v)) {
    if (v.some((b) => isExpr(b))) {
      return ops.refuse("KPU2007", `${ops.name}: an array used as ${what} must hold static booleans`, {
        argument,
        help: MASK_HELP,
      });
    }
    if (!v.every((b) => typeof b === "boolean")) {
      return ops.refuse("KPU3001", `${ops.name}: ${what} must hold booleans`, { argument, help: MASK_HELP });
    }
    laneCount(ops, v.length, argument);
    return new Mask(v.map((b) => (b ? 1 : 0)));
  }
  const s = shapeOf(v);
  if (s.is === "mask") return v as Value;
  return ops.refuse("KPU3001", `${ops.name}: ${what} must be a mask, got ${shapeText(s)}`, {
    argument,
    help: MASK_HELP,
  });
}

/** True for a mask known now to have every lane active. */
export function knownFull(m: Value): boolean {
  return m instanceof Mask && isFull(m);
}

export type Options = Readonly<Record<string, unknown>>;
const NO_OPTIONS: Options = {};

/** An option object whose keys are all known; `undefined` values count as absent. */
export function options(ops: Ops, v: unknown, known: readonly string[], argument: number): Options {
  if (v === undefined) return NO_OPTIONS;
  const help = known.length > 0 ? `options are { ${known.join(", ")} }` : `${ops.name} takes no options`;
  if (
    typeof v !== "object" ||
    v === null ||
    Array.isArray(v) ||
    shapeOf(v).is !== "other" ||
    v instanceof DType
  ) {
    return ops.refuse("KPU3004", `${ops.name}: options must be an object, got ${textOf(v)}`, {
      argument,
      help,
    });
  }
  for (const key in v) {
    if (!known.includes(key))
      ops.refuse("KPU3004", `${ops.name}: unknown option "${key}"`, { argument, help });
  }
  return v as Options;
}

/** A boolean option; it must be static. */
export function flag(ops: Ops, o: Options, key: string, argument: number): boolean {
  const v = o[key];
  if (v === undefined) return false;
  if (typeof v === "boolean") return v;
  if (isExpr(v)) return ops.refuse("KPU2007", `${ops.name}: option ${key} must be static`, { argument });
  return ops.refuse("KPU3004", `${ops.name}: option ${key} must be true or false, got ${textOf(v)}`, {
    argument,
  });
}

/** Result lanes under `mask` and `r`: inactive lanes are r, else 0 or false. */
export function underMask(ops: Ops, o: Options, result: Value, like: LaneShape, argument: number): Value {
  if (o["mask"] === undefined) {
    noMask(ops, o, argument);
    return result;
  }
  const m = maskOf(ops, o["mask"], like.lanes, argument);
  const r = inactive(ops, o, like, argument);
  return knownFull(m) ? result : ops.op("sel", [m, result, r]);
}

/** What inactive lanes hold: option `r`, else 0 or false. */
export function inactive(ops: Ops, o: Options, like: LaneShape, argument: number): Value {
  const zero = like.dtype === "bool" ? false : 0;
  return lanesLike(ops, o["r"] === undefined ? zero : o["r"], like, "r", argument);
}

export function noMask(ops: Ops, o: Options, argument: number): void {
  if (o["r"] !== undefined) {
    ops.refuse("KPU3004", `${ops.name}: option r has no effect without mask`, {
      argument,
      help: "give { mask, r } or neither",
    });
  }
}

/** `saturate` and `outSign`, which only integer dtypes have. */
export function integerOnly(ops: Ops, o: Options, key: string, dtypeName: DTypeName, argument: number): void {
  if (o[key] !== undefined && o[key] !== false && !isInt(dtypeName)) {
    ops.refuse("KPU3011", `${ops.name}: ${dtypeName} has no ${key}`, {
      argument,
      help: `leave ${key} away: floats round, they do not wrap`,
    });
  }
}

/** The mask of options that have nothing else and a ready mask: the form that loops use. */
export function soleMask(o: unknown): Mask | undefined {
  if (typeof o !== "object" || o === null) return undefined;
  for (const key in o) if (key !== "mask") return undefined;
  const m = (o as { mask?: unknown }).mask;
  return m instanceof Mask ? m : undefined;
}
