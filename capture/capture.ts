/**
 * A running function with everything the checker reads of it: its text, its closure, its syntax tree, and where each
 * of its characters stands in the author's file.
 */
import type ts from "typescript";
import type { Location } from "../ir/diagnostic.ts";
import { fileLines } from "./authorfile.ts";
import { type Closure, closureOf } from "./closure.ts";
import { inspectScript, scriptLine } from "./inspector.ts";
import { type Place, type PositionMap, positionMap, tokenEnd } from "./positions.ts";
import {
  anchorOffset,
  type FunctionNode,
  functionText,
  type ParsedFunction,
  parseFunction,
} from "./source.ts";

/** Where the running text stands in its script; line and column count from 0. */
export interface ScriptPlace {
  readonly url: string;
  readonly line: number;
  readonly column: number;
  /** V8's identity of the script; empty where it is not known. */
  readonly scriptId: string;
  readonly sourceMapURL?: string;
}

export interface CapturedFunction {
  // biome-ignore lint/complexity/noBannedTypes: any function may be captured
  readonly fn: Function;
  readonly name: string;
  /** `fn.toString()`: the text that really runs. */
  readonly text: string;
  /** Parsed on first use; this is what loads TypeScript. */
  readonly node: FunctionNode;
  readonly sourceFile: ts.SourceFile;
  /** `node.getStart() - textOffset` is an offset into `text`. */
  readonly textOffset: number;
  readonly script: ScriptPlace;
  /** The captured value of a free name of the text, or undefined where there is none. Never a guess. */
  resolve(name: string): { readonly value: unknown } | undefined;
  /** An offset into `text` as a place in the running script, which is where V8 sees it. */
  scriptPlace(offset: number): Place;
  /** Offsets into `text` to the author's file. */
  locate(start: number, end: number): Location;
  /** The name as the author wrote it, of one that stands at an offset: esbuild adds digits to names that shadow others. */
  authorName(name: string, start: number): string;
  /** What the author wrote where the text from `start` to `end` stands; the text itself where that is not known. */
  authorText(start: number, end: number): string;
}

const captured = new WeakMap<object, Captured>();

/** The one captured form of a function. Refuses functions without source (KPU2009). */
export function captureFunction(fn: unknown): CapturedFunction {
  if (typeof fn !== "function") throw new TypeError("captureFunction needs a function");
  const known = captured.get(fn);
  if (known !== undefined) return known;
  const made = new Captured(fn);
  captured.set(fn, made);
  return made;
}

class Captured implements CapturedFunction {
  // biome-ignore lint/complexity/noBannedTypes: any function may be captured
  readonly fn: Function;
  readonly name: string;
  readonly text: string;
  readonly #closure: Closure;
  #parsed: ParsedFunction | undefined;
  #script: ScriptPlace | undefined;
  #lineStarts: number[] | undefined;

  // biome-ignore lint/complexity/noBannedTypes: any function may be captured
  constructor(fn: Function) {
    this.fn = fn;
    this.name = fn.name;
    this.text = functionText(fn, fn.name);
    this.#closure = closureOf(fn, this.text);
  }
  get #parse(): ParsedFunction {
    this.#parsed ??= parseFunction(this.text, this.name);
    return this.#parsed;
  }
  get node(): FunctionNode {
    return this.#parse.node;
  }
  get sourceFile(): ts.SourceFile {
    return this.#parse.sourceFile;
  }
  get textOffset(): number {
    return this.#parse.textOffset;
  }
  resolve(name: string): { readonly value: unknown } | undefined {
    return this.#closure.resolve(name);
  }

  get script(): ScriptPlace {
    return this.#place;
  }
  /** The start of the text, computed back from the parameter list, which is the place V8 reports. */
  get #place(): ScriptPlace {
    if (this.#script !== undefined) return this.#script;
    const anchor = this.#closure.place;
    const script = anchor && inspectScript(anchor.scriptId);
    if (anchor === undefined || script === undefined) {
      this.#script = { url: "", line: 0, column: 0, scriptId: "" };
      return this.#script;
    }
    const offset = anchorOffset(this.#parse);
    const anchorLine = this.#lineOf(offset);
    const line = anchor.line - anchorLine;
    let column = anchor.column - offset;
    if (anchorLine > 0) {
      // The name and the parameters stand on different lines: the first line is the end of a line of the script.
      const first = this.text.slice(0, this.#starts[1]).replace(/[\r\n\u2028\u2029]+$/, "");
      column = Math.max(0, (scriptLine(anchor.scriptId, line) ?? "").lastIndexOf(first));
    }
    this.#script = {
      url: script.url,
      line,
      column,
      scriptId: anchor.scriptId,
      ...(script.sourceMapURL === "" ? {} : { sourceMapURL: script.sourceMapURL }),
    };
    return this.#script;
  }

  get #starts(): readonly number[] {
    if (this.#lineStarts === undefined) {
      const starts = [0];
      for (const end of this.text.matchAll(/\r\n|[\n\r\u2028\u2029]/g))
        starts.push(end.index + end[0].length);
      this.#lineStarts = starts;
    }
    return this.#lineStarts;
  }
  #lineOf(offset: number): number {
    const starts = this.#starts;
    let line = 0;
    while (line + 1 < starts.length && starts[line + 1]! <= offset) line++;
    return line;
  }
  scriptPlace(offset: number): Place {
    const script = this.#place;
    const line = this.#lineOf(offset);
    const inLine = offset - this.#starts[line]!;
    return { line: script.line + line, column: line === 0 ? script.column + inLine : inLine };
  }

  locate(start: number, end: number): Location {
    const script = this.#place;
    const positions = positionsOf(script);
    const line = (at: number): string | undefined => scriptLine(script.scriptId, at);
    const from = positions.map(this.scriptPlace(start), line);
    const location = { file: from.file, line: from.line + 1, column: from.column + 1 };
    if (end <= start) return location;
    let last = end - 1;
    while (last > start && /[\w$]/.test(this.text[last]!) && /[\w$]/.test(this.text[last - 1]!)) last--;
    const to = positions.map(this.scriptPlace(last), line);
    const endColumn = tokenEnd(to);
    const forward = to.line > from.line || (to.line === from.line && endColumn > from.column);
    if (to.file !== from.file || !forward) return location;
    return { ...location, endLine: to.line + 1, endColumn: endColumn + 1 };
  }
  authorName(name: string, start: number): string {
    if (!/\d$/.test(name)) return name;
    const at = this.locate(start, start + name.length);
    const row = fileLines(at.file)?.[at.line - 1] ?? "";
    const written = /^[\p{ID_Start}$_][\p{ID_Continue}$]*/u.exec(row.slice(at.column - 1))?.[0] ?? name;
    return name.startsWith(written) && /^\d*$/.test(name.slice(written.length)) ? written : name;
  }
  authorText(start: number, end: number): string {
    const at = this.locate(start, end);
    const rows = fileLines(at.file)?.slice(at.line - 1, at.endLine ?? at.line);
    if (rows === undefined || at.endColumn === undefined) return this.text.slice(start, end);
    const last = (rows.pop() ?? "").slice(0, at.endColumn - 1);
    return [...rows, last].join("\n").slice(at.column - 1);
  }
}

const maps = new Map<string, PositionMap>();
function positionsOf(script: ScriptPlace): PositionMap {
  let map = maps.get(script.scriptId);
  if (map === undefined) {
    map = positionMap(script.url, script.sourceMapURL ?? "");
    if (script.scriptId !== "") maps.set(script.scriptId, map);
  }
  return map;
}
