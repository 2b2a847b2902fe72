/**
 * Diagnostics as text, for people:
 *
 *     error[KPU1006]: expected let or const, but found var
 *       --> src/blas.ts:12:3
 *        |
 *     12 |   var x = 3;
 *        |   ^^^
 *        |
 *        = help: write let or const
 *
 * Every place, also that of a note or of the call into which a helper was inlined, shows its line.
 */
import { relative, sep } from "node:path";
import picocolors from "picocolors";
import type { Diagnostic, Location } from "../ir/diagnostic.ts";
import { fileLines } from "./authorfile.ts";

export interface RenderOptions {
  /** Colours of the terminal; off by default, because messages also go to logs and test reports. */
  readonly color?: boolean;
  /** Files below this directory are shown relative to it. The working directory by default. */
  readonly base?: string;
}

/** One diagnostic as a report of several lines, without a line end. */
export function render(d: Diagnostic, o: RenderOptions = {}): string {
  const colors = picocolors.createColors(o.color === true);
  const paint = d.severity === "error" ? colors.red : colors.yellow;
  const width = gutterWidth(d);
  const gutter = " ".repeat(width);
  const bar = colors.blue("|");
  const out: string[] = [];

  const place = (at: Location, mark: (s: string) => string): void => {
    out.push(`${gutter}${colors.blue("-->")} ${fileName(at.file, o.base)}:${at.line}:${at.column}`);
    const row = fileLines(at.file)?.[at.line - 1];
    if (row === undefined) return;
    const { lead, carets } = underline(row, at);
    out.push(`${gutter} ${bar}`);
    out.push(`${colors.blue(String(at.line).padStart(width))} ${bar} ${row}`.trimEnd());
    out.push(`${gutter} ${bar} ${lead}${mark(carets)}`);
  };
  const chain = (at: Location, mark: (s: string) => string): void => {
    for (let outer = at.inlinedAt; outer !== undefined; outer = outer.inlinedAt) {
      out.push(`${colors.bold("note")}: in the function called here`);
      place(outer, mark);
    }
  };

  out.push(`${paint(colors.bold(`${d.severity}[${d.code}]`))}${colors.bold(`: ${d.message}`)}`);
  if (d.location !== undefined) {
    place(d.location, paint);
    chain(d.location, colors.blue);
  }
  for (const note of d.notes) {
    if (note.location === undefined) continue;
    out.push(`${colors.bold("note")}: ${note.message}`);
    place(note.location, colors.blue);
    chain(note.location, colors.blue);
  }
  const facts = d.notes.filter((n) => n.location === undefined).map((n) => ["note", n.message] as const);
  const last = d.help === undefined ? facts : [...facts, ["help", d.help] as const];
  if (last.length > 0 && d.location !== undefined) out.push(`${gutter} ${bar}`);
  for (const [kind, text] of last) {
    const indent = " ".repeat(width + 5 + kind.length);
    out.push(`${gutter} ${colors.blue("=")} ${colors.bold(kind)}: ${text.replaceAll("\n", `\n${indent}`)}`);
  }
  return out.join("\n");
}

/** Several diagnostics, each with its report, separated by an empty line. */
export function renderAll(all: readonly Diagnostic[], o: RenderOptions = {}): string {
  return all.map((d) => render(d, o)).join("\n\n");
}

function gutterWidth(d: Diagnostic): number {
  let most = 1;
  const measure = (at: Location | undefined): void => {
    for (let l = at; l !== undefined; l = l.inlinedAt) most = Math.max(most, String(l.line).length);
  };
  measure(d.location);
  for (const n of d.notes) measure(n.location);
  return most;
}

/** The marks under a line; of a place that spans lines, its first line is marked. Tabs stay tabs in the lead. */
function underline(row: string, at: Location): { lead: string; carets: string } {
  const lead = row.slice(0, at.column - 1).replace(/[^\t]/g, " ");
  const end =
    at.endLine === undefined || at.endLine === at.line ? (at.endColumn ?? at.column + 1) : row.length + 1;
  const length = Math.min(end, row.trimEnd().length + 1) - at.column;
  return { lead, carets: "^".repeat(Math.max(1, length)) };
}

function fileName(file: string, base: string = process.cwd()): string {
  const path = relative(base, file);
  return path === "" || path.startsWith("..") || path.includes(`..${sep}`) || file.includes("://")
    ? file
    : path;
}
