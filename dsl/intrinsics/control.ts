/** Loops, output and assertions. */

import { address } from "../arguments.ts";
import type { PrintValue } from "../context.ts";
import { DType } from "../dtypes.ts";
import { intrinsic } from "../intrinsic.ts";
import { fail } from "../ir.ts";
import { isExpr, shapeOf, textOf, type Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops, type Refuse } from "../ops.ts";

const family = "control";

// ---------------------------------------------------------------------------------------------- loops

/** Bounds of `S.range` and `S.unroll` in their three forms; `undefined` parts are not given. */
export interface RangeArguments<T> {
  readonly from: T | 0;
  readonly to: T;
  readonly step: T | 1;
}

/** `range(to)`, `range(from, to)`, `range(from, to, step)`. */
export function rangeArguments<T>(name: string, args: readonly T[], refuse: Refuse): RangeArguments<T> {
  const [a, b, c] = args;
  if (a === undefined || args.length > 3)
    return refuse("KPU3009", `S.${name} takes (to), (from, to) or (from, to, step)`);
  if (b === undefined) return { from: 0, to: a, step: 1 };
  return { from: a, to: b, step: c === undefined ? 1 : c };
}

/** The rule about a number of a range that is known now; lowering proves it for runtime numbers. */
export function checkBound(
  name: string,
  what: "from" | "to" | "step" | "extent",
  v: number,
  refuse: Refuse,
  argument?: number,
): void {
  const at = argument === undefined ? {} : { argument };
  if (!Number.isSafeInteger(v)) refuse("KPU3005", `S.${name}: ${what} must be an integer, got ${v}`, at);
  if (what === "step" && v === 0) refuse("KPU3013", `S.${name}: step must not be 0`, at);
}

const failing: Refuse = (code, message, o) => fail(code, message, { help: o?.help });

function staticBounds(name: string, args: readonly unknown[]): RangeArguments<number> {
  const given = args.slice(0, args.findLastIndex((a) => a !== undefined) + 1);
  for (const a of given) {
    if (typeof a !== "number") fail("KPU3001", `S.${name}: bounds must be numbers, got ${textOf(a)}`);
  }
  const r = rangeArguments(name, given as number[], failing);
  checkBound(name, "from", r.from, failing);
  checkBound(name, "to", r.to, failing);
  checkBound(name, "step", r.step, failing);
  return r;
}

/** Counts like a `for` loop; one object per loop, whose results V8 removes by escape analysis. */
class Range implements IterableIterator<number> {
  private next_: number;
  private readonly to: number;
  private readonly step: number;
  constructor(from: number, to: number, step: number) {
    this.next_ = from;
    this.to = to;
    this.step = step;
  }
  [Symbol.iterator](): this {
    return this;
  }
  next(): IteratorResult<number, undefined> {
    const value = this.next_;
    if (this.step > 0 ? value >= this.to : value <= this.to) return { done: true, value: undefined };
    this.next_ = value + this.step;
    return { done: false, value };
  }
}

export interface RangeFunction<T> {
  (to: number): T;
  (from: number, to: number, step?: number): T;
}
const BOUNDS = [
  { name: "from", kind: "scalar", optional: true, doc: "0 when absent" },
  { name: "to", kind: "scalar", doc: "exclusive" },
  { name: "step", kind: "scalar", optional: true, doc: "not 0; 1 when absent; negative counts down" },
] as const;

export const range = intrinsic<RangeFunction<Iterable<number>>>({
  name: "range",
  family,
  signature: { operands: BOUNDS, result: "iterable of numbers" },
  effect: "pure",
  cost: "branch",
  doc: "Counts from `from` to `to` (exclusive) by `step`: `for (const i of S.range(0, n, 8))`. A negative step counts down; a step of 0 is an error (KPU3013). Stays a loop when compiled. The bounds and the step are integers and are evaluated once.",
  example: "for (const i of S.range(0, 8, 2)) y.set(i, i);",
  simulate: (_sim, a: unknown, b?: unknown, c?: unknown) => {
    const r = staticBounds("range", [a, b, c]);
    return new Range(r.from, r.to, r.step);
  },
  lower: (b) => outsideFor(b.refuse.bind(b), "range"),
});

function outsideFor(refuse: Refuse, name: string): never {
  return refuse("KPU1013", `S.${name} stands only in the head of a for-of loop`, {
    help: `write for (const i of S.${name}(...)) { ... }`,
  });
}

function* pairs(height: number, width: number): Generator<readonly [number, number], void, undefined> {
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) yield [y, x];
}

export const grid = intrinsic<(height: number, width: number) => Iterable<readonly [number, number]>>({
  name: "grid",
  family,
  signature: {
    operands: [
      { name: "height", kind: "scalar" },
      { name: "width", kind: "scalar" },
    ],
    result: "iterable of [y, x]",
  },
  effect: "pure",
  cost: "branch",
  doc: "All pairs [y, x] with 0 <= y < height and 0 <= x < width, row by row: `for (const [y, x] of S.grid(h, w))`. Stays two loops when compiled.",
  example: "for (const [r, c] of S.grid(2, 4)) y.set(r * 4 + c, r);",
  simulate: (_sim, height: unknown, width: unknown) => {
    for (const v of [height, width]) {
      if (v === undefined) fail("KPU3009", "S.grid takes (height, width)");
      if (typeof v !== "number") fail("KPU3001", `S.grid: extents must be numbers, got ${textOf(v)}`);
      checkBound("grid", "extent", v, failing);
    }
    return pairs(height as number, width as number);
  },
  lower: (b) => outsideFor(b.refuse.bind(b), "grid"),
});

/** The code of a loop body this often is more than anybody reads, and than a program should have. */
export const MOST_ROUNDS = 4096;

function unrolled(name: string, r: RangeArguments<number>): readonly number[] {
  const rounds = Math.max(0, Math.ceil((r.to - r.from) / r.step));
  if (rounds > MOST_ROUNDS) {
    fail("KPU2008", `S.${name}: expected at most ${MOST_ROUNDS} rounds, got ${rounds}`, {
      help: "use S.range for a loop of run time",
    });
  }
  return Object.freeze([...new Range(...bounds(r))]);
}

export const unroll = intrinsic<RangeFunction<readonly number[]>>({
  name: "unroll",
  family,
  signature: {
    operands: BOUNDS.map((o) => ({ ...o, kind: "static" as const })),
    result: "array of static numbers",
  },
  effect: "pure",
  cost: "free",
  doc: `As range over static bounds, but the loop body is repeated and the loop variable is static in it: it may index arrays and choose code. At most ${MOST_ROUNDS} rounds.`,
  example: "for (const k of S.unroll(4)) y.set(k, k);",
  simulate: (_sim, a: unknown, b?: unknown, c?: unknown): readonly number[] => {
    return unrolled("unroll", staticBounds("unroll", [a, b, c]));
  },
  lower: (b, ...args: unknown[]) => {
    if (args.some((v) => isExpr(v)))
      b.refuse("KPU2008", "S.unroll needs static bounds", { help: "S.range loops over runtime bounds" });
    return unrolled("unroll", staticBounds("unroll", args));
  },
});
function bounds(r: RangeArguments<number>): [number, number, number] {
  return [r.from, r.to, r.step];
}

// ---------------------------------------------------------------------------------------------- print

export interface Print {
  (format: string, ...values: (PrintValue | string | DType)[]): void;
  (parts: TemplateStringsArray, ...values: (PrintValue | string | DType)[]): void;
}

/**
 * Format and values in the one form that both executions print: a template becomes a format, values beyond the
 * placeholders get one each, and static text is put into the format.
 */
function printed(ops: Ops, args: readonly unknown[]): { format: string; values: Value[] } {
  const [first, ...values] = args;
  const parts = formatParts(ops, first, values.length);
  const kept: Value[] = [];
  let format = parts[0] ?? "";
  for (const [i, v] of values.entries()) {
    const text = staticText(ops, v, i + 1);
    if (text === undefined) kept.push(address(v));
    format += (text ?? "{}") + (parts[i + 1] ?? "");
  }
  return { format, values: kept };
}

/** The text between placeholders: one part more than values. */
function formatParts(ops: Ops, first: unknown, count: number): string[] {
  if (Array.isArray(first) && "raw" in first) return first.map((s) => plain(ops, String(s), "the template"));
  if (typeof first !== "string") {
    return ops.refuse("KPU3001", `${ops.name}: the format must be a string, got ${textOf(first)}`, {
      argument: 0,
      help: `write S.print("i={}", i) or S.print\`i=\${i}\``,
    });
  }
  const parts = first.split("{}");
  if (parts.length - 1 > count) {
    ops.refuse(
      "KPU3009",
      `${ops.name}: the format has ${parts.length - 1} placeholders for ${count} values`,
      { argument: 0 },
    );
  }
  while (parts.length - 1 < count) {
    const gap = parts.length === 1 && parts[0] === "" ? "" : " ";
    parts[parts.length - 1] += gap;
    parts.push("");
  }
  return parts;
}

function plain(ops: Ops, text: string, what: string): string {
  if (text.includes("{}"))
    ops.refuse("KPU3001", `${ops.name}: ${what} contains "{}", which stands for a value`, {
      help: 'write "{ }"',
    });
  return text;
}

function staticText(ops: Ops, v: unknown, argument: number): string | undefined {
  if (typeof v === "string") return plain(ops, v, "a printed string");
  if (v instanceof DType) return v.name;
  const s = shapeOf(v);
  if (s.is !== "other" && s.is !== "event") return undefined;
  return ops.refuse("KPU3001", `${ops.name}: cannot print ${textOf(v)}`, {
    argument,
    help: "print numbers, booleans, vectors, masks, pointers, static strings and dtypes",
  });
}

export const print = intrinsic<Print>({
  name: "print",
  family,
  variadic: true,
  signature: {
    operands: [
      { name: "format", kind: "static", doc: "text with {} placeholders, or a template literal" },
      {
        name: "values",
        kind: "any",
        doc: "numbers, booleans, vectors, masks, pointers, static strings, dtypes",
      },
    ],
    result: "nothing",
  },
  effect: "write",
  cost: "host",
  doc: `Prints one line that opens with "tile <id>: ". Values beyond the placeholders are appended. Also as a template: S.print\`i=\${i}\`. Numbers print as in JavaScript (-0 as -0), vectors as \`f32x4 [1, 2.5, NaN, -0]\`, masks as TTFF, pointers as \`ptr<f32, global>\` (a null pointer as \`null ptr<f32, global>\`), dtypes by name.`,
  example: 'S.print("v={}", S.vload(x));',
  simulate: (sim, ...args: unknown[]) => {
    const { format, values } = printed(new DirectOps(sim, "print"), args);
    sim.print(format, values as PrintValue[]);
  },
  lower: (b, ...args: unknown[]) => {
    const ops = new LoweredOps(b, "print");
    const { format, values } = printed(ops, args);
    b.op(
      "print",
      values.map((v) => ops.expr(v)),
      { text: b.text(format) },
    );
  },
});

function message(ops: Ops, v: unknown): string {
  if (v === undefined) return "assertion failed";
  if (typeof v === "string") return v;
  return ops.refuse("KPU3001", `${ops.name}: the message must be a static string, got ${textOf(v)}`, {
    argument: 1,
  });
}

/** The condition as a boolean: numbers by truthiness. */
function condition(ops: Ops, v: unknown): void {
  if (v === undefined) ops.refuse("KPU3009", `${ops.name}: the condition is missing`, { argument: 0 });
  const s = shapeOf(v);
  if (s.is === "bool" || s.is === "number") return;
  ops.refuse("KPU3001", `${ops.name}: the condition must be a boolean, got ${textOf(v)}`, {
    argument: 0,
    ...(s.is === "mask" ? { help: "S.vall(mask) or S.vany(mask)" } : {}),
  });
}

export const assert = intrinsic<(condition: boolean, message?: string) => void>({
  name: "assert",
  family,
  signature: {
    operands: [
      { name: "condition", kind: "scalar" },
      { name: "message", kind: "static", optional: true },
    ],
    result: "nothing",
  },
  effect: "write",
  cost: "host",
  doc: "Stops the kernel with the message when the condition is false. It stays in compiled programs.",
  example: 'S.assert(x.get(0) < 1000, "x is small");',
  simulate: (sim, c: unknown, m?: unknown) => {
    const ops = new DirectOps(sim, "assert");
    condition(ops, c);
    sim.assert(Boolean(c), message(ops, m));
  },
  lower: (b, c: unknown, m?: unknown) => {
    const ops = new LoweredOps(b, "assert");
    condition(ops, c);
    const cond = shapeOf(c).is === "bool" ? ops.expr(c as Value) : b.op("truthy", [ops.expr(c as Value)]);
    b.op("assert", [cond], { text: b.text(message(ops, m)) });
  },
});
