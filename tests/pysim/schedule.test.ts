/** Schedules: what they do to the order of tiles, that seeds replay them, and that correct kernels do not notice. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { f32, i32 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, ptr } from "../../dsl/kernel.ts";
import type { Ptr } from "../../dsl/pointer.ts";
import { S } from "../../dsl/s.ts";
import { POLICIES, type SimulateOptions } from "../../pysim/index.ts";
import { direct, faultOf } from "./direct.ts";

const loose = (k: unknown): Kernel => k as Kernel;

const steps = loose(
  kernel([i32], function walk(n) {
    for (let i = 0; i < n; i++) {
      S.print("{}", i);
      S.barrier();
    }
  }),
);

/** Tiles in the order in which they printed. */
function order(o: SimulateOptions): string {
  const lines: string[] = [];
  direct(steps, [4], { tiles: 4, print: (l) => lines.push(l), ...o });
  return lines.map((l) => /tile (\d+)/.exec(l)?.[1]).join("");
}

/** Double-buffered scale: every tile streams its part through local memory while the next part is on its way. */
const scale = loose(
  kernel([ptr(f32), ptr(f32, { const: true }), i32], function scale(y, x, blocks) {
    const size = 16;
    const [inA, inB, out] = S.allocEvents(3);
    const a = S.alloc(f32, size);
    const b = S.alloc(f32, size);
    const done = S.alloc(f32, size);
    const first = S.tileId() * blocks * size;
    S.asyncDmaCopy(a, x.at(first), size, inA!);
    for (let i = 0; i < blocks; i++) {
      const even = i % 2 === 0;
      const block = even ? a : b;
      if (i + 1 < blocks) {
        if (even) S.asyncDmaCopy(b, x.at(first + (i + 1) * size), size, inB!);
        else S.asyncDmaCopy(a, x.at(first + (i + 1) * size), size, inA!);
      }
      if (even) S.waitEvents(inA!);
      else S.waitEvents(inB!);
      if (i > 0) S.waitEvents(out!);
      for (let j = 0; j < size; j += 8)
        S.vstore(S.vadd(S.vload(block.at(j)), S.vload(block.at(j))), done.at(j));
      S.asyncDmaCopy(y.at(first + i * size), done, size, out!);
    }
    S.waitEvents(out!);
    S.freeEvents(inA!, inB!, out!);
  }),
);

/** Prefix sum across tiles: local sums, then the sums of the tiles before. */
const prefix = loose(
  kernel([ptr(i32), i32], function prefix(x, per) {
    const id = S.tileId();
    const sums = S.alloc(i32, 8, "l3");
    let sum = 0;
    for (let i = 0; i < per; i++) {
      sum += x.get(id * per + i);
      x.set(id * per + i, sum);
    }
    sums.set(id, sum);
    S.barrier();
    let before = 0;
    for (let t = 0; t < id; t++) before += sums.get(t);
    for (let i = 0; i < per; i++) x.set(id * per + i, x.get(id * per + i) + before);
  }),
);

describe("schedules", () => {
  it("run the tiles in the policy's order", () => {
    expect(order({ policy: "round-robin" })).toBe("0123012301230123");
    const held = order({ policy: "adversarial" });
    // Each epoch, the tile that is kept back comes last.
    expect(new Set(held.match(/.{4}/g)?.map((epoch) => epoch[3])).size).toBeGreaterThan(1);
  });

  it("replay by seed", () => {
    const seeds = [1, 2, 3, 4, 5].map((seed) => order({ policy: "random", seed }));
    expect([1, 2, 3, 4, 5].map((seed) => order({ policy: "random", seed }))).toEqual(seeds);
    expect(new Set(seeds).size).toBeGreaterThan(1);
  });

  it("report what replays them", () => {
    const report = direct(steps, [3], { tiles: 2, policy: "random", seed: 77, print: () => {} });
    expect(report).toMatchObject({ kernel: "walk", tiles: 2, seed: 77, policy: "random", barriers: 3 });
    expect(report.prints).toHaveLength(6);
    expect(String(report)).toBe(
      "walk on edge: 2 tiles, 3 barriers, 0 transfers; random, transfers eager, seed 77",
    );
  });

  it("do not change what correct kernels compute", () => {
    const run = fc.record({
      tiles: fc.constantFrom(1, 2, 3, 8),
      policy: fc.constantFrom(...POLICIES),
      transfers: fc.constantFrom("eager" as const, "late" as const),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(run, fc.integer({ min: 1, max: 5 }), (o, blocks) => {
        const n = o.tiles * blocks * 16;
        const x = Float32Array.from({ length: n }, (_, i) => i / 3);
        const y = new Float32Array(n);
        direct(scale, [y, x, blocks], o);
        expect(y).toEqual(x.map((v) => v + v));
        const z = Int32Array.from({ length: o.tiles * blocks }, (_, i) => i + 1);
        direct(prefix, [z, blocks], o);
        expect([...z]).toEqual(Array.from(z, (_, i) => ((i + 1) * (i + 2)) / 2));
      }),
      { numRuns: 100 },
    );
  });

  it("stop the other tiles when one fails", () => {
    const k = loose(
      kernel([ptr(i32)], function fails(count) {
        const id = S.tileId();
        S.barrier();
        S.assert(id !== 1, "tile 1 fails");
        count.set(id, 1);
        S.barrier();
        count.set(id, 2);
      }),
    );
    const count = new Int32Array(4);
    const fault = faultOf(() => direct(k, [count], { tiles: 4 }));
    expect(fault.code).toBe("KPU6007");
    expect([...count]).toEqual([1, 0, 0, 0]);
  });

  it("notice a tile that waits in two places, and leave a long reduction alone", () => {
    const spin = loose(
      kernel([ptr(i32), ptr(i32)], function spin(a, b) {
        while (a.get(0) === 0 && b.get(0) === 0) {}
      }),
    );
    const zeros = new Int32Array(1000);
    expect(faultOf(() => direct(spin, [zeros, new Int32Array(1)])).message).toMatch(/KPU5001.*2 places/s);
    const sum = loose(
      kernel([ptr(i32), i32], function sum(x, rounds) {
        let total = 0;
        for (let r = 0; r < rounds; r++) for (let i = 0; i < 1000; i++) total += x.get(i);
        S.assert(total === 0, "zeros");
      }),
    );
    expect(() => direct(sum, [zeros, 17_100], { tiles: 1 })).not.toThrow();
  });

  it("refuse options that do not exist", () => {
    const run = (o: object): string => faultOf(() => direct(steps, [1], o as SimulateOptions)).message;
    expect(run({ police: "random" })).toMatch(/KPU6006.*police/s);
    expect(run({ policy: "fair" })).toMatch(/policy must be one of round-robin/);
    expect(run({ tiles: 0 })).toMatch(/tiles must be an integer in 1\.\.1024/);
    expect(run({ checks: { races: false } })).toMatch(/races/);
  });

  it("refuse a kernel that is called by a kernel", () => {
    const inner = loose(
      kernel([], function inner() {
        S.tileId();
      }),
    );
    const outer = loose(
      kernel([], function outer() {
        direct(inner, []);
      }),
    );
    expect(faultOf(() => direct(outer, [])).code).toBe("KPU6009");
  });
});

describe("waits in helpers", () => {
  function share(x: Ptr<i32>, value: number): void {
    x.set(S.tileId(), value);
    S.barrier();
  }
  const total = (x: Ptr<i32>): number => {
    let sum = 0;
    for (let t = 0; t < S.tileCount(); t++) sum += x.get(t);
    S.barrier();
    return sum;
  };

  const meet = (): void => {
    S.barrier();
  };

  it("suspend the tile that called them", () => {
    const k = loose(
      kernel([ptr(i32), ptr(i32)], function shares(y, x) {
        share(x, S.tileId() + 1);
        y.set(S.tileId(), total(x) + total(x));
      }),
    );
    for (const policy of POLICIES) {
      const y = new Int32Array(4);
      const report = direct(k, [y, new Int32Array(4)], { tiles: 4, policy });
      expect([...y]).toEqual([20, 20, 20, 20]);
      expect(report.barriers).toBe(3);
    }
  });

  it("are named when the tiles wait in different ones", () => {
    const k = loose(
      kernel([ptr(i32), ptr(i32)], function parts(y, x) {
        if (S.tileId() === 0) share(x, 1);
        else meet();
        y.set(S.tileId(), 1);
      }),
    );
    const fault = faultOf(() => direct(k, [new Int32Array(4), new Int32Array(4)], { tiles: 4 }));
    expect(fault.code).toBe("KPU5002");
    expect(fault.diagnostics[0]?.data).toMatchObject({ groups: [{ tiles: [0] }, { tiles: [1, 2, 3] }] });
  });
});

describe("checks that are off", () => {
  it("let races, early reads and uninitialised reads pass, but not accesses out of bounds", () => {
    const k = loose(
      kernel([ptr(f32), i32], function sloppy(x, i) {
        x.set(i, S.alloc(f32, 1).get(0));
      }),
    );
    expect(faultOf(() => direct(k, [new Float32Array(2), 1])).code).toBe("KPU4002");
    expect(faultOf(() => direct(k, [new Float32Array(2), 1], { checks: { init: false } })).code).toBe(
      "KPU4006",
    );
    expect(() => direct(k, [new Float32Array(2), 1], { checks: false })).not.toThrow();
    expect(faultOf(() => direct(k, [new Float32Array(2), 2], { checks: false })).code).toBe("KPU4001");
  });
});
