/**
 * JSON with the place of every value, so that a mistake is shown where it stands in the file. Strict JSON (RFC 8259), and
 * a key must not come twice in an object, of which JSON.parse would silently take the last.
 */
import type { DiagnosticCode } from "./codes.ts";
import { diagnostic, KpuError, type Location } from "./diagnostic.ts";

/** Offsets in the text; the end is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A value and where it stands. */
export interface JsonNode {
  readonly value: unknown;
  readonly at: Span;
  /** Of an object: where each key stands, and its value. */
  readonly members?: ReadonlyMap<string, { readonly key: Span; readonly node: JsonNode }>;
  /** Of an array. */
  readonly elements?: readonly JsonNode[];
}

export interface JsonDocument {
  readonly root: JsonNode;
  /**
   * Where the value at a path stands, or its key. What is not there is shown at the object or array that should hold it;
   * of these the bracket is enough.
   */
  placeOf(path: readonly PropertyKey[], at?: "value" | "key"): Location;
}

const MAX_DEPTH = 100;
const WORDS: Readonly<Record<string, unknown>> = { true: true, false: false, null: null };

/**
 * @param code of a text that is not JSON
 * @throws KpuError with `code` at the first mistake
 * @example readJson('{ "a": [1] }', "a.json", "KPU9004").placeOf(["a", 0]) // line 1, column 9
 */
export function readJson(text: string, file: string, code: DiagnosticCode): JsonDocument {
  const reader = new JsonReader(text, file, code);
  const root = reader.document();
  return { root, placeOf: (path, at = "value") => reader.locate(spanAt(root, path, at)) };
}

function spanAt(root: JsonNode, path: readonly PropertyKey[], at: "value" | "key"): Span {
  let node = root;
  for (const [depth, key] of path.entries()) {
    const member = node.members?.get(String(key));
    const next = member?.node ?? node.elements?.[Number(key)];
    if (next === undefined) return { start: node.at.start, end: node.at.start + 1 };
    if (at === "key" && member !== undefined && depth === path.length - 1) return member.key;
    node = next;
  }
  const bracket = node.members !== undefined || node.elements !== undefined;
  return bracket ? { start: node.at.start, end: node.at.start + 1 } : node.at;
}

class JsonReader {
  private readonly text: string;
  private readonly file: string;
  private readonly code: DiagnosticCode;
  private next = 0;
  private depth = 0;

  constructor(text: string, file: string, code: DiagnosticCode) {
    // A byte order mark is no part of the text.
    this.text = text.replace(/^\uFEFF/, "");
    this.file = file;
    this.code = code;
  }

  document(): JsonNode {
    const node = this.value();
    this.space();
    if (this.next < this.text.length) this.wrong("the end of the file");
    return node;
  }

  private value(): JsonNode {
    this.space();
    if (this.depth === MAX_DEPTH) this.wrong(`at most ${MAX_DEPTH} objects and arrays in each other`);
    const start = this.next;
    switch (this.text[start]) {
      case "{":
        return this.object(start);
      case "[":
        return this.array(start);
      case '"': {
        const value = this.string();
        return { value, at: this.from(start) };
      }
    }
    const word = this.match(/[a-z]+/y);
    if (word !== undefined && Object.hasOwn(WORDS, word)) return { value: WORDS[word], at: this.from(start) };
    this.next = start;
    const number = this.match(/-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?(?![\w.+-])/y);
    if (number === undefined) return this.wrong("a value");
    return { value: Number(number), at: this.from(start) };
  }

  private object(start: number): JsonNode {
    const members = new Map<string, { readonly key: Span; readonly node: JsonNode }>();
    this.next++;
    this.depth++;
    for (let more = !this.take("}"); more; ) {
      this.space();
      const at = this.next;
      if (this.text[at] !== '"') this.wrong("a key in double quotes");
      const key = this.string();
      const span = this.from(at);
      if (members.has(key)) this.fail(`the key "${key}" is here twice`, span, "leave one of them out");
      if (!this.take(":")) this.wrong('":"');
      members.set(key, { key: span, node: this.value() });
      more = this.take(",");
      if (!more && !this.take("}")) this.wrong('"," or "}"');
    }
    this.depth--;
    // fromEntries defines properties: a key __proto__ is one like any other.
    const value = Object.fromEntries([...members].map(([key, { node }]) => [key, node.value]));
    return { value, members, at: this.from(start) };
  }

  private array(start: number): JsonNode {
    const elements: JsonNode[] = [];
    this.next++;
    this.depth++;
    for (let more = !this.take("]"); more; ) {
      elements.push(this.value());
      more = this.take(",");
      if (!more && !this.take("]")) this.wrong('"," or "]"');
    }
    this.depth--;
    return { value: elements.map((e) => e.value), elements, at: this.from(start) };
  }

  private string(): string {
    const start = this.next;
    const raw = this.match(/"(?:[^"\\\n]|\\.)*"/uy);
    try {
      if (raw !== undefined) return String(JSON.parse(raw));
    } catch {
      // An escape that JSON does not have, or a control character.
    }
    return this.fail(
      "expected a text in double quotes on one line",
      this.from(start, raw === undefined ? this.lineEnd(start) : this.next),
      "write line breaks as \\n, tabs as \\t and backslashes as \\\\",
    );
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.next;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.next += found.length;
    return found;
  }
  private space(): void {
    this.match(/[ \t\r\n]*/y);
  }
  private take(mark: string): boolean {
    this.space();
    if (this.text[this.next] !== mark) return false;
    this.next++;
    return true;
  }

  private wrong(expected: string): never {
    const start = this.next;
    if (start >= this.text.length)
      return this.fail(`expected ${expected}, found the end of the file`, this.from(start, start + 1));
    this.match(/[\w.+-]+|./suy);
    const found = this.text.slice(start, this.next);
    return this.fail(`expected ${expected}, found ${found}`, this.from(start), helpFor(found));
  }
  private fail(message: string, at: Span, help?: string): never {
    throw new KpuError([diagnostic(this.code, message, { location: this.locate(at), help })]);
  }

  private from(start: number, end = this.next): Span {
    return { start, end };
  }
  private lineEnd(from: number): number {
    const end = this.text.indexOf("\n", from);
    return end === -1 ? this.text.length : end;
  }
  locate({ start, end }: Span): Location {
    const place = (offset: number) => {
      const before = this.text.slice(0, offset);
      return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
    };
    const { line: endLine, column: endColumn } = place(end);
    return { file: this.file, ...place(start), endLine, endColumn };
  }
}

function helpFor(found: string): string | undefined {
  if (found === "/" || found === "#") return "JSON has no comments";
  if (found === "'") return "JSON has double quotes only";
  if (found === "}" || found === "]") return "JSON has no comma before the end of an object or array";
  if (/^[-+.\d]/.test(found)) return "write numbers as 16, 0.25 or 1e9";
  return undefined;
}
