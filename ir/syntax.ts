/**
 * What printer and parser share about the text form: which ops carry a type in their text, which have keyword operands,
 * and which type a constant has where it is written without one. docs/ir.md has the grammar.
 */
import { type Attrs, type Level, scalar, type Type, typeText } from "./kir.ts";
import { OPS, type OpName } from "./ops.ts";

/** Version of the text form, first in every text. */
export const KIR_VERSION = 1;

/** A name that needs no quotes. */
export const IDENTIFIER = /[\p{ID_Start}_$][\p{ID_Continue}$\u200c\u200d]*/u;
const WHOLE_IDENTIFIER = new RegExp(`^${IDENTIFIER.source}$`, "u");

/** A name as text: itself, or a string where it is no identifier (or reads as a number). */
export function nameText(name: string): string {
  return WHOLE_IDENTIFIER.test(name) && name !== "NaN" && name !== "Infinity" ? name : JSON.stringify(name);
}

/** Scalar-only ops that work on one type, which their text shows. */
const ONE_TYPE: ReadonlySet<OpName> = new Set([
  ...(["round", "imul", "clz32", "to_int32", "to_uint32", "js_shl", "js_shr", "ceildiv"] as const),
  ...(["floordiv", "convert", "cast_scalar", "truthy"] as const),
]);
/** Ops whose text shows the type of their first operand only. */
const FIRST_TYPE: ReadonlySet<OpName> = new Set([
  ...(["cast", "compress", "expand", "table", "slide", "bitcast"] as const),
  "extract",
  "radd",
  "rmin",
  "rmax",
  "rmin_idx",
  "rmax_idx",
]);

/** The operand whose type is the suffix of the op's text (`add.i32`), if the op has one. */
export function suffixOperand(op: OpName): number | undefined {
  if (op === "select" || op === "sel") return 1;
  return OPS[op].alu || ONE_TYPE.has(op) || FIRST_TYPE.has(op) ? 0 : undefined;
}

/** The type of a number that is written without one, as operand `index` of an op with this suffix. */
export function bareType(op: OpName, suffix: Type | undefined, index: number, level: Level): Type {
  const plain = scalar(level === "open" ? "num" : "i32");
  if (suffix === undefined) return plain;
  if (op === "select" || op === "sel") return index === 0 ? plain : suffix;
  return FIRST_TYPE.has(op) && index > 0 ? plain : suffix;
}

/** An op whose text differs from `name.suffix{attributes} operands`. */
export interface Form {
  /** The name in text; several ops may share it and differ in their keywords. */
  readonly name: string;
  /** What stands in `<...>`: the type of the result or an operand, or the number of lanes. */
  readonly bracket: "result" | "operand" | "lanes";
  /** Operands separated by commas; the others follow, each after its keyword. */
  readonly plain: number;
  readonly keywords: readonly string[];
}
const form = (name: string, bracket: Form["bracket"], plain: number, ...keywords: string[]): Form => ({
  name,
  bracket,
  plain,
  keywords,
});

export const FORMS: { readonly [K in OpName]?: Form } = {
  vconst: form("vconst", "result", 0),
  splat: form("splat", "result", 1),
  tail_mask: form("tail_mask", "lanes", 1),
  load: form("load", "result", 1),
  load_masked: form("load", "result", 1, "mask", "else"),
  load_strided: form("load", "result", 1, "stride", "mask", "else"),
  store: form("store", "operand", 2),
  store_masked: form("store", "operand", 2, "mask"),
  store_strided: form("store", "operand", 2, "stride", "mask"),
  gather: form("gather", "result", 2, "mask", "else"),
  scatter: form("scatter", "operand", 3, "mask"),
};

/** Which operand the bracket of an `operand` form shows. */
export function bracketOperand(op: OpName): number {
  return op === "scatter" ? 2 : 1;
}

/** The attributes that the form's bracket and list stand for. */
export function impliedAttrs(
  op: OpName,
  bracket: Type | number,
  values: readonly number[] | undefined,
): Attrs {
  if (typeof bracket === "number") return { lanes: bracket };
  if (bracket.kind !== "vec" && bracket.kind !== "mask") throw new TypeError(`${op}<${typeText(bracket)}>`);
  const dtype = bracket.kind === "vec" ? bracket.dtype : "bool";
  if (op === "vconst") return { dtype, values: values ?? [] };
  if (op === "splat") return { dtype, lanes: bracket.lanes };
  return op === "load" ? { lanes: bracket.lanes } : {};
}
