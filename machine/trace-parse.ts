/** Reads the text of a command trace: the exact inverse of `trace-print.ts`. */
import { ALL_DTYPES } from "../ir/dtype.ts";
import { Reader } from "../ir/reader.ts";
import { DATAFLOWS } from "./fabric.ts";
import {
  CORE_CLASSES,
  type Command,
  type End,
  type Item,
  LEVELS,
  MOVERS,
  type Mover,
  type Sfu,
  TRACE_VERSION,
  TRANSFORMS,
  type Trace,
  UNIT_LEVELS,
  UNIT_WORK,
  UNITS,
  type UnitName,
} from "./trace.ts";

/**
 * The trace of a text. It need not be well formed: see `verifyTrace`.
 * @throws KPU9010 with line and column, and what was expected there
 * @example parseTrace(printTrace(trace))
 */
export function parseTrace(text: string, file = "<trace>"): Trace {
  return new TraceParser(text, file).trace();
}

const MOVER_NAMES = Object.keys(MOVERS) as readonly Mover[];
const HEADS = [
  ...MOVER_NAMES,
  "fill",
  "mma",
  ...UNITS,
  "core",
  "wait",
  "barrier",
  "begin",
  "end",
  "loop",
] as const;

class TraceParser extends Reader {
  constructor(text: string, file: string) {
    super(text, file, { what: "trace", code: "KPU9010" });
  }

  trace(): Trace {
    this.newlines();
    this.word("trace");
    const version = this.integer("the version");
    if (version !== TRACE_VERSION)
      this.wrong(`version ${version} of traces is not known; this is version ${TRACE_VERSION}`, -1);
    const kernel = this.nameOf(this.take("global", "@ and the name of the kernel").text.slice(1));
    this.newlines();
    const tiles: Item[][] = [];
    while (this.takesWord("tile")) tiles.push(this.body());
    if (this.peek().kind !== "end") this.expected("tile, or the end of the text");
    return { version: TRACE_VERSION, kernel, tiles };
  }

  private body(): Item[] {
    this.deeper();
    const items: Item[] = [];
    this.sign("{");
    this.newlines();
    while (!this.takes("}")) items.push(this.item());
    this.depth--;
    this.newlines();
    return items;
  }

  private item(): Item {
    const head = this.choice("a command", HEADS);
    if (head === "loop")
      return { kind: "loop", count: this.integer("the rounds of a loop"), body: this.body() };
    const command = this.command(head);
    this.word("at");
    const at = this.integer("a location");
    if (this.peek().kind !== "sign" || this.peek().text !== "}") this.endOfLine();
    return { ...command, at };
  }

  private command(head: Exclude<(typeof HEADS)[number], "loop">): Unplaced<Command> {
    switch (head) {
      case "fill":
        return { kind: "fill", dst: this.end(), ...this.events() };
      case "mma": {
        const dtype = this.choice("a dtype", ALL_DTYPES);
        const [m = 0, n = 0, k = 0] = this.list("the sizes m, n, k", 3);
        return {
          kind: "mma",
          dtype,
          m,
          n,
          k,
          dataflow: this.choice("a dataflow", DATAFLOWS),
          ...this.events(),
        };
      }
      case "mieu":
      case "ecu":
      case "spc":
        return this.unit(head);
      case "core":
        return this.core();
      case "wait":
        return { kind: "wait", event: this.integer("an event") };
      case "barrier":
        return { kind: "barrier" };
      case "begin":
      case "end":
        return {
          kind: "mark",
          phase: head,
          id: this.peek().kind === "string" ? this.string() : this.number("an id"),
        };
      default:
        return this.move(head);
    }
  }

  private move(mover: Mover): Unplaced<Command> {
    const src = this.end();
    this.word("to");
    const dst = this.end();
    const transform = TRANSFORMS.find((t) => t !== "identity" && this.takesWord(t)) ?? "identity";
    const sfu = this.takesWord("sfu") ? { sfu: this.sfu() } : {};
    return { kind: "move", mover, src, dst, transform, ...sfu, ...this.events() };
  }

  private sfu(): Sfu {
    const elements = this.integer("a number of elements");
    const ops: string[] = [];
    this.sign("[");
    while (!this.takes("]")) {
      if (ops.length > 0) this.sign(",");
      const { kind, text } = this.advance();
      if (kind !== "word" && kind !== "string") this.wrong("expected the name of an op", -1);
      ops.push(this.nameOf(text));
    }
    const read = this.takesWord("read") ? { read: this.table("a level", LEVELS) } : {};
    return { elements, ops, ...read };
  }

  private unit(unit: UnitName): Unplaced<Command> {
    this.word("work");
    const work = this.table("a kind of work", UNIT_WORK);
    this.word("read");
    const read = this.table("a level", UNIT_LEVELS);
    this.word("write");
    const write = this.table("a level", UNIT_LEVELS);
    return { kind: "unit", unit, work, read, write, ...this.events() };
  }

  private core(): Unplaced<Command> {
    const cycles = this.takesWord("cycles") ? { cycles: this.integer("a number of cycles") } : {};
    this.word("ops");
    const ops = this.table("a cost class", CORE_CLASSES);
    this.word("lanes");
    const [int = 0, float = 0, math = 0] = this.list("the lanes int, float, math", 3);
    this.word("read");
    const read = this.table("a level", LEVELS);
    this.word("write");
    const write = this.table("a level", LEVELS);
    return { kind: "core", ...cycles, ops, lanes: { int, float, math }, read, write };
  }

  private end(): End {
    const level = this.choice("a level", LEVELS);
    const [base = 0, ...strides] = this.list("an address, and strides");
    this.sign(":");
    const first = this.integer("a number of bytes");
    const runs = { count: 1, bytes: first, stride: 0 };
    if (this.takesWord("of")) {
      runs.count = first;
      runs.bytes = this.integer("the bytes of a run");
      this.word("step");
      runs.stride = this.number("the distance of runs");
    }
    return { level, at: strides.length === 0 ? { base } : { base, strides }, runs };
  }

  private events(): { after?: number[]; signal?: number } {
    const after = this.takesWord("after") ? { after: this.list("events") } : {};
    const signal = this.takesWord("signal") ? { signal: this.integer("an event") } : {};
    return { ...after, ...signal };
  }

  /** Numbers in brackets; at least one, or exactly so many. */
  private list(what: string, length?: number): number[] {
    const values: number[] = [];
    this.sign("[");
    do values.push(this.number(what));
    while (this.takes(","));
    this.sign("]");
    if (length !== undefined && values.length !== length) this.wrong(`expected ${what}`, -1);
    return values;
  }

  private table<K extends string>(what: string, keys: readonly K[]): Partial<Record<K, number>> {
    const entries: Partial<Record<K, number>> = {};
    this.sign("[");
    for (let first = true; !this.takes("]"); first = false) {
      if (!first) this.sign(",");
      const key = this.choice(what, keys);
      if (entries[key] !== undefined) this.wrong(`${key} stands here twice`, -1);
      this.sign(":");
      entries[key] = this.integer(`the figure of ${key}`);
    }
    return entries;
  }

  private choice<K extends string>(what: string, words: readonly K[]): K {
    const { text } = this.peek();
    return (
      words.find((w) => w === text && this.takesWord(text)) ?? this.expected(`${what} (${words.join(", ")})`)
    );
  }
}

type Unplaced<C> = C extends unknown ? Omit<C, "at"> : never;
