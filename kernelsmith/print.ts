/** A program as TypeScript source; without types the same text is JavaScript and runs as it is. */
import { ALL_DTYPES, type DTypeName } from "../ir/dtype.ts";
import type { Helper, Param, Program, Stmt, Template, Ty } from "./tree.ts";

export interface PrintOptions {
  /** Annotations and the import line: TypeScript. Without them the text is the body of a function over the package's names. */
  readonly types: boolean;
  readonly name?: string;
}

/** The names of the package that the text mentions. */
export function importsOf(text: string): string[] {
  return PACKAGE_NAMES.filter((n) => new RegExp(`(?<![.\\w$"])${n}\\b(?!:)`).test(text));
}
const PACKAGE_NAMES = ["kernel", "ptr", "S", ...ALL_DTYPES];

export function printProgram(p: Program, o: PrintOptions): string {
  const name = o.name ?? "k";
  const lines = [
    ...p.captured.map((c) => `const ${c.name} = ${c.text};`),
    ...p.helpers.flatMap((h) => printHelper(h, o.types)),
    `${o.types ? "export " : ""}const ${name} = kernel([${p.params.map(declaration).join(", ")}], function ${name}(${p.params.map((q) => q.name).join(", ")}) {`,
    ...indented(p.body.flatMap((s) => printStmt(s))),
    "});",
  ];
  const text = lines.join("\n");
  if (!o.types) return text;
  const types = [...new Set(p.helpers.flatMap((h) => h.params.flatMap((q) => typeNames(q.type))))];
  const names = [...importsOf(text), ...types.map((t) => `type ${t}`)];
  return `import { ${names.join(", ")} } from "kpu-dsl";\n\n${text}\n`;
}

function declaration(p: Param): string {
  if (!p.pointer) return p.dtype;
  return p.constant ? `ptr(${p.dtype}, { const: true })` : `ptr(${p.dtype})`;
}

function printHelper(h: Helper, types: boolean): string[] {
  const params = h.params.map((p) => {
    const type = types ? `: ${typeText(p.type)}` : "";
    return p.fallback === undefined ? p.name + type : `${p.name}${type} = ${p.fallback}`;
  });
  const head = `function ${h.name}(${params.join(", ")}) {`;
  return [
    h.func ? `const ${h.name} = S.func(${head}` : head,
    ...indented(h.body.flatMap((s) => printStmt(s))),
    h.func ? "});" : "}",
  ];
}

function typeText(t: Ty): string {
  switch (t.is) {
    case "num":
    case "int":
      return "number";
    case "bool":
      return "boolean";
    case "vec":
      return `Vec<${t.dtype}>`;
    case "mask":
      return "Mask";
    case "ptr":
      return `Ptr<${t.dtype}>`;
    case "void":
      return "void";
  }
}
function typeNames(t: Ty): string[] {
  if (t.is === "vec") return ["Vec"];
  if (t.is === "mask") return ["Mask"];
  return t.is === "ptr" ? ["Ptr"] : [];
}

export function printStmt(s: Stmt): string[] {
  if (s.bodies.length === 0) return [`${text(s.heads[0] as Template)};`];
  const lines: string[] = [];
  s.bodies.forEach((body, i) => {
    const head = text(s.heads[i] as Template);
    if (i === 0) lines.push(`${head} {`);
    else lines[lines.length - 1] += `${head === "" ? "" : ` ${head}`} {`;
    lines.push(...indented(body.flatMap((b) => printStmt(b))));
    lines.push("}");
  });
  if (s.tail !== undefined) lines[lines.length - 1] += text(s.tail);
  return lines;
}

/** A template filled in. */
export function text(t: Template): string {
  let out = t.parts[0] as string;
  t.args.forEach((a, i) => {
    out += text(a) + (t.parts[i + 1] as string);
  });
  return out;
}

function indented(lines: readonly string[]): string[] {
  return lines.map((l) => `  ${l}`);
}

/** How a host array of a dtype is written in source; the values by the rule of `hostArray`. */
export function arrayText(dtype: DTypeName, values: readonly number[]): string {
  const shown = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
  const first = values[0] ?? 0;
  const same = values.every((x) => Object.is(x, first));
  const list = same
    ? `new Array(${values.length}).fill(${shown(first)})`
    : `[${values.map(shown).join(", ")}]`;
  return `hostArray("${dtype}", ${list})`;
}
