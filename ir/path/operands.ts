/**
 * The six commands of the matrix path and their operands, in order: the one table that the op rules, lowering, both
 * interpreters and the emitter follow. Every command has an event as its last operand, which is not listed.
 *
 *     l3 -> block_move -> l2 -> stream_rows, stream_cols -> l1 -> mma -> acc -> drain -> l2 -> block_move -> l3
 */
import { type DTypeName, isPacked, type Scope, WHOLE_BYTE_DTYPES } from "../dtype.ts";
import type { ActivationName } from "./activations.ts";

/** How a block mover rearranges what it moves. */
export const TRANSFORMS = ["identity", "transpose", "pack", "im2col"] as const;
export type TransformName = (typeof TRANSFORMS)[number];
/** Which dimension of an image comes first: channels, or rows. */
export const LAYOUTS = ["nchw", "nhwc"] as const;
export type LayoutName = (typeof LAYOUTS)[number];
/** Which operand stays in the array. It changes time, never bits. */
export const DATAFLOWS = ["os", "ws", "is"] as const;
export type DataflowName = (typeof DATAFLOWS)[number];
/** What one element of a bias or of a scale belongs to. */
export const AXES = ["column", "row"] as const;
export type AxisName = (typeof AXES)[number];

/** Attributes of each command: what is known when the kernel is built. */
export interface PathAttrs {
  readonly block_move: {
    readonly transform: TransformName;
    readonly layout?: LayoutName;
    readonly quantized?: true;
  };
  readonly stream_rows: { readonly transposed?: true };
  readonly stream_cols: { readonly transposed?: true };
  readonly preload: Readonly<Record<string, never>>;
  readonly mma: { readonly dataflow: DataflowName };
  readonly drain: {
    readonly axis: AxisName;
    readonly activation: ActivationName;
    readonly bias?: true;
    readonly scale?: "number" | "vector";
    /** `quantized` where the residual is of integers, which have a scale and a zero point. */
    readonly residual?: "plain" | "quantized";
    /** Integers out of floats: by the rule of QuantizeLinear. */
    readonly quantized?: true;
  };
}
export type PathOp = keyof PathAttrs;
/** Any attributes; those of an op are checked by ir/attrs.ts. */
type Attrs = Readonly<Record<string, unknown>>;

/** What a pointer operand points to. */
export interface PointerOperand {
  readonly is: "pointer";
  readonly name: string;
  /** `updates`: what was there counts too, unless the operand `clear` is true. */
  readonly access: "reads" | "writes" | "updates";
  readonly scopes: readonly Scope[];
  readonly dtypes: readonly DTypeName[];
}
export interface NumberOperand {
  /** A count is an integer of at least 0, a factor an f32. */
  readonly is: "count" | "integer" | "factor" | "flag";
  readonly name: string;
}
export type PathOperand = PointerOperand | NumberOperand;

const pointer = (
  access: PointerOperand["access"],
  name: string,
  scopes: readonly Scope[],
  dtypes: readonly DTypeName[],
): PointerOperand => ({ is: "pointer", name, access, scopes, dtypes });
const counts = (...names: readonly string[]): NumberOperand[] => names.map((name) => ({ is: "count", name }));
/** Scale and zero point of quantised elements: x = (q - zero point) * scale. */
const affine = (scale: string, zero: string): NumberOperand[] => [
  { is: "factor", name: scale },
  { is: "integer", name: zero },
];

const FLOATS: readonly DTypeName[] = ["f32", "f16", "bf16"];
const BYTES: readonly DTypeName[] = ["i8", "u8"];
/** What the fabric multiplies. */
export const FABRIC_DTYPES: readonly DTypeName[] = [...FLOATS, ...BYTES];
/** What the streamers read: those, and 4-bit integers, which they unpack. */
export const STREAM_DTYPES: readonly DTypeName[] = [...FABRIC_DTYPES, "i4", "u4"];

/** What elements are beside the fabric: the streamers unpack integers of 4 bits. */
export function unpacked(d: DTypeName): DTypeName {
  return d === "i4" ? "i8" : d === "u4" ? "u8" : d;
}
export const ACC_DTYPES: readonly DTypeName[] = ["f32", "i32"];
/** What the drain path writes. */
export const DRAIN_DTYPES: readonly DTypeName[] = [...FLOATS, ...BYTES, "i32"];
const NEAR_FABRIC: readonly Scope[] = ["l2"];
/** Where bias and scales may stand. */
const FACTORS: readonly Scope[] = ["l2", "l3", "global"];

/** The numbers of an im2col window, after `rows` and `dstStride`. */
export const WINDOW = [
  ...["channels", "height", "width", "kernelHeight", "kernelWidth", "strideHeight", "strideWidth"],
  ...["padTop", "padLeft", "padBottom", "padRight", "dilationHeight", "dilationWidth", "first"],
] as const;

const stream = (): readonly PathOperand[] => [
  pointer("writes", "dst", ["l1"], FABRIC_DTYPES),
  pointer("reads", "src", NEAR_FABRIC, STREAM_DTYPES),
  ...counts("extent", "depth", "stride"),
];

const OPERANDS: { readonly [K in PathOp]: (attrs: Attrs) => readonly PathOperand[] } = {
  block_move: (attrs) => [
    pointer("writes", "dst", ["l2", "l3"], WHOLE_BYTE_DTYPES),
    pointer("reads", "src", ["l3", "l2"], WHOLE_BYTE_DTYPES),
    ...moved(attrs),
    ...(attrs["quantized"] === true ? affine("scale", "zeroPoint") : []),
  ],
  stream_rows: stream,
  stream_cols: stream,
  preload: () => [
    pointer("writes", "acc", ["acc"], ACC_DTYPES),
    pointer("reads", "src", NEAR_FABRIC, ACC_DTYPES),
    ...counts("rows", "cols", "stride"),
  ],
  mma: () => [
    pointer("updates", "acc", ["acc"], ACC_DTYPES),
    pointer("reads", "a", ["l1"], FABRIC_DTYPES),
    pointer("reads", "b", ["l1"], FABRIC_DTYPES),
    ...counts("m", "n", "k"),
    { is: "flag", name: "clear" },
  ],
  drain: (attrs) => [
    pointer("writes", "dst", NEAR_FABRIC, DRAIN_DTYPES),
    pointer("reads", "acc", ["acc"], ACC_DTYPES),
    ...counts("rows", "cols", "stride"),
    ...(attrs["bias"] === true ? [pointer("reads", "bias", FACTORS, [...FLOATS, "i32"])] : []),
    ...(attrs["scale"] === "vector" ? [pointer("reads", "scale", FACTORS, ["f32"])] : []),
    ...(attrs["scale"] === "number" ? [{ is: "factor", name: "scale" } as const] : []),
    ...(attrs["residual"] === undefined
      ? []
      : [
          pointer("reads", "residual", NEAR_FABRIC, attrs["residual"] === "plain" ? FLOATS : BYTES),
          ...counts("residualStride"),
        ]),
    ...(attrs["residual"] === "quantized" ? affine("residualScale", "residualZeroPoint") : []),
    ...(attrs["quantized"] === true ? affine("outScale", "outZeroPoint") : []),
  ],
};

function moved(attrs: Attrs): readonly PathOperand[] {
  switch (attrs["transform"] as TransformName) {
    case "identity":
    case "transpose":
      return counts("rows", "cols", "srcStride", "dstStride");
    case "pack":
      return counts("rows", "cols", "srcStride", "panel");
    case "im2col":
      return counts("rows", "dstStride", ...WINDOW);
  }
}

export function isPathOp(op: string): op is PathOp {
  return Object.hasOwn(OPERANDS, op);
}

/** The operands of a command in order, without the event. */
export function pathOperands(op: PathOp, attrs: Attrs): readonly PathOperand[] {
  return OPERANDS[op](attrs);
}

/** Operands in the order of the table, by name. */
export function namedOperands<T>(op: PathOp, attrs: Attrs, operands: readonly T[]): (name: string) => T {
  const table = pathOperands(op, attrs);
  return (name) => {
    const found = operands[table.findIndex((o) => o.name === name)];
    if (found === undefined) throw new TypeError(`${op} has no operand ${name}`);
    return found;
  };
}

/** A pointer operand as far as its type goes. */
interface Pointed {
  readonly dtype: DTypeName;
  readonly scope: Scope;
}

/** What pointers of a command do not fit each other; each by itself is of the table's scopes and dtypes. */
export function pathMismatch(op: PathOp, attrs: Attrs, at: (name: string) => Pointed): string | undefined {
  const dtype = (name: string): DTypeName => at(name).dtype;
  switch (op) {
    case "block_move": {
      const [dst, src] = [at("dst"), at("src")];
      if (dst.scope === src.scope)
        return `moves within ${dst.scope}: one of dst and src is in l2, the other in l3`;
      if (src.scope === "l2" && (attrs["transform"] === "pack" || attrs["transform"] === "im2col"))
        return `${attrs["transform"]} goes from l3 to l2`;
      if (attrs["quantized"] === true)
        return src.dtype === "f32" && BYTES.includes(dst.dtype)
          ? undefined
          : `quantizes f32 to i8 or u8, not ${src.dtype} to ${dst.dtype}`;
      return dst.dtype === src.dtype ? undefined : `moves ${src.dtype} to ${dst.dtype}`;
    }
    case "stream_rows":
    case "stream_cols": {
      const [dst, src] = [dtype("dst"), dtype("src")];
      if (dst === unpacked(src)) return undefined;
      return isPacked(src) ? `unpacks ${src} to ${unpacked(src)}, not to ${dst}` : `streams ${src} to ${dst}`;
    }
    case "preload":
      return dtype("acc") === dtype("src")
        ? undefined
        : `loads ${dtype("src")} into accumulators of ${dtype("acc")}`;
    case "mma": {
      const [acc, a, b] = [dtype("acc"), dtype("a"), dtype("b")];
      if (acc === "i32" && BYTES.includes(a) && BYTES.includes(b)) return undefined;
      if (acc === "f32" && FLOATS.includes(a) && a === b) return undefined;
      return `multiplies ${a} and ${b} into ${acc}: f32 accumulates two of f32, f16 or bf16, i32 any of i8 and u8`;
    }
    case "drain":
      return drainMismatch(attrs, dtype);
  }
}

function drainMismatch(attrs: Attrs, dtype: (name: string) => DTypeName): string | undefined {
  const [dst, acc] = [dtype("dst"), dtype("acc")];
  const bias = attrs["bias"] === true ? dtype("bias") : undefined;
  if (bias === "i32" && acc !== "i32") return "adds a bias of i32 to i32 accumulators only";
  if (dst === "i32") {
    if (acc !== "i32") return "writes i32 from i32 accumulators only";
    const more = ["scale", "residual"].find((key) => attrs[key] !== undefined);
    if (more !== undefined || attrs["activation"] !== "none" || (bias !== undefined && bias !== "i32"))
      return "writes i32 accumulators as they are: only a bias of i32 can be added";
    return undefined;
  }
  if (BYTES.includes(dst) === (attrs["quantized"] === true)) return undefined;
  return attrs["quantized"] === true
    ? `quantizes to i8 or u8, not to ${dst}`
    : `writes ${dst} quantized only`;
}
