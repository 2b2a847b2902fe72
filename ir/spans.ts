/**
 * The spans that a tile marks with perfBegin and perfEnd: properly nested, each id open once. One text for both
 * executions; when a span began and ended in time is the machine model's to say.
 */

export type MarkKind = "begin" | "end";

/** One perfBegin or perfEnd that a tile passed. */
export interface PerfMark {
  readonly kind: MarkKind;
  readonly id: number;
}

export interface SpanProblem {
  readonly message: string;
  readonly help: string;
}

/** The marks of one tile, in order. */
export class SpanMarks {
  readonly marks: PerfMark[] = [];
  readonly #open: number[] = [];

  /** Notes a mark, unless it does not pair. */
  mark(kind: MarkKind, id: number): SpanProblem | undefined {
    const open = this.#open;
    if (kind === "begin") {
      if (open.includes(id)) return { message: `span ${id} begins while it is open`, help: HELP };
      open.push(id);
    } else {
      const innermost = open[open.length - 1];
      if (innermost !== id) {
        const is = innermost === undefined ? "no span is open" : `the innermost open span is ${innermost}`;
        return { message: `span ${id} ends, but ${is}`, help: HELP };
      }
      open.pop();
    }
    this.marks.push({ kind, id });
    return undefined;
  }

  /** At the end of the tile. */
  finish(): SpanProblem | undefined {
    const left = this.#open[this.#open.length - 1];
    return left === undefined ? undefined : { message: `span ${left} never ends`, help: HELP };
  }
}

const HELP = "every S.perfBegin(id) needs its S.perfEnd(id), inner spans first";
