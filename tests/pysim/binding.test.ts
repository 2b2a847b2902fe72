/**
 * What is refused when the arguments of a call are bound, by the direct call, `simulate`, a built program and one read
 * from its file alike: the call with the bug gives the code and leaves the arrays as they were, its twin runs.
 */
import { inspect } from "node:util";
import {
  build,
  f32,
  type HostParams,
  i32,
  type Kernel,
  KpuError,
  kernel,
  loadProgram,
  type ParamDecl,
  ptr,
  S,
  simulate,
  u8,
  u32,
} from "kpu-dsl";
import { expect, test } from "vitest";

/** Copies in fours; a copy onto its own source, further up, would read what it wrote. */
const move = kernel(
  [ptr(f32, { noalias: true }), ptr(f32, { const: true }), i32],
  function move(to, from, n) {
    for (let i = S.tileId() * 4; i < n; i += S.tileCount() * 4) {
      const m = S.tailMask(n - i, 4);
      S.vstore(S.vload(from.at(i), { mask: m }), to.at(i), { mask: m });
    }
  },
);
const moveAliased = kernel([ptr(f32), ptr(f32, { const: true }), i32], function moveAliased(to, from, n) {
  if (S.tileId() === 0) for (let i = 0; i < n; i++) to.set(i, from.get(i));
});
/** The second pointer is the declared one, of another dtype. */
const bytes = kernel([ptr(u32), ptr(u8, { noalias: true, const: true })], function bytes(out, x) {
  if (S.tileId() > 0) return;
  if (x.isNull) out.set(0, 7);
  else if (x.as(u8).eq(x)) out.set(0, x.as(u8).get(1));
});
const count = kernel([ptr(f32), u8, i32], function count(x, from, n) {
  if (S.tileId() === 0) for (let i = from; i < n; i++) x.set(i, i);
});

type Args = HostParams<readonly ParamDecl[]>;
type Run = (k: Kernel, args: Args) => void;
const RUNS: Record<string, Run> = {
  "direct call": (k, args) => k(...args),
  simulate: (k, args) => void simulate(k, args, { tiles: 1 }),
  build: (k, args) => void build(k).run(...args),
  "program file": (k, args) => void loadProgram(build(k).bytes).run(...args),
};

interface Case {
  readonly bug: readonly [k: unknown, ...args: Args];
  readonly twin: readonly [k: unknown, ...args: Args];
  readonly code: string;
  readonly says: string;
}

const row = (): Float32Array => Float32Array.from({ length: 12 }, (_, i) => i);
function cases(): Record<string, Case> {
  const x = row();
  const words = new Uint32Array(4);
  const parts = new Uint8Array(words.buffer, 4);
  return {
    "noalias: overlapping views": {
      bug: [move, x.subarray(1, 9), x.subarray(0, 8), 8],
      twin: [move, x.subarray(0, 6), x.subarray(6), 6],
      code: "KPU6012",
      says: "move: arguments to and from overlap in 28 bytes, but to is declared noalias",
    },
    "noalias: one array twice": {
      bug: [move, x, x, 4],
      twin: [move, row(), x, 4],
      code: "KPU6012",
      says: "overlap in 48 bytes",
    },
    "noalias: the same call where nothing is declared": {
      bug: [move, x.subarray(4), x, 4],
      twin: [moveAliased, x.subarray(4), x, 4],
      code: "KPU6012",
      says: "pass an array of its own for to",
    },
    "noalias: another dtype, the declared parameter last and only read": {
      bug: [bytes, words, new Uint8Array(words.buffer, 0, 2)],
      twin: [bytes, words.subarray(0, 1), parts],
      code: "KPU6012",
      says: "bytes: arguments x and out overlap in 2 bytes",
    },
    "noalias: null and empty arrays overlap nothing": {
      bug: [bytes, words, parts],
      twin: [bytes, words, null],
      code: "KPU6012",
      says: "overlap in 12 bytes",
    },
    "noalias: an empty array within another": {
      bug: [move, x.subarray(2, 3), x, 0],
      twin: [move, x.subarray(2, 2), x, 0],
      code: "KPU6012",
      says: "overlap in 4 bytes",
    },
    "integer above its dtype": {
      bug: [count, row(), 256, 8],
      twin: [count, row(), 255, 8],
      code: "KPU6003",
      says: "count: argument from must be within 0 .. 255 (u8), got 256",
    },
    "integer below its dtype": {
      bug: [count, row(), -1, 8],
      twin: [count, row(), 0, 8],
      code: "KPU6003",
      says: "must be within 0 .. 255 (u8), got -1",
    },
    "number that is no integer": {
      bug: [count, row(), 0, 12 / 5],
      twin: [count, row(), 0, Math.floor(12 / 5)],
      code: "KPU6003",
      says: "argument n must be an integer (i32), got 2.4",
    },
    "length of more than 31 bits": {
      bug: [count, row(), 9, 2 ** 31],
      twin: [count, row(), 9, 12],
      code: "KPU6003",
      says: "pass a value of i32 or declare a wider dtype",
    },
  };
}

const everywhere = Object.keys(cases()).flatMap((name) =>
  Object.keys(RUNS).map((run) => [name, run] as const),
);

test.each(everywhere)("%s: %s", (name, how) => {
  const { bug, twin, code, says } = cases()[name] as Case;
  const run = RUNS[how] as Run;
  const [k, ...args] = bug;
  const before = JSON.stringify(args);
  let fault: unknown;
  try {
    run(k as Kernel, args);
  } catch (error) {
    fault = error;
  }
  expect(fault).toBeInstanceOf(KpuError);
  expect((fault as KpuError).code).toBe(code);
  expect((fault as KpuError).message).toContain(says);
  expect(JSON.stringify(args)).toBe(before);
  const [good, ...fine] = twin;
  expect(() => run(good as Kernel, fine)).not.toThrow();
});

test("noalias is part of the declaration, the KIR and the program file", () => {
  const program = build(move);
  const spec = { name: "to", dtype: "f32", pointer: true, constant: false, noalias: true };
  expect(program.kir).toContain("(%to: noalias ptr<f32, global>, %from: ptr<const f32, global>, %n: i32)");
  expect(program.params[0]).toEqual(spec);
  const read = loadProgram(program.bytes);
  expect(read.params).toEqual(program.params);
  expect(read.kir).toBe(program.kir);
  expect(Buffer.from(read.bytes).equals(Buffer.from(program.bytes))).toBe(true);
  expect(inspect(move)).toBe("kernel move(ptr(f32, { noalias: true }), ptr(f32, { const: true }), i32)");
});
