/**
 * The pages of docs/intrinsics/, one per family, from the records. What stands in a table of corners is what the call gave
 * while the page was made.
 */
import { type Corner, lanesOf, partsOfCorner } from "../dsl/corner.ts";
import { documentIntrinsics, FAMILY_TITLES, type IntrinsicDocument } from "../dsl/document.ts";
import type { Family, IntrinsicRecord, OperandSpec } from "../dsl/intrinsic.ts";
import { INTRINSICS } from "../dsl/intrinsic.ts";
import { Mask, Vec } from "../dsl/values.ts";
import { type Outcome, outcomeOf, type Result } from "../equivalence/corners/outcome.ts";
import { EXAMPLE_BYTES, exampleArguments } from "../equivalence/matrix/example.ts";
import { roundTo } from "../ir/convert.ts";
import { type DTypeName, isFloat } from "../ir/dtype.ts";

const GENERATED =
  "Generated from the records in `dsl/intrinsics/` and `dsl/corners/` by `npm run docs`; do not edit.";

/** Every page by file name; README.md is the index. */
export function referencePages(): ReadonlyMap<string, string> {
  const all = documentIntrinsics();
  const pages = new Map([["README.md", indexPage(all)]]);
  for (const family of Object.keys(FAMILY_TITLES) as Family[]) {
    const own = all.filter((d) => d.family === family);
    pages.set(`${family}.md`, familyPage(family, own));
  }
  return pages;
}

function indexPage(all: readonly IntrinsicDocument[]): string {
  const rows = (Object.keys(FAMILY_TITLES) as Family[]).flatMap((family) => [
    `## [${FAMILY_TITLES[family]}](${family}.md)`,
    "",
    "| call | gives | |",
    "|---|---|---|",
    ...all
      .filter((d) => d.family === family)
      .map(
        (d) =>
          `| [\`${cell(d.call)}\`](${family}.md#${anchor(d)}) | ${d.result} | ${cell(firstSentence(d.doc)).replaceAll("<", "\\<")} |`,
      ),
    "",
  ]);
  return `# Intrinsics

${GENERATED}
\`kpu intrinsics\` prints the same in a terminal. ${all.length} functions; the rules that they share: [language.md](../language.md).

${rows.join("\n").trimEnd()}
`;
}

function familyPage(family: Family, own: readonly IntrinsicDocument[]): string {
  return `# ${FAMILY_TITLES[family]}

${GENERATED}
[All intrinsics](README.md); the rules that they share: [language.md](../language.md). In examples, and in corners that are
kernel lines, x and y are \`ptr(f32)\`, i and j are \`ptr(i32)\`, of 64 elements: x holds -3.5, -2.5, ..., y 100, 101, ...,
i 0, 7, 14, ... modulo 64, j zeros.

${own.map(section).join("\n\n")}
`;
}

const firstSentence = (doc: string): string => doc.split(/(?<=\.) /)[0] ?? doc;
/** As GitHub makes it from the heading. */
const anchor = (d: IntrinsicDocument): string => d.name.toLowerCase().replace(/[^a-z0-9]/g, "");
/** Text inside a table. */
const cell = (text: string): string => text.replaceAll("|", "\\|");

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
  if (d === undefined || isTable(d)) return "";
  if (typeof d === "string") return ` of the dtype of ${d}`;
  return ` (${d.join(" ")})`;
}

function operandText(o: OperandSpec): string {
  const dtype = isTable(o.dtype) ? " (dtypes below)" : dtypeText(o.dtype);
  const doc = o.doc ? `; ${o.doc}` : "";
  return `- \`${o.name}\`: ${KINDS[o.kind]}${dtype}${doc}`;
}

type Table = Readonly<Partial<Record<DTypeName, readonly DTypeName[]>>>;
const isTable = (d: OperandSpec["dtype"]): d is Table => typeof d === "object" && !Array.isArray(d);

/** Operands whose dtype goes by that of the first vector. */
function dtypeTable(d: IntrinsicDocument): string[] {
  const own = [...d.operands, ...d.options].filter((o) => isTable(o.dtype));
  const first = d.operands.find((o) => o.kind === "vec" || o.kind === "vec|scalar");
  if (own.length === 0 || first === undefined) return [];
  const rows = [...new Set(own.flatMap((o) => Object.keys(o.dtype as Table)))] as DTypeName[];
  return [
    `| ${first.name} | ${own.map((o) => o.name).join(" | ")} |`,
    `|---|${own.map(() => "---|").join("")}`,
    ...rows.map((r) => `| ${r} | ${own.map((o) => (o.dtype as Table)[r]?.join(", ") ?? "").join(" | ")} |`),
    "",
  ];
}

const EFFECTS: { readonly [K in IntrinsicDocument["effect"]]: string } = {
  pure: "none: also works outside kernels",
  trap: "none, but may stop the kernel; also works outside kernels",
  read: "reads memory",
  write: "writes memory or is seen otherwise; stays in order",
  block: "may wait for other tiles or for a transfer",
};

function section(d: IntrinsicDocument): string {
  const record = INTRINSICS.find((r) => r.name === d.name);
  return [
    ...[`## ${d.name}`, "", "```text", d.call, "```", "", d.doc, ""],
    ...d.operands.map(operandText),
    ...d.options.map((o) => operandText({ ...o, doc: `option${o.doc ? `; ${o.doc}` : ""}` })),
    ...[`- gives: ${d.result}`, `- effect: ${EFFECTS[d.effect]}; cost class \`${d.cost}\``, ""],
    ...dtypeTable(d),
    ...["```ts", d.example, "```"],
    ...(record?.corners === undefined ? [] : ["", ...cornerTables(record, record.corners)]),
  ].join("\n");
}

function cornerTables(r: IntrinsicRecord, corners: readonly Corner[]): string[] {
  const calls = corners.filter((c): c is Exclude<Corner, string> => typeof c !== "string");
  const lines = corners.filter((c) => typeof c === "string");
  return [
    ...(calls.length === 0 ? [] : callTable(r, calls)),
    ...(calls.length > 0 && lines.length > 0 ? [""] : []),
    ...(lines.length === 0
      ? []
      : [
          "| corner | does |",
          "|---|---|",
          ...lines.map((c) => `| \`${cell(c)}\` | ${linesText(outcomeOf(r, c))} |`),
        ]),
  ];
}

function callTable(r: IntrinsicRecord, corners: readonly Exclude<Corner, string>[]): string[] {
  const rows = corners.map((c) => ({ ...partsOfCorner(r, c), outcome: outcomeOf(r, c) }));
  const count = Math.max(...rows.map((row) => row.operands.length));
  const names = r.signature.operands.slice(0, count).map((o) => o.name);
  const hasOptions = rows.some((row) => row.options !== undefined);
  const columns = [...names, ...(hasOptions ? ["options"] : []), "gives"];
  return [
    `| ${columns.join(" | ")} |`,
    `|${columns.map(() => "---|").join("")}`,
    ...rows.map(({ operands, options, outcome }) => {
      const cells = [
        ...names.map((_, i) => (operands[i] === undefined ? "" : valueText(operands[i]))),
        ...(hasOptions ? [optionsText(options)] : []),
        callText(outcome),
      ];
      return `| ${cells.map(cell).join(" | ")} |`;
    }),
  ];
}

function valueText(v: unknown): string {
  if (Array.isArray(v)) return `[${v.map(valueText).join(", ")}]`;
  const lanes = typeof v === "object" && v !== null ? lanesOf(v) : undefined;
  if (lanes !== undefined) return lanesText(lanes.dtype, lanes.numbers);
  return typeof v === "number" ? numberText(v) : String(v);
}

function optionsText(options: object | undefined): string {
  if (options === undefined) return "";
  return Object.entries(options)
    .map(([k, v]) => (v === true ? k : `${k} ${valueText(v)}`))
    .join(", ");
}

function lanesText(d: DTypeName, numbers: readonly number[]): string {
  if (d === "bool") return `mask ${numbers.map((b) => (b ? "T" : "F")).join("")}`;
  return `${d} ${numbers.map((x) => numberText(x, d)).join(", ")}`;
}

/** The shortest decimal number that means this value of the dtype. */
function numberText(x: number, d: DTypeName = "f32"): string {
  if (Object.is(x, -0)) return "-0";
  if (!Number.isFinite(x) || Number.isSafeInteger(x) || !isFloat(d)) return String(x);
  const round = roundTo(d);
  for (let digits = 1; digits <= 17; digits++) {
    const short = Number(x.toPrecision(digits));
    if (Object.is(round(short), x)) return String(short);
  }
  return String(x);
}

function resultText(v: Result): string {
  if (v instanceof Vec) return lanesText(v.dtype.name, v.data);
  if (v instanceof Mask) return lanesText("bool", v.data);
  return typeof v === "number" ? numberText(v) : String(v);
}

function refusedText(o: Extract<Outcome, { kind: "refused" }>): string {
  return `${o.diagnostic.code}: ${o.diagnostic.message}`;
}

function callText(o: Outcome): string {
  if (o.kind === "refused") return refusedText(o);
  return o.kind === "values" ? o.values.map(resultText).join(" and ") : "";
}

/** What kernel lines changed in memory, and what they printed. */
function linesText(o: Outcome): string {
  if (o.kind === "refused") return cell(refusedText(o));
  if (o.kind === "values") return "";
  const before = new Uint8Array(EXAMPLE_BYTES);
  const old = exampleArguments(before) as readonly ArrayLike<number>[];
  const quarter = EXAMPLE_BYTES / 4;
  const changes = ["x", "y", "i", "j"].flatMap((name, k) => {
    const { buffer } = o.bytes;
    const now = k < 2 ? new Float32Array(buffer, k * quarter, 64) : new Int32Array(buffer, k * quarter, 64);
    return changedRanges(name, old[k] as ArrayLike<number>, now);
  });
  const printed = o.printed.map((line) => `prints \`${line}\``);
  const all = [...changes, ...printed];
  return all.length === 0 ? "changes nothing" : cell(all.join("; "));
}

function changedRanges(name: string, old: ArrayLike<number>, now: ArrayLike<number>): string[] {
  const out: string[] = [];
  for (let k = 0; k < now.length; k++) {
    if (Object.is(old[k], now[k])) continue;
    let end = k + 1;
    while (end < now.length && !Object.is(old[end], now[end])) end++;
    const numbers = Array.from({ length: end - k }, (_, n) => numberText(now[k + n] as number));
    out.push(`${name}[${k}${end - k > 1 ? `..${end - 1}` : ""}] = ${numbers.join(", ")}`);
    k = end;
  }
  return out;
}
