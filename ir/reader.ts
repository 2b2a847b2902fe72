/** What parsers of text forms share: tokens taken one by one, and mistakes reported where they stand. */
import type { DiagnosticCode } from "./codes.ts";
import { type Language, type Token, Tokens } from "./tokens.ts";

/** Deepest nesting of what a text nests. */
const MAX_DEPTH = 400;

export abstract class Reader {
  private readonly tokens: Tokens;
  private readonly language: Language;
  protected next = 0;
  protected depth = 0;

  constructor(text: string, file: string, language: Language) {
    this.tokens = new Tokens(text, file, language);
    this.language = language;
  }

  protected peek(ahead = 0): Token {
    return this.tokens.at(this.next + ahead);
  }
  protected advance(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.next++;
    return token;
  }
  protected take(kind: Token["kind"], what: string): Token {
    return this.peek().kind === kind ? this.advance() : this.expected(what);
  }
  protected takes(text: string): boolean {
    const { kind, text: got } = this.peek();
    if (kind !== "sign" || got !== text) return false;
    this.next++;
    return true;
  }
  protected takesWord(text: string): boolean {
    const { kind, text: got } = this.peek();
    if (kind !== "word" || got !== text) return false;
    this.next++;
    return true;
  }
  protected sign(text: string): void {
    if (!this.takes(text)) this.expected(`"${text}"`);
  }
  protected word(text: string): void {
    if (!this.takesWord(text)) this.expected(text);
  }
  protected oneOf(what: string, words: readonly string[]): string {
    const { kind, text } = this.peek();
    if (kind !== "word" || !words.includes(text)) return this.expected(`${what} (${words.join(", ")})`);
    this.next++;
    return text;
  }
  protected number(what: string): number {
    return Number(this.take("number", what).text);
  }
  protected integer(what: string): number {
    const value = this.number(what);
    return Number.isSafeInteger(value) && value >= 0
      ? value
      : this.wrong(`${what} must be an integer, at least 0`, -1);
  }
  protected string(): string {
    return this.unquoted(this.take("string", "a string").text);
  }
  protected newlines(): void {
    while (this.peek().kind === "newline") this.next++;
  }
  protected endOfLine(): void {
    if (this.peek().kind !== "newline") this.expected("the end of the line");
    this.newlines();
  }
  protected deeper(): void {
    if (++this.depth > MAX_DEPTH) this.wrong(`nested more than ${MAX_DEPTH} deep`, 0);
  }

  // -------------------------------------------------------------------------------------------- mistakes

  protected expected(what: string): never {
    const { kind, text } = this.peek();
    const got =
      kind === "end"
        ? "the end of the text"
        : kind === "newline"
          ? "the end of the line"
          : `"${text.slice(0, 40)}"`;
    return this.wrong(`expected ${what}, got ${got}`, 0);
  }

  /** Reports at a token, or at the one so many places from the next. */
  protected wrong(message: string, at: Token | number, code: DiagnosticCode = this.language.code): never {
    const token = typeof at === "number" ? this.tokens.at(Math.max(0, this.next + at)) : at;
    return this.tokens.fail(code, message, token.offset);
  }

  /** A name, quoted or not. */
  protected nameOf(text: string): string {
    return text.startsWith('"') ? this.unquoted(text) : text;
  }
  protected unquoted(text: string): string {
    try {
      return String(JSON.parse(text));
    } catch {
      return this.wrong(`${text} is not a valid string`, -1);
    }
  }
}
