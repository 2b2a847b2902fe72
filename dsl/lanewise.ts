/**
 * Intrinsics that work lane by lane: one declaration gives both executions. Direct execution has a fast path (equal
 * vectors, no options) that calls the ALU table's loop at once; everything else goes through `applyLanewise`, whose
 * text is the same for both executions.
 */
import { oppositeSign } from "../ir/dtype.ts";
import {
  flag,
  integerOnly,
  type LaneShape,
  lanesLike,
  mustFit,
  type Options,
  options,
  present,
  undefinedHelp,
  underMask,
} from "./arguments.ts";
import type { LowerContext } from "./context.ts";
import { directForm } from "./direct.ts";
import { fits } from "./fit.ts";
import { type Family, intrinsic, type OperandSpec } from "./intrinsic.ts";
import { type AluOp, type Attrs, type CostClass, DTYPES, type DTypeName, isInt } from "./ir.ts";
import { shapeOf, shapeText, type Value } from "./operand.ts";
import { DirectOps, LoweredOps, type Ops } from "./ops.ts";

export interface LanewiseSpec {
  readonly name: string;
  readonly family: Family;
  readonly op: AluOp;
  /** Operand names in order; the arity. */
  readonly operands: readonly string[];
  readonly dtypes: readonly DTypeName[];
  /** Options beyond `mask` and `r`. */
  readonly options?: readonly OptionName[];
  /** What the op gives: lanes of x's dtype, or a mask. */
  readonly result?: "lanes" | "mask";
  /** On scalars, the f32 function. */
  readonly scalar?: boolean;
  readonly cost: CostClass;
  readonly doc: string;
  readonly example: string;
}

export type OptionName = "saturate" | "outSign" | "withRound";

const OPTION_SPECS: { readonly [K in OptionName | "mask" | "r"]: OperandSpec } = {
  mask: { name: "mask", kind: "mask", optional: true, doc: "active lanes" },
  r: {
    name: "r",
    kind: "vec|scalar",
    dtype: "result",
    optional: true,
    doc: "inactive lanes; 0 or false when absent",
  },
  saturate: {
    name: "saturate",
    kind: "static",
    values: [true],
    optional: true,
    doc: "integers: clamp the exact result",
  },
  outSign: {
    name: "outSign",
    kind: "static",
    values: ["signed", "unsigned"],
    optional: true,
    doc: 'integers: "signed" or "unsigned" result',
  },
  withRound: {
    name: "withRound",
    kind: "static",
    values: [true],
    optional: true,
    doc: "round half to even",
  },
};

/** Declares a lanewise intrinsic. `F` is its precise TypeScript type. */
export function lanewise<F extends (...args: never[]) => unknown>(spec: LanewiseSpec): F {
  const known = ["mask", "r", ...(spec.options ?? [])];
  const arity = spec.operands.length;
  const generic = (ops: Ops, args: readonly unknown[], o: unknown): Value =>
    applyLanewise(ops, spec, known, args, o);
  return intrinsic<F>({
    name: spec.name,
    family: spec.family,
    signature: {
      operands: spec.operands.map((name) => ({ name, kind: "vec|scalar", dtype: spec.dtypes })),
      options: known.map((k) => OPTION_SPECS[k as OptionName]),
      result: spec.result === "mask" ? "mask of x lanes" : "vec of x",
    },
    effect: "pure",
    cost: spec.cost,
    doc: spec.doc,
    example: spec.example,
    alu: spec.op,
    simulate: directForm(spec, (sim, args, o) => generic(new DirectOps(sim, spec.name), args, o)),
    lower: (b: LowerContext, ...args: unknown[]) =>
      generic(new LoweredOps(b, spec.name), args.slice(0, arity), args[arity]),
  });
}

/** The lanes that the operands have in common: those of the first vector (or mask) among them. */
export function commonLanes(
  ops: Ops,
  names: readonly string[],
  dtypes: readonly DTypeName[],
  args: readonly unknown[],
): LaneShape {
  for (const [i, a] of args.entries()) {
    present(ops, a, names[i] ?? "", i);
    const s = shapeOf(a);
    if (s.is !== "vec" && s.is !== "mask") continue;
    const dtype = s.is === "mask" ? "bool" : s.dtype;
    if (dtypes.includes(dtype)) return { dtype, lanes: s.lanes };
    return ops.refuse("KPU3001", `${ops.name} is not defined for ${dtype === "bool" ? "masks" : dtype}`, {
      argument: i,
      help: dtype === "bool" ? "S.vsel chooses by a mask" : undefinedHelp(dtype, dtypes),
    });
  }
  const came = args.map((a) => shapeText(shapeOf(a))).join(", ");
  return ops.refuse("KPU3001", `${ops.name} needs a vector, got ${came}`, {
    argument: 0,
    help: "for numbers use JavaScript's operators and Math, or broadcast one: S.vbcast(x, dtype)",
  });
}

function applyLanewise(
  ops: Ops,
  spec: LanewiseSpec,
  known: readonly string[],
  args: readonly unknown[],
  given: unknown,
): Value {
  const at = spec.operands.length;
  if (spec.scalar && args.every((a) => shapeOf(a).is === "number")) {
    options(ops, given, [], at);
    const numbers = args.map((a) => ops.f32(a as Value));
    // Rounded again: an op on scalars is JavaScript's, and an operand that is an integer may be held as one.
    return ops.f32(ops.op(spec.op, numbers));
  }
  const like = commonLanes(ops, spec.operands, spec.dtypes, args);
  const o = options(ops, given, known, at);
  const { attrs, out } = attributes(ops, o, like, at);
  if (out !== undefined) {
    const wide = oppositeLiteral(ops, spec, like, args, attrs, out);
    if (wide !== undefined) return underMask(ops, o, wide, { dtype: out, lanes: like.lanes }, at);
  }
  const values = args.map((a, i) => lanesLike(ops, a, like, spec.operands[i] ?? "", i));
  const result = negSaturates(ops, spec, like, values, attrs) ?? ops.op(spec.op, values, attrs);
  const dtype = spec.result === "mask" ? "bool" : (out ?? like.dtype);
  return underMask(ops, o, result, { dtype, lanes: like.lanes }, at);
}

/** Options as attributes of the op; `out` only where outSign was given. */
function attributes(
  ops: Ops,
  o: Options,
  like: LaneShape,
  at: number,
): { attrs: Attrs; out: DTypeName | undefined } {
  integerOnly(ops, o, "saturate", like.dtype, at);
  integerOnly(ops, o, "outSign", like.dtype, at);
  const saturate = flag(ops, o, "saturate", at);
  const round = flag(ops, o, "withRound", at);
  const out = outDType(ops, o["outSign"], like.dtype, at);
  const attrs: Attrs = {
    ...(saturate ? { saturate } : {}),
    ...(round ? { round } : {}),
    ...(out !== undefined && out !== like.dtype ? { out } : {}),
  };
  return { attrs, out };
}

function outDType(ops: Ops, sign: unknown, dtype: DTypeName, at: number): DTypeName | undefined {
  if (sign === undefined || !isInt(dtype)) return undefined;
  if (sign !== "signed" && sign !== "unsigned") {
    return ops.refuse("KPU3004", `${ops.name}: outSign must be "signed" or "unsigned"`, { argument: at });
  }
  return DTYPES[dtype].signed === (sign === "signed") ? dtype : oppositeSign(dtype);
}

/** `-x` with saturation is `0 - x` with saturation: the op `neg` has none. */
function negSaturates(
  ops: Ops,
  spec: LanewiseSpec,
  like: LaneShape,
  values: readonly Value[],
  attrs: Attrs,
): Value | undefined {
  if (spec.op !== "neg" || attrs["saturate"] !== true) return undefined;
  const zero = ops.op("splat", [0], { dtype: like.dtype, lanes: like.lanes });
  return ops.op("sub", [zero, ...values], attrs);
}

/**
 * With `outSign`, a literal may be a value of the opposite sign. Lanes of 8 and 16 bits are computed exactly in i32;
 * 32-bit lanes that wrap take the literal's bits, which gives the same bits as the exact result.
 */
function oppositeLiteral(
  ops: Ops,
  spec: LanewiseSpec,
  like: LaneShape,
  args: readonly unknown[],
  attrs: Attrs,
  out: DTypeName,
): Value | undefined {
  if (!isInt(like.dtype)) return undefined;
  const opposite = oppositeSign(like.dtype);
  const literal = args.map((a) => {
    const s = shapeOf(a);
    return s.is === "number" && s.value !== undefined && !fits(s.value, like.dtype) && fits(s.value, opposite)
      ? s.value
      : undefined;
  });
  const at = literal.findIndex((v) => v !== undefined);
  if (at < 0) return undefined;
  const { bits } = DTYPES[like.dtype];
  const saturate = attrs["saturate"] === true;
  if (bits === 32) {
    if (saturate) mustFit(ops, literal[at] as number, like.dtype, spec.operands[at] ?? "", at);
    const values = args.map((a, i) =>
      lanesLike(ops, sameBits(literal[i]) ?? a, like, spec.operands[i] ?? "", i),
    );
    return ops.op(spec.op, values, attrs);
  }
  const wide = args.map((a, i) => {
    if (literal[i] !== undefined) return ops.op("splat", [literal[i]], { dtype: "i32", lanes: like.lanes });
    return ops.op("cast", [lanesLike(ops, a, like, spec.operands[i] ?? "", i)], { dtype: "i32" });
  });
  return ops.op("cast", [ops.op(spec.op, wide)], { dtype: out, ...(saturate ? { saturate } : {}) });

  function sameBits(v: number | undefined): number | undefined {
    if (v === undefined) return undefined;
    return like.dtype === "i32" ? v | 0 : v >>> 0;
  }
}
