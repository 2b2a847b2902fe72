/** The command trace of programs: found for all rounds of a loop at once, and the same commands as walked round by round. */
import { f32, i32, kernel, ptr, recordOf, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { legalise } from "../../codegen/legalise.ts";
import type { KernelRecord } from "../../dsl/kernel.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import type { Kernel } from "../../ir/kir.ts";
import { TARGETS, type Target } from "../../ir/target.ts";
import { targetOf } from "../../kernelsmith/executions.ts";
import { evaluate, generate } from "../../kernelsmith/index.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import type { Item } from "../../machine/trace.ts";
import { printTrace } from "../../machine/trace-print.ts";
import { deriveTrace, type TraceArgument } from "../../runtime/trace/index.ts";
import { expectSame, flat, itemCount } from "./same-trace.ts";

const machine = (k: unknown, target: Target = TARGETS.edge): Kernel => {
  const record = recordOf(k) as KernelRecord;
  return legalise(lowerKernel(record, { target }).kernel, target);
};

const sizeOf = (k: Kernel, args: readonly TraceArgument[]): number =>
  itemCount(deriveTrace(k, args, { tiles: 1 }).tiles[0] as readonly Item[]);

/** x in chunks of 64 through local memory, the next one under way while one is worked on; the last one is shorter. */
const scale = kernel([ptr(f32), ptr(f32, { const: true }), f32, i32], function scale(out, x, factor, n) {
  const near = S.alloc(f32, [2, 64]);
  const [e0, e1] = S.allocEvents(2);
  const events = [e0, e1];
  const chunks = S.ceildiv(n, 64);
  if (chunks > 0) S.asyncDmaCopy(near.at(0, 0), x, Math.min(64, n), e0);
  for (let k = 0; k < chunks; k += 2) {
    for (const turn of S.unroll(2)) {
      if (k + turn < chunks) {
        const next = k + turn + 1;
        if (next < chunks)
          S.asyncDmaCopy(
            near.at(1 - turn, 0),
            x.at(next * 64),
            Math.min(64, n - next * 64),
            events[1 - turn]!,
          );
        S.waitEvents(events[turn]!);
        for (const i of S.range(0, 64, 8))
          S.vstore(S.vmul(S.vload(near.at(turn, i)), factor), near.at(turn, i));
        S.dmaCopy(out.at((k + turn) * 64), near.at(turn, 0), Math.min(64, n - (k + turn) * 64));
      }
    }
  }
  S.freeEvents(e0, e1);
});

describe("deriveTrace", () => {
  test("double buffering with a shorter last chunk: a few items, whatever the size", () => {
    const k = machine(scale);
    const bytes = { bytes: 4 << 20 };
    for (const n of [0, 1, 64, 65, 640, 1000, 1025]) expectSame(k, [bytes, bytes, 2, n], 1);
    const [small, large] = [64 * 20 + 1, 64 * 16_000 + 1].map((n) =>
      itemCount(deriveTrace(k, [bytes, bytes, 2, n], { tiles: 1 }).tiles[0] as readonly Item[]),
    );
    expect(large).toBe(small);
    expect(large).toBeLessThan(40);
  });

  test("what it moves is what the program moves", () => {
    const k = machine(scale);
    const bytes = { bytes: 1 << 20 };
    const [items] = deriveTrace(k, [bytes, bytes, 2, 1000], { tiles: 1 }).tiles;
    let [read, written] = [0, 0];
    for (const text of flat(items as readonly Item[])) {
      const c = JSON.parse(text) as { kind?: string; src: End; dst: End };
      if (c.kind !== "move") continue;
      if (c.src.level === "dram") read += c.src.runs.count * c.src.runs.bytes;
      if (c.dst.level === "dram") written += c.dst.runs.count * c.dst.runs.bytes;
    }
    expect([read, written]).toEqual([4000, 4000]);
  });

  test("constant tables and buffers of local memory have places of their own", () => {
    const table = Float32Array.from({ length: 16 }, (_, i) => i);
    const k = machine(
      kernel([ptr(f32)], function tables(x) {
        const near = S.alloc(f32, [16]);
        const own = S.alloc(f32, [16], "private");
        S.dmaCopy(near.at(0), S.allocConst(f32, table), 16);
        S.dmaCopy(own.at(0), near.at(0), 16);
        S.dmaCopy(x, own.at(0), 16);
      }),
    );
    const [items = []] = deriveTrace(k, [{ bytes: 64 }], { tiles: 1 }).tiles;
    const places = items.flatMap((i) => (i.kind === "move" ? [i.src, i.dst] : []));
    const local = places.filter((p) => p.level === "local").map((p) => p.at.base);
    // Where the table is, where it is copied to, and where that is copied to.
    expect(local).toEqual([64, 0, 0, 128, 128]);
  });

  test("loops whose rounds take turns, triangles, variables that are carried", () => {
    const k = kernel([ptr(f32), i32], function k(x, n) {
      const near = S.alloc(f32, [4, 16]);
      let at = 3;
      for (let i = 0; i < n; i++) {
        S.dmaCopy(near.at(i & 3, 0), x.at(at), 16);
        at += 5;
        for (let j = 0; j < i; j++) S.dmaCopy(x.at(i * 16 + j), near.at(i % 4, j & 1), 1);
      }
      let flip = 0;
      for (let i = 0; i < n; i++) {
        S.dmaMemset(near.at(flip, 0), 0, 4);
        flip = 1 - flip;
      }
    });
    for (const n of [0, 1, 2, 3, 7, 16, 33]) expectSame(machine(k), [{ bytes: 4096 }, n], 1);
  });

  test("tiles divide the work and meet", () => {
    const k = kernel([ptr(f32), i32], function k(x, n) {
      const near = S.alloc(f32, [16]);
      for (let i = S.tileId(); i < n; i += S.tileCount()) S.dmaCopy(x.at(i * 16), near, 16);
      S.perfBegin(7);
      S.barrier();
      S.perfEnd(7);
    });
    const trace = expectSame(machine(k), [{ bytes: 65536 }, 101], 2);
    expect(printTrace(trace)).toMatch(/barrier/);
  });

  test("what loops carry: pointers, events that swap, counts up to a bound, loops without a counter", () => {
    const k = kernel([ptr(f32), i32], function k(x, n) {
      const near = S.alloc(f32, [2, 16]);
      let from = x;
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < 3; j++) {
          S.dmaCopy(near, from, 4);
          from = from.at(4 + (i & 1));
        }
      }
      let [width, left] = [1, n];
      while (left > 0) {
        S.dmaCopy(near.at(left & 1, 0), x.at(left), width);
        width = Math.min(width + 2, 9);
        left -= 3;
      }
      let [mine, other] = S.allocEvents(2);
      S.asyncDmaCopy(near, x, 8, mine);
      for (let i = 1; i < n; i++) {
        S.asyncDmaCopy(near.at(i % 2, 0), x.at(8 * i), 8, other);
        S.waitEvents(mine);
        [mine, other] = [other, mine];
        if (i === 17) break;
        if (i % 5 === 3) continue;
        S.dmaMemset(x.at(i), 0, 1);
      }
      S.waitEvents(mine);
      S.freeEvents(mine, other);
    });
    for (const n of [1, 2, 3, 4, 5, 12, 17, 18, 40]) expectSame(machine(k), [{ bytes: 4096 }, n], 1);
    expect(sizeOf(machine(k), [{ bytes: 4096 }, 4000])).toBeLessThan(160);
  });

  test("bounds and conditions of several counters: triangles, bands, blocks that are cut off", () => {
    const k = kernel([ptr(f32), i32, i32], function k(x, n, m) {
      const near = S.alloc(f32, [64]);
      for (let i = 0; i < n; i += 4) {
        for (let j = 0; j < m; j += 8) {
          const rows = Math.min(4, n - i);
          const cols = Math.min(8, m - j);
          S.dmaCopy(near, x.at(i * m + j), cols, { srcStride: m, times: rows });
          if (i + j < n) S.dmaCopy(x.at((i + j) >> 1), near, 1);
          if (i === j || j > 3 * i) continue;
          S.dmaCopy(x.at(Math.max(i, j)), near.at(((i * 5 + j) >> 2) & 15), 1);
        }
      }
    });
    for (const [n, m] of [
      [0, 9],
      [4, 8],
      [5, 31],
      [33, 40],
      [64, 17],
    ] as const)
      expectSame(machine(k), [{ bytes: 16384 }, n, m], 1);
  });

  test("a bound that is met exactly in the last round makes no round of its own", () => {
    const k = machine(
      kernel([ptr(f32), i32], function k(x, n) {
        const near = S.alloc(f32, [64]);
        for (let a = 0; a < n; a += 64)
          for (let b = 0; b < n; b += 64)
            for (let c = 0; c < n; c += 64) {
              const width = Math.min(64, n - a, n - b);
              S.dmaCopy(near, x.at(a + b + c), Math.max(width, c - (n - 64)));
            }
      }),
    );
    const args = [{ bytes: 65536 }, 2048] as const;
    // One walk of each body; twice as many would be made of each loop with a last round of its own.
    expect(() => deriveTrace(k, args, { tiles: 1, steps: 12 })).not.toThrow();
    expectSame(k, [{ bytes: 8192 }, 256], 1);
    expectSame(k, [{ bytes: 8192 }, 250], 1);
  });

  test("rounds that were walked apart and are alike become one loop", () => {
    const k = machine(
      kernel([ptr(f32), i32, i32, i32], function k(x, n, p, q) {
        const near = S.alloc(f32, [16]);
        for (let a = 0; a < n; a++) {
          for (let b = 0; b < 8; b++) S.dmaCopy(near, x.at(a * 16), 16);
          S.dmaCopy(near, x.at(a * 16), a === 1 ? p : q);
        }
      }),
    );
    const args = (n: number) => [{ bytes: 2 ** 20 }, n, 16, 16];
    for (const n of [2, 3, 4, 1000]) {
      const [items = []] = expectSame(k, args(Math.min(n, 4)), 1).tiles;
      expect(items.filter((i) => i.kind !== "core").map((i) => i.kind)).toEqual(["loop"]);
    }
    expect(sizeOf(k, args(1000))).toBe(sizeOf(k, args(2)));
  });

  test("turns begin behind a first round of its own, and leave nothing over before the last", () => {
    const k = machine(
      kernel([ptr(f32), i32], function k(x, n) {
        const near = S.alloc(f32, [2, 16]);
        for (let c = 0; c < n; c++) {
          S.dmaCopy(near.at(c % 2, 0), x.at(c * 16), 16);
          if (c === 0) S.dmaMemset(near.at(1, 0), 0, 16);
          if (c === n - 1) S.dmaMemset(near.at(0, 0), 0, 16);
        }
      }),
    );
    const [items = []] = expectSame(k, [{ bytes: 8192 }, 64], 1).tiles;
    expect(items.flatMap((i) => (i.kind === "loop" ? [i.count] : []))).toEqual([31]);
  });

  test("loops in loops in loops take no longer than they are written", () => {
    const k = kernel([ptr(f32), i32], function k(x, n) {
      const near = S.alloc(f32, [4, 16]);
      for (let a = 0; a < n; a++)
        for (let b = 0; b < n; b++)
          for (let c = 0; c < n; c++) {
            let turn = 0;
            for (let d = 0; d < n; d++) {
              S.dmaCopy(near.at(turn, 0), x.at(d * 16 + c), Math.min(16, n - d + 15));
              for (let e = 0; e < n; e++) S.dmaCopy(x.at(e), near.at(e & 3, 0), 1);
              turn = 1 - turn;
            }
          }
    });
    const args = [{ bytes: 2 ** 24 }, 500];
    const m = machine(k);
    const size = sizeOf(m, args);
    expect(size).toBeLessThan(200);
    expect(() => deriveTrace(m, args, { tiles: 1, steps: 2000 })).not.toThrow();
    expectSame(m, [{ bytes: 4096 }, 3], 1);
  });

  test("a branch on data of the core's own work counts as the larger way", () => {
    const work = (...values: number[]): Item[] => {
      const k = kernel([ptr(i32), ptr(i32)], function k(x, y) {
        if (x.get(0) > 3) for (const i of S.range(0, 32, 8)) S.vstore(S.vload(x.at(i)), y.at(i));
        else y.set(0, x.get(values.length));
      });
      return [...(deriveTrace(machine(k), [{ bytes: 128 }, { bytes: 128 }], { tiles: 1 }).tiles[0] ?? [])];
    };
    const [core, ...rest] = work(1);
    expect(rest).toEqual([]);
    expect(core).toMatchObject({ kind: "core", read: { dram: 4 + 4 * 32 }, write: { dram: 4 * 32 } });
  });

  const errorOf = (run: () => void): KpuError => {
    try {
      run();
    } catch (error) {
      if (error instanceof KpuError) return error;
      throw error;
    }
    throw new Error("nothing is wrong");
  };

  test.each([
    [
      "a condition",
      kernel([ptr(i32)], function k(x) {
        const near = S.alloc(i32, [16]);
        if (x.get(0) > 3) S.dmaCopy(near, x, 16);
      }),
    ],
    [
      "an address",
      kernel([ptr(i32)], function k(x) {
        const near = S.alloc(i32, [16]);
        S.dmaCopy(near, x.at(x.get(0)), 1);
      }),
    ],
    [
      "a number of rounds",
      kernel([ptr(i32)], function k(x) {
        for (let i = 0; i < x.get(0); i++) x.set(i, i);
      }),
    ],
  ])("%s that depends on data is refused, with the place", (_, k) => {
    const [d] = errorOf(() => deriveTrace(machine(k), [{ bytes: 64 }], { tiles: 1 })).diagnostics;
    expect(d?.code).toBe("KPU9020");
    expect(d?.location?.file).toMatch(/trace\.test\.ts$/);
  });

  test("a transfer that is waited for at once needs none of the events, which the program may all hold", () => {
    const target = TARGETS["swkpu-v1"];
    const k = kernel([ptr(f32)], function k(x) {
      const near = S.alloc(f32, [5, 64]);
      const [a, b, c, d] = S.allocEvents(4);
      S.asyncDmaCopy(near.at(0, 0), x, 64, a);
      S.asyncDmaCopy(near.at(1, 0), x, 64, b);
      S.asyncDmaCopy(near.at(2, 0), x, 64, c);
      S.asyncDmaCopy(near.at(3, 0), x, 64, d);
      S.dmaCopy(near.at(4, 0), x, 64);
      S.waitEvents(a, b, c, d);
      S.freeEvents(a, b, c, d);
    });
    const trace = expectSame(machine(k, target), [{ bytes: 256 }], 1);
    expect(target.events).toBe(4);
    expect(printTrace(trace)).toContain("signal 4");
    const { traffic, units } = timeTrace(trace, PRESETS["swkpu-v1"]);
    expect(traffic.dram.read).toBe(5 * 256);
    expect(units.find((u) => u.name === "tile.0.core")?.stalls.event).toBeGreaterThan(0);
  });

  test("what takes too long to find is refused", () => {
    const k = kernel([ptr(f32), i32], function k(x, n) {
      const near = S.alloc(f32, [64]);
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) S.dmaCopy(near, x.at((i * i + j * j) % 64), 1);
    });
    const { code } = errorOf(() =>
      deriveTrace(machine(k), [{ bytes: 64 }, 600], { tiles: 1, steps: 10_000 }),
    );
    expect(code).toBe("KPU9021");
  });

  test("generated kernels: all rounds at once is round by round", () => {
    const programs = Array.from({ length: 60 }, (_, seed) => generate(seed, { events: seed % 2 === 0 }));
    let derived = 0;
    evaluate(programs).forEach((made, i) => {
      const p = programs[i] as (typeof programs)[number];
      const args = p.params.map((q) =>
        q.pointer ? { bytes: 8 * q.values.length } : (q.values[0] as number),
      );
      try {
        expectSame(machine(made, targetOf(p.registerBits)), args, p.tiles);
        derived++;
      } catch (error) {
        if (!(error instanceof KpuError) || error.code !== "KPU9020") throw error;
      }
    });
    expect(derived).toBeGreaterThan(30);
  });
});

interface End {
  readonly level: string;
  readonly runs: { readonly count: number; readonly bytes: number };
}
