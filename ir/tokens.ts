/** Text of KIR, or in its manner, as tokens with positions. Newlines are tokens, because they end statements; not after `( [ , =`. */
import type { DiagnosticCode } from "./codes.ts";
import { fail } from "./diagnostic.ts";
import { IDENTIFIER } from "./syntax.ts";

const KINDS = ["newline", "number", "string", "local", "global", "place", "word", "sign"] as const;

export interface Token {
  readonly kind: (typeof KINDS)[number] | "end";
  readonly text: string;
  readonly offset: number;
}

/** Longest text that is read: far above any kernel. */
const MAX_TEXT = 64 * 1024 * 1024;

const PATTERNS: { readonly [K in (typeof KINDS)[number]]: string } = {
  newline: String.raw`\n`,
  number: String.raw`-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity\b)|NaN\b`,
  // Of a string only the beginning: a pattern for all of it would overflow the stack on a long one.
  string: `"`,
  local: `%(?:${IDENTIFIER.source}|")`,
  global: String.raw`@(?:\d+|${IDENTIFIER.source}|")`,
  place: String.raw`#\d+`,
  word: IDENTIFIER.source,
  sign: String.raw`[(){}\[\]<>,:=.]`,
};
const TOKEN = new RegExp(KINDS.map((kind) => `(${PATTERNS[kind]})`).join("|"), "uy");
const BLANK = /(?:[ \t\r]+|\/\/[^\n]*)*/uy;
/** The number that tells locals of one name apart. */
const NUMBER_OF_LOCAL = /\.\d+/uy;
const CONTINUES: ReadonlySet<string> = new Set(["(", "[", ",", "="]);

/** What a text is written in, and the code of its mistakes. */
export interface Language {
  readonly what: string;
  readonly code: DiagnosticCode;
}

/** The tokens of a text, read as far as they are asked for; the last is `end`, and stays the last. */
export class Tokens {
  readonly #text: string;
  readonly #file: string;
  readonly #language: Language;
  readonly #read: Token[] = [];
  #offset = 0;

  constructor(text: string, file: string, language: Language) {
    if (text.length > MAX_TEXT)
      fail(language.code, `the ${language.what} text has ${text.length} characters, more than ${MAX_TEXT}`);
    this.#language = language;
    this.#text = text;
    this.#file = file;
  }

  at(index: number): Token {
    for (;;) {
      const token = this.#read[index];
      if (token !== undefined) return token;
      const last = this.#read[this.#read.length - 1];
      if (last?.kind === "end") return last;
      this.#read.push(this.#next(last));
    }
  }

  /** Throws a diagnostic at an offset. */
  fail(code: DiagnosticCode, message: string, offset: number): never {
    const before = this.#text.slice(0, offset);
    const line = before.split("\n").length;
    const column = offset - before.lastIndexOf("\n");
    return fail(code, message, { location: { file: this.#file, line, column } });
  }

  #next(last: Token | undefined): Token {
    for (;;) {
      this.#skip(BLANK);
      const offset = this.#offset;
      if (offset >= this.#text.length) return { kind: "end", text: "", offset };
      TOKEN.lastIndex = offset;
      const found = TOKEN.exec(this.#text);
      if (found === null) {
        const got = JSON.stringify(String.fromCodePoint(this.#text.codePointAt(offset) as number));
        this.fail(this.#language.code, `${got} does not begin a token`, offset);
      }
      this.#offset = found[0].endsWith('"') ? this.#endOfString(TOKEN.lastIndex) : TOKEN.lastIndex;
      const kind = KINDS[found.findIndex((group, i) => i > 0 && group !== undefined) - 1];
      if (kind === undefined) throw new TypeError("a token of no kind");
      if (kind === "newline" && CONTINUES.has(last?.text ?? "")) continue;
      if (kind === "local") this.#skip(NUMBER_OF_LOCAL);
      return { kind, text: this.#text.slice(offset, this.#offset), offset };
    }
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#offset;
    if (pattern.test(this.#text)) this.#offset = pattern.lastIndex;
  }

  /** The offset behind a string whose first quote stands before `start`. */
  #endOfString(start: number): number {
    for (let i = start; i < this.#text.length; i++) {
      const c = this.#text[i];
      if (c === '"') return i + 1;
      if (c === "\n") break;
      if (c === "\\") i++;
    }
    return this.fail(this.#language.code, "the string has no end on its line", start - 1);
  }
}
