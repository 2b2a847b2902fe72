/**
 * Random kernels made of JavaScript expressions over scalars of every origin: parameters, loads, loop counters,
 * captured numbers, locals that change. Every value is printed, because a store would round it.
 */
import { type AnyKernel, bool, f16, f32, i8, i32, kernel, ptr, S, u8, u16, u32 } from "kpu-dsl";

export interface RandomKernel {
  readonly source: string;
  readonly kernel: AnyKernel;
  /** The same text as plain JavaScript: gives what it printed. */
  plain(args: readonly unknown[]): string[];
  /** Arguments for one run, fresh each time. */
  args(): unknown[];
}

/** Small, fast, replayable. */
export function randomOf(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = s;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const PARAMS = ["p", "q", "a", "b", "c", "d", "u", "x", "h", "t"] as const;
const NUMBERS = [
  "0",
  "1",
  "2",
  "3",
  "4",
  "7",
  "8",
  "31",
  "32",
  "33",
  "100",
  "255",
  "256",
  "65535",
  "2147483647",
  "4294967295",
  "0.5",
  "1.5",
  "-1",
  "-0",
  "1e10",
  "1e300",
  "9007199254740991",
];

export class Writer {
  private readonly next: () => number;
  private depth = 0;
  readonly scope: string[];
  constructor(next: () => number, scope: string[]) {
    this.next = next;
    this.scope = scope;
  }
  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.next() * list.length)] as T;
  }
  chance(p: number): boolean {
    return this.next() < p;
  }

  number(): string {
    if (this.depth > 4 || this.chance(0.25)) return this.leaf();
    this.depth++;
    const text = this.compound();
    this.depth--;
    return text;
  }
  private leaf(): string {
    const k = this.next();
    if (k < 0.3) return this.pick(NUMBERS).replace(/^-(.*)/, "(-$1)");
    if (k < 0.55) return this.pick(["a", "b", "c", "d", "u", "x", "h"]);
    if (k < 0.65) return `p.get(${Math.floor(this.next() * 8)})`;
    if (k < 0.72) return `q.get(${Math.floor(this.next() * 8)})`;
    if (k < 0.8) return this.pick(["K", "L", "Z"]);
    return this.pick(this.scope);
  }
  private compound(): string {
    const n = (): string => this.number();
    switch (Math.floor(this.next() * 22)) {
      case 0:
      case 1:
        return `(${n()} + ${n()})`;
      case 2:
        return `(${n()} - ${n()})`;
      case 3:
        return `(${n()} * ${n()})`;
      case 4:
        return `(${n()} / ${n()})`;
      case 5:
        return `(${n()} % ${n()})`;
      case 6:
        return `(${n()} ${this.pick(["&", "|", "^"])} ${n()})`;
      case 7:
        return `(${n()} ${this.pick(["<<", ">>", ">>>"])} ${n()})`;
      case 8:
        return `(${this.pick(["-", "~", "+"])}${n()})`;
      case 9:
        return `(${this.bool()} ? ${n()} : ${n()})`;
      case 10:
        return `(${n()} ${this.pick(["&&", "||"])} ${n()})`;
      case 11:
        return `Math.${this.pick(["min", "max"])}(${n()}, ${n()})`;
      case 12:
        return `Math.${this.pick(["floor", "ceil", "trunc", "round", "abs", "sign", "sqrt", "fround", "clz32"])}(${n()})`;
      case 13:
        return `Math.imul(${n()}, ${n()})`;
      case 14:
        return `S.${this.pick(["i8", "u8", "i16", "u16", "i32", "u32", "f32", "f16", "bf16"])}(${n()})`;
      case 15:
        return `S.${this.pick(["min", "max"])}(${n()}, ${n()})`;
      case 16: {
        const v = this.pick(this.scope.filter((s) => s.startsWith("v")));
        return v === undefined ? n() : this.pick([`(${v}++)`, `(++${v})`, `(${v}--)`, `(--${v})`]);
      }
      case 17: {
        const v = this.pick(this.scope.filter((s) => s.startsWith("v")));
        return v === undefined
          ? n()
          : `(${v} ${this.pick(["=", "+=", "-=", "*=", "|=", "&=", "^=", "%=", "<<=", ">>>="])} ${n()})`;
      }
      case 18:
        return `Number(${this.bool()})`;
      case 19:
        return `(${n()}, ${n()})`;
      case 20:
        return `helper(${n()}, ${n()})`;
      default:
        return `(${this.bool()} + ${n()})`;
    }
  }
  bool(): string {
    if (this.depth > 4) return this.pick(["t", "true", "false"]);
    this.depth++;
    const text = this.condition();
    this.depth--;
    return text;
  }
  private condition(): string {
    const n = (): string => this.number();
    switch (Math.floor(this.next() * 8)) {
      case 0:
      case 1:
        return `(${n()} ${this.pick(["<", "<=", ">", ">="])} ${n()})`;
      case 2:
        return `(${n()} ${this.pick(["===", "!==", "==", "!="])} ${n()})`;
      case 3:
        return `(!${this.chance(0.5) ? n() : this.bool()})`;
      case 4:
        return `(${this.bool()} ${this.pick(["&&", "||"])} ${this.bool()})`;
      case 5:
        return `Number.${this.pick(["isNaN", "isInteger", "isFinite", "isSafeInteger"])}(${n()})`;
      case 6:
        return `Boolean(${n()})`;
      default:
        return "t";
    }
  }
}

const SETTERS = ["=", "+=", "-=", "*=", "|=", "&&=", "||="] as const;

/** Statements of every form, nested a little; labels and counters are numbered. */
class Program {
  private readonly w: Writer;
  private names = 0;
  private labels: string[] = [];
  private inLoop = 0;
  constructor(w: Writer) {
    this.w = w;
  }

  list(count: number, depth: number): string {
    return Array.from({ length: count }, () => this.statement(depth)).join(" ");
  }

  private variable(): string {
    return this.w.pick(["v0", "v1", "v2"]);
  }
  private assign(): string {
    const v = this.variable();
    return `${v} ${this.w.pick(SETTERS)} ${this.w.number()};`;
  }
  private scoped(name: string, text: () => string): string {
    this.w.scope.push(name);
    const out = text();
    this.w.scope.splice(this.w.scope.indexOf(name), 1);
    return out;
  }
  private loop(text: () => string): string {
    this.inLoop++;
    const out = text();
    this.inLoop--;
    return out;
  }

  statement(depth: number): string {
    const w = this.w;
    const nested = (): string => this.list(1 + Math.floor(w.chance(0.5) ? 1 : 0), depth - 1);
    const print = (): string => `S.print("{}", ${w.chance(0.85) ? w.number() : w.bool()});`;
    if (depth <= 0) return w.chance(0.5) ? print() : this.assign();
    switch (Math.floor(w.pick([0, 0, 0, 0, 1, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))) {
      case 0:
        return print();
      case 1:
        return this.assign();
      case 2:
        return `if (${w.bool()}) { ${nested()} }`;
      case 3:
        return `if (${w.bool()}) { ${nested()} } else { ${nested()} } S.print("{}", ${this.variable()});`;
      case 4:
        return this.loop(() => {
          const i = `i${this.names++}`;
          const head = `let ${i} = ${w.pick(["0", "-2", "(b & 3)", "0.5"])}; ${i} ${w.pick(["<", "<="])} ${w.pick(["3", "4", "(c & 3)", "(a & 7) - 2", "2.5"])}; ${w.pick([`${i}++`, `${i} += 2`, `++${i}`])}`;
          return this.scoped(
            i,
            () => `for (${head}) { ${nested()} ${this.leave()} } S.print("{}", ${this.variable()});`,
          );
        });
      case 5:
        return this.loop(() => {
          const n = `n${this.names++}`;
          const label = w.chance(0.5) ? `L${this.names++}` : undefined;
          if (label) this.labels.push(label);
          const body = this.scoped(n, () => `{ ${n}++; ${nested()} ${this.leave()} }`);
          if (label) this.labels.pop();
          const test = `${n} < ${w.pick(["3", "(c & 3)", "4"])}`;
          const loop = w.chance(0.6)
            ? `while (${test} && ${w.bool()}) ${body}`
            : `do ${body} while (${test});`;
          return `let ${n} = 0; ${label ? `${label}: ` : ""}${loop} S.print("{}", ${this.variable()});`;
        });
      case 6: {
        const subject = w.chance(0.8) ? `(${w.number()} & 3)` : "(K & 3)";
        const clauses = [0, 1, 2].map((k) => `case ${k}: ${nested()} ${w.chance(0.6) ? "break;" : ""}`);
        clauses.splice(
          Math.floor(w.pick([0, 1, 3])),
          0,
          `default: ${nested()} ${w.chance(0.6) ? "break;" : ""}`,
        );
        return `switch (${subject}) { ${clauses.join(" ")} } S.print("{}", ${this.variable()});`;
      }
      case 7: {
        const k = `k${this.names++}`;
        return this.loop(() =>
          this.scoped(
            k,
            () =>
              `for (const ${k} of S.unroll(3)) { A[${k}] ${w.pick(["=", "+="])} ${w.number()}; ${nested()} ${this.leave()} } S.print("{}", A[${w.pick(["0", "1", "2"])}]);`,
          ),
        );
      }
      case 8:
        return "[v0, v1] = [v1, v0];";
      case 9:
        return `bump(${w.number()}); S.print("{}", v0);`;
      case 10:
        return `A[${w.pick(["0", "1", "2"])}] = ${w.number()}; S.print("{}", A[0] + A[1] + A[2]);`;
      case 11: {
        const name = `w${this.names++}`;
        return `let ${name}; if (${w.bool()}) ${name} = ${w.number()}; else ${name} = ${w.number()}; S.print("{}", ${name});`;
      }
      default:
        return `{ const { p: o, q: [r] } = { p: ${w.number()}, q: [${w.number()}, ${w.number()}] }; S.print("{} {}", o, r); }`;
    }
  }

  private leave(): string {
    const w = this.w;
    if (this.inLoop === 0 || w.chance(0.6)) return "";
    const label = this.labels.length > 0 && w.chance(0.5) ? ` ${w.pick(this.labels)}` : "";
    return `if (${w.chance(0.15) ? "K > 0" : w.bool()}) ${w.pick(["break", "continue"])}${label};`;
  }
}

function statements(w: Writer, count: number, wait: string): string {
  w.scope.push("v0", "v1", "v2", "A[0]", "A[1]");
  const bump = `const bump = (m) => { if (m !== 2) {${wait}} if (m > 3) { v0 = m; return; } v0 += 1; };`;
  const lines = ["let v0 = 0, v1 = a, v2 = x;", "const A = [0, b, x];", bump];
  const program = new Program(w);
  for (let k = 0; k < count; k++) lines.push(program.statement(2));
  lines.push('S.print("{} {} {} {}", v0, v1, v2, A[2]);');
  return lines.join("\n  ");
}

const helperOf = (wait: string): string =>
  `function helper(m, n) {${wait} if (m < n) return n - m; if (m === 0) return 0; return m; }`;
export const HELPER = helperOf("");

/** A kernel of ten statements; the same seed gives the same kernel. With `waits` its helpers meet at barriers. */
export function randomKernel(seed: number, { waits = false } = {}): RandomKernel {
  const next = randomOf(seed);
  const w = new Writer(next, ["a", "x"]);
  const wait = waits ? " S.barrier(); " : "";
  const body = statements(w, 10, wait);
  const statics = [Math.floor(next() * 100) - 50, next() * 1000, -0];
  const source = `${helperOf(wait)}\nreturn function k(${PARAMS.join(", ")}) {\n  ${body}\n}`;
  const make = new Function("S", "K", "L", "Z", source) as (
    s: unknown,
    ...k: number[]
  ) => (...args: never[]) => void;
  const declared = [ptr(f32), ptr(i8), i32, i32, u8, f32, u32, f32, f16, bool];
  void u16;
  const int = (lo: number, hi: number): number =>
    next() < 0.3
      ? ([lo, hi, 0, Math.min(hi, 1), Math.max(lo, -1)][Math.floor(next() * 5)] as number)
      : Math.floor(lo + next() * (hi - lo + 1));
  const float = (): number =>
    Math.fround(
      [0, -0, Number.NaN, Infinity, -Infinity, 1.5, -2.25, 1e-40, 16777217, next() * 100, -next()][
        Math.floor(next() * 11)
      ] as number,
    );
  const halves = [0, -0, 1, -1.5, 65504, Infinity, Number.NaN, 2 ** -24, 0.333251953125];
  return {
    source,
    kernel: kernel(declared as never, make(S, ...statics) as never) as unknown as AnyKernel,
    plain(args) {
      const [p, q, ...scalars] = args as [Float32Array, Int8Array, ...number[]];
      const lines: string[] = [];
      const print = (_format: string, ...v: (number | boolean)[]): void => {
        lines.push(v.map((x) => (Object.is(x, -0) ? "-0" : String(x))).join(" "));
      };
      const spy = { ...S, print, barrier: () => undefined };
      make(
        spy,
        ...statics,
      )(...([{ get: (i: number) => p[i] }, { get: (i: number) => q[i] }, ...scalars] as never[]));
      return lines;
    },
    args: () => [
      Float32Array.from({ length: 8 }, float),
      Int8Array.from({ length: 8 }, () => int(-128, 127)),
      int(-(2 ** 31), 2 ** 31 - 1),
      int(-20, 20),
      int(0, 255),
      float(),
      int(0, 2 ** 32 - 1),
      float(),
      halves[Math.floor(next() * halves.length)],
      next() < 0.5,
    ],
  };
}
