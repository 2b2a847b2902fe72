/**
 * A place in a running script to the place in the author's file. The script's own source map says where a token came
 * from; between its segments the two texts are aligned token by token, because transpilers do not map parentheses.
 */
import { readFileSync } from "node:fs";
import { decodedMappings, TraceMap, traceSegment } from "@jridgewell/trace-mapping";
import { fileLines, pathOfUrl, rememberFile } from "./authorfile.ts";

/** Line and column count from 0, as scripts and source maps do. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface MappedPlace extends Place {
  readonly file: string;
}

/** Reads the text of one line of the running script, as far as it is known. */
export type GeneratedLine = (line: number) => string | undefined;

/** The places of one script. */
export interface PositionMap {
  /** The author's file where everything lies in one, else the script's own. */
  readonly file: string;
  map(at: Place, generated: GeneratedLine): MappedPlace;
}

/** The identity: the script is the author's file (plain JavaScript, type stripping). */
function identity(url: string): PositionMap {
  const file = pathOfUrl(url);
  return { file, map: (at) => ({ file, line: at.line, column: at.column }) };
}

/** The positions of a script, from its URL and the sourceMappingURL comment it carries. */
export function positionMap(url: string, sourceMapURL: string): PositionMap {
  const raw = sourceMapURL === "" ? undefined : readMap(url, sourceMapURL);
  if (raw === undefined) return identity(url);
  let trace: TraceMap;
  try {
    trace = new TraceMap(raw.json, raw.url);
  } catch {
    return identity(url);
  }
  const files = trace.resolvedSources.map((source) => pathOfUrl(source));
  files.forEach((file, i) => {
    const content = trace.sourcesContent?.[i];
    if (typeof content === "string" && fileLines(file) === undefined) rememberFile(file, content);
  });
  const own = pathOfUrl(url);
  return {
    file: files[0] ?? own,
    map: (at, generated) => mapPlace(trace, files, own, at, generated),
  };
}

/** The JSON of the map that a sourceMappingURL comment names, and the URL its sources are relative to. */
export function readMap(url: string, sourceMapURL: string): { json: string; url: string } | undefined {
  const inline = /^data:application\/json[^,]*?(;base64)?,(.*)$/s.exec(sourceMapURL);
  try {
    if (inline) {
      const body = inline[2] ?? "";
      return {
        json: inline[1] ? Buffer.from(body, "base64").toString("utf8") : decodeURIComponent(body),
        url,
      };
    }
    const base = url.startsWith("/") ? `file://${url}` : url;
    const mapUrl = new URL(sourceMapURL, base).href;
    return { json: readFileSync(pathOfUrl(mapUrl), "utf8"), url: mapUrl };
  } catch {
    // A map that is missing or broken is no map: the generated position is still true.
    return undefined;
  }
}

function mapPlace(
  trace: TraceMap,
  files: readonly string[],
  own: string,
  at: Place,
  generated: GeneratedLine,
): MappedPlace {
  const before = traceSegment(trace, at.line, Math.max(0, at.column));
  if (before === null || before.length === 1) return { file: own, line: at.line, column: at.column };
  const [column, source, sourceLine, sourceColumn] = before;
  const file = files[source] ?? own;
  const exact = { file, line: sourceLine, column: sourceColumn };
  if (column === at.column) return exact;
  const text = generated(at.line);
  const lines = fileLines(file);
  if (text === undefined || lines === undefined) return exact;
  const forward = alignForward(text, column, at.column, lines, exact);
  if (forward !== undefined) return { file, ...forward };
  const after = nextSegment(trace, at);
  if (after !== undefined && after.source === source) {
    const backward = alignBackward(text, after.column, at.column, lines, {
      line: after.line,
      column: after.sourceColumn,
    });
    if (backward !== undefined) return { file, ...backward };
    // `(0, module.f)(x)` is how transpilers call an import: it stands where the author's f does.
    if (/^\(0,\s*$/.test(text.slice(at.column, after.column)))
      return { file, line: after.line, column: after.sourceColumn };
  }
  return exact;
}

interface NextSegment extends Place {
  readonly source: number;
  readonly sourceColumn: number;
}

/** The first mapped token after a place, on the same generated line. */
function nextSegment(trace: TraceMap, at: Place): NextSegment | undefined {
  const segments = decodedMappings(trace)[at.line] ?? [];
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle]![0] > at.column) high = middle;
    else low = middle + 1;
  }
  const found = segments[low];
  if (found === undefined || found.length === 1) return undefined;
  return { column: found[0], source: found[1], line: found[2], sourceColumn: found[3] };
}

const WORD = /[\w$]/;
const SPACE = /\s/;
const QUOTE = /["'`]/;

/** Signs that mean the same: transpilers choose their own quotes. */
function sameSign(a: string, b: string): boolean {
  return a === b || (QUOTE.test(a) && QUOTE.test(b));
}

/** A walker over the author's lines that passes spaces and comments. */
class AuthorText {
  line: number;
  column: number;
  private readonly lines: readonly string[];
  constructor(lines: readonly string[], start: Place) {
    this.lines = lines;
    this.line = start.line;
    this.column = start.column;
  }
  get row(): string {
    return this.lines[this.line] ?? "";
  }
  /** The character here; empty past the end of the file. */
  get here(): string {
    return this.row[this.column] ?? "";
  }
  skipSpace(next: string): void {
    while (this.line < this.lines.length) {
      const row = this.row;
      if (this.column >= row.length || (next !== "/" && row.startsWith("//", this.column))) {
        this.line++;
        this.column = 0;
      } else if (next !== "/" && row.startsWith("/*", this.column)) {
        this.column += 2;
        while (this.line < this.lines.length && !this.row.includes("*/", this.column)) {
          this.line++;
          this.column = 0;
        }
        this.column = this.row.indexOf("*/", this.column) + 2;
      } else if (SPACE.test(row[this.column]!)) this.column++;
      // Transpilers drop trailing commas and the last semicolon of a block.
      else if (/[,;]/.test(row[this.column]!) && /[)\]}]/.test(next)) this.column++;
      else return;
    }
  }
}

/** Walks both texts from a mapped token to the wanted one. Words may differ (renamed), signs must agree. */
function alignForward(
  text: string,
  from: number,
  to: number,
  lines: readonly string[],
  start: Place,
): Place | undefined {
  const author = new AuthorText(lines, start);
  let i = from;
  while (i < to) {
    const sign = text[i]!;
    if (SPACE.test(sign)) {
      i++;
      continue;
    }
    author.skipSpace(sign);
    if (!WORD.test(sign)) {
      if (!sameSign(sign, author.here)) return undefined;
      i++;
      author.column++;
      continue;
    }
    if (!WORD.test(author.here)) return undefined;
    const wordStart = i;
    while (i < text.length && WORD.test(text[i]!)) i++;
    let end = author.column;
    while (WORD.test(author.row[end] ?? "")) end++;
    // A place inside a word keeps its distance from the word's start.
    if (i > to) return { line: author.line, column: Math.min(end, author.column + (to - wordStart)) };
    author.column = end;
  }
  const sign = text[to] ?? " ";
  if (SPACE.test(sign)) return { line: author.line, column: author.column };
  author.skipSpace(sign);
  const agrees = WORD.test(sign) ? WORD.test(author.here) : sameSign(sign, author.here);
  return agrees ? { line: author.line, column: author.column } : undefined;
}

/** The same from the next mapped token back; used where a type annotation stands in between. */
function alignBackward(
  text: string,
  from: number,
  to: number,
  lines: readonly string[],
  start: Place,
): Place | undefined {
  let i = from;
  let { line, column } = start;
  while (i > to) {
    i--;
    if (SPACE.test(text[i]!)) continue;
    do {
      column--;
      while (column < 0) {
        line--;
        if (line < 0) return undefined;
        column = lines[line]!.length - 1;
      }
    } while (SPACE.test(lines[line]![column]!));
    if (!sameSign(text[i]!, lines[line]![column]!)) return undefined;
  }
  return { line, column };
}

/** The column after the word or sign that starts at a place in the author's file. */
export function tokenEnd(at: MappedPlace): number {
  const row = fileLines(at.file)?.[at.line];
  let end = at.column;
  while (row !== undefined && WORD.test(row[end] ?? "")) end++;
  return Math.max(end, at.column + 1);
}
