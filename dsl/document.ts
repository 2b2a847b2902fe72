/**
 * The reference of intrinsics, derived from the records: as data (`kpu intrinsics --json`) and as Markdown
 * (`kpu intrinsics --md`, docs/intrinsics.md).
 */
import "./s.ts";
import { authorName, type Family, INTRINSICS, type IntrinsicRecord, type OperandSpec } from "./intrinsic.ts";

/** A record without its functions. */
export interface IntrinsicDocument {
  readonly name: string;
  /** As an author writes it: `S.vadd(x, y, { mask, r })`. */
  readonly call: string;
  readonly family: Family;
  readonly operands: readonly OperandSpec[];
  readonly options: readonly OperandSpec[];
  readonly result: string;
  readonly effect: IntrinsicRecord["effect"];
  readonly cost: IntrinsicRecord["cost"];
  /** True when it also works outside a kernel, on host values. */
  readonly value: boolean;
  readonly doc: string;
  readonly example: string;
}

const TITLES: { readonly [K in Family]: string } = {
  spmd: "Tiles",
  control: "Loops, output, assertions",
  scalar: "Numbers",
  memory: "Memory",
  pointer: "Methods of pointers, vectors and masks",
  transfer: "Transfers and events",
  mask: "Masks",
  arithmetic: "Arithmetic",
  bitwise: "Bits and shifts",
  permutation: "Moving lanes",
  compare: "Comparison, selection, extremes",
  conversion: "Conversion",
  math: "Math functions",
};

/** Every intrinsic, family by family, in the order of the reference. */
export function documentIntrinsics(): IntrinsicDocument[] {
  const families = Object.keys(TITLES);
  return INTRINSICS.map((r) => ({
    name: r.name,
    call: callText(r),
    family: r.family,
    operands: r.signature.operands,
    options: r.signature.options ?? [],
    result: r.signature.result,
    effect: r.effect,
    cost: r.cost,
    value: r.value,
    doc: r.doc,
    example: r.example,
  })).sort((a, b) => families.indexOf(a.family) - families.indexOf(b.family));
}

function callText(r: IntrinsicRecord): string {
  const method = r.name.includes(".");
  const operands = r.signature.operands.slice(method ? 1 : 0);
  const args = operands.map((o) => (o.optional ? `${o.name}?` : o.name));
  const names = (r.signature.options ?? []).map((o) => o.name);
  if (names.length > 0) args.push(`{ ${names.join(", ")} }?`);
  if (r.name === "Ptr.isNull") return "p.isNull";
  if (r.name === "target") return "S.target";
  const name = method
    ? `${r.signature.operands[0]?.name ?? "p"}.${r.name.split(".")[1]}`
    : authorName(r.name);
  return `${name}(${args.join(", ")})`;
}

const KINDS: { readonly [K in OperandSpec["kind"]]: string } = {
  vec: "vector",
  "vec|scalar": "vector or number",
  list: "array of vectors",
  scalar: "number",
  mask: "mask",
  ptr: "pointer",
  event: "event",
  dtype: "dtype",
  static: "static",
  any: "any",
};

function dtypeText(d: OperandSpec["dtype"]): string {
  if (d === undefined) return "";
  if (typeof d === "string") return ` of the dtype of ${d}`;
  if (Array.isArray(d)) return ` (${d.join(" ")})`;
  const rows = Object.entries(d).map(([first, own]) => `${own.join(" or ")} for ${first}`);
  return ` (${rows.join(", ")})`;
}

function operandText(o: OperandSpec): string {
  const dtype = dtypeText(o.dtype);
  return `- \`${o.name}\`: ${KINDS[o.kind]}${dtype}${o.doc ? `; ${o.doc}` : ""}`;
}

function section(d: IntrinsicDocument): string {
  const lines = [`### \`${d.call}\``, "", d.doc, "", ...d.operands.map(operandText)];
  if (d.options.length > 0)
    lines.push(...d.options.map((o) => operandText({ ...o, doc: `option; ${o.doc ?? ""}` })));
  lines.push(`- gives: ${d.result}`, "", "```ts", d.example, "```");
  return lines.join("\n");
}

const HEAD = `# Intrinsics

Generated from the records in \`dsl/intrinsics/\` by \`kpu intrinsics --md\`; do not edit. The rules that all of them share
stand in [language.md](language.md). In the examples x and y are \`ptr(f32)\`, i and j are \`ptr(i32)\`, of 64 elements.
`;

/** The whole reference as Markdown. */
export function intrinsicsMarkdown(): string {
  const all = documentIntrinsics();
  const parts = Object.entries(TITLES).map(([family, title]) => {
    const own = all.filter((d) => d.family === family);
    return [`## ${title}`, ...own.map(section)].join("\n\n");
  });
  return `${HEAD}\n${parts.join("\n\n")}\n`;
}
