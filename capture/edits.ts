/** Edits of a text that keep every line where it is; columns move only behind an edit, on its own line. */

export interface Edit {
  /** Offset into the text before all edits. */
  readonly at: number;
  readonly remove: number;
  readonly insert: string;
}

export class Edits {
  readonly #edits: Edit[] = [];

  /** Replaces `[from, to)`. Of edits at one place, the one that was asked for first stands first. */
  replace(from: number, to: number, insert: string): void {
    if (/[\r\n\u2028\u2029]/.test(insert)) throw new TypeError("an edit must not add lines");
    this.#edits.push({ at: from, remove: to - from, insert });
  }
  insert(at: number, text: string): void {
    this.replace(at, at, text);
  }

  /** In order of the text. */
  get sorted(): readonly Edit[] {
    return this.#edits
      .map((e, i) => ({ e, i }))
      .sort((a, b) => a.e.at - b.e.at || a.i - b.i)
      .map(({ e }) => e);
  }

  /** The edited text from an offset on. A removed part keeps its line ends. */
  apply(text: string, from = 0): string {
    let out = "";
    let done = from;
    for (const { at, remove, insert } of this.sorted) {
      if (at < done) throw new TypeError("edits overlap");
      out += text.slice(done, at) + insert + text.slice(at, at + remove).replace(/[^\r\n\u2028\u2029]/g, "");
      done = at + remove;
    }
    return out + text.slice(done);
  }

  /** True when some text on the same line moved sideways. */
  moves(text: string): boolean {
    return this.#edits.some(
      (e) => e.insert.length !== e.remove && !/^\s*(\r|\n|$)/.test(text.slice(e.at + e.remove)),
    );
  }

  /** How far the character at an offset moves to the right on its line, which starts at `lineStart`. */
  shift(offset: number, lineStart: number): number {
    let by = 0;
    for (const { at, remove, insert } of this.sorted) {
      if (at < lineStart) continue;
      if (at > offset || (at === offset && remove > 0)) break;
      by += at + remove <= offset ? insert.length - remove : at - offset;
    }
    return by;
  }
}
