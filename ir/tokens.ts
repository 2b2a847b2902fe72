/** KIR text as tokens, with positions. Newlines are tokens, because they end statements; not after `( [ , =`. */
import { fail } from "./diagnostic.ts";
import { IDENTIFIER } from "./syntax.ts";

export type TokenKind =
  | "newline"
  | "number"
  | "string"
  | "word"
  | "local"
  | "global"
  | "place"
  | "sign"
  | "end";

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly offset: number;
}

/** Longest text that is read: far above any kernel, and small enough to hold its tokens. */
const MAX_TEXT = 64 * 1024 * 1024;

const STRING = String.raw`"(?:[^"\\\n]|\\.)*"`;
const NAME = `(?:${IDENTIFIER.source}|${STRING})`;
const TOKEN = new RegExp(
  [
    String.raw`(?<blank>[ \t\r]+|//[^\n]*)`,
    String.raw`(?<newline>\n)`,
    String.raw`(?<number>-?(?:\d+(?:\.\d+)?(?:e[+-]?\d+)?|Infinity\b)|NaN\b|Infinity\b)`,
    `(?<string>${STRING})`,
    String.raw`(?<local>%${NAME}(?:\.\d+)?)`,
    String.raw`(?<global>@(?:\d+|${NAME}))`,
    String.raw`(?<place>#\d+)`,
    `(?<word>${IDENTIFIER.source})`,
    String.raw`(?<sign>[(){}\[\]<>,:=.])`,
  ].join("|"),
  "uy",
);
const CONTINUES: ReadonlySet<string> = new Set(["(", "[", ",", "="]);
const KINDS = ["newline", "number", "string", "local", "global", "place", "word", "sign"] as const;

/** Splits a text; the last token is `end`. */
export function tokenize(text: string, file: string): Token[] {
  if (text.length > MAX_TEXT)
    fail("KPU7001", `the KIR text has ${text.length} characters, more than ${MAX_TEXT}`);
  const tokens: Token[] = [];
  let offset = 0;
  while (offset < text.length) {
    TOKEN.lastIndex = offset;
    const groups = TOKEN.exec(text)?.groups;
    if (groups === undefined) {
      const got = JSON.stringify(String.fromCodePoint(text.codePointAt(offset) as number));
      fail("KPU7001", `${got} does not begin a token`, { location: locate(text, offset, file) });
    }
    const length = TOKEN.lastIndex - offset;
    const kind = KINDS.find((k) => groups[k] !== undefined);
    const continued = kind === "newline" && CONTINUES.has(tokens[tokens.length - 1]?.text ?? "");
    if (kind !== undefined && !continued)
      tokens.push({ kind, text: text.slice(offset, offset + length), offset });
    offset += length;
  }
  tokens.push({ kind: "end", text: "", offset });
  return tokens;
}

/** Line and column of an offset, from 1. */
export function locate(
  text: string,
  offset: number,
  file: string,
): { file: string; line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { file, line, column: offset - before.lastIndexOf("\n") };
}
