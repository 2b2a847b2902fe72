/** Several buffers of one scope and of all, alive together; variables that point to one and then to another. */
import { i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, expectNumbers, held, hostArray, NUMERIC, samples, TILES, zeros } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const SCOPES = ["global", "l3", "l2", "local", "private"] as const;

group(27, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];

    test.each(SCOPES)("five buffers of %s keep their own values", (scope) => {
      const five = kernel([ptr(dtype), ptr(dtype)], function five(out, x) {
        const sizes = [1, 8, 3, 16, 5];
        const buffers = sizes.map((n) => S.alloc(dtype, n, scope));
        if (S.tileId() !== 0) return;
        let at = 0;
        for (const b of S.unroll(5)) {
          S.dmaCopy(buffers[b]!, x.at(at), sizes[b]!);
          at += sizes[b]!;
        }
        // The last element of one and the first of the next.
        buffers[0]!.set(0, x.get(32));
        buffers[1]!.set(7, x.get(31));
        at = 0;
        for (const b of S.unroll(5)) {
          S.dmaCopy(out.at(at), buffers[b]!, sizes[b]!);
          at += sizes[b]!;
        }
      });
      const x = samples(name, 33);
      const out = zeros(name, 33);
      execute(five, [out, hostArray(name, x)]);
      const want = x.slice();
      want[0] = x[32] as number;
      want[8] = x[31] as number;
      expectNumbers(name, out, want);
    });

    test("one buffer of every scope", () => {
      const mixed = kernel([ptr(dtype), ptr(dtype)], function mixed(out, x) {
        const a = S.alloc(dtype, [2, 4], "local");
        const b = S.alloc(i32, 3, "local");
        const c = S.alloc(dtype, 8, "l2");
        const d = S.alloc(dtype, 8, "private");
        const e = S.alloc(dtype, [32, 8], "l3").at(S.tileId());
        S.dmaCopy(a, x, 8);
        for (let i = 0; i < 3; i++) b.set(i, i + 5);
        for (let i = 0; i < 8; i++) c.set(i, a.get(7 - i));
        S.vstore(S.vload(c, { lanes: 8 }), d);
        S.dmaCopy(e, d, 8);
        for (let i = 0; i < 8; i++) out.at(S.tileId() * 8).set(i, e.get((i + b.get(i % 3)) % 8));
      });
      const x = samples(name, 8);
      for (const machine of TILES) {
        const out = zeros(name, 8 * machine.tiles);
        execute(mixed, [out, hostArray(name, x)], machine);
        const one = x.map((_, i) => x[7 - ((i + 5 + (i % 3)) % 8)] as number);
        expectNumbers(name, out, new Array<number[]>(machine.tiles).fill(one).flat());
      }
    });

    test.each(SCOPES)("two buffers of %s that change places", (scope) => {
      const pingPong = kernel([ptr(dtype), ptr(dtype), i32], function pingPong(out, x, rounds) {
        let from = S.alloc(dtype, 8, scope);
        let to = S.alloc(dtype, 8, scope);
        if (S.tileId() !== 0) return;
        S.dmaCopy(from, x, 8);
        for (let r = 0; r < rounds; r++) {
          for (let i = 0; i < 8; i++) to.set(i, from.get((i + 1) % 8) + 1);
          [from, to] = [to, from];
        }
        S.dmaCopy(out, from, 8);
      });
      const x = samples(name, 8);
      for (const rounds of [0, 1, 2, 5]) {
        let want = x;
        for (let r = 0; r < rounds; r++)
          want = want.map((_, i) => held(name, (want[(i + 1) % 8] as number) + 1));
        const out = zeros(name, 8);
        execute(pingPong, [out, hostArray(name, x), rounds]);
        expectNumbers(name, out, want);
      }
    });

    test("a variable that points into one of three buffers", () => {
      const repointed = kernel([ptr(dtype), ptr(dtype), i32], function repointed(out, x, which) {
        const a = S.alloc(dtype, 4);
        const b = S.alloc(dtype, 4);
        const c = S.alloc(dtype, 8);
        if (S.tileId() !== 0) return;
        S.dmaCopy(c, x, 8);
        S.dmaMemset(a, 1, 4);
        S.dmaMemset(b, 2, 4);
        let p = a.at(1);
        if (which === 1) p = b;
        else if (which > 1) p = c.at(which);
        const q = which % 2 === 0 ? p : a;
        q.set(0, 7);
        out.set(0, p.get());
        out.set(1, q.get());
        out.set(2, a.get(1));
        out.set(3, b.get());
      });
      const x = samples(name, 8);
      for (const which of [0, 1, 2, 3, 4]) {
        const p = which === 0 ? 1 : which === 1 ? 2 : (x[which] as number);
        const out = zeros(name, 4);
        execute(repointed, [out, hostArray(name, x), which]);
        const even = which % 2 === 0;
        expectNumbers(name, out, [even ? 7 : p, 7, which === 0 ? 7 : 1, 2]);
      }
    });
  });

  test("every tile has its own local memory, and one l3 for all", () => {
    const own = kernel([ptr(i32)], function own(out) {
      const mine = S.alloc(i32, 1);
      const all = S.alloc(i32, 32, "l3");
      mine.set(0, S.tileId() * 10);
      all.set(S.tileId(), mine.get() + 1);
      S.barrier();
      const next = (S.tileId() + 1) % S.tileCount();
      out.set(S.tileId(), all.get(next) * 1000 + mine.get());
    });
    for (const machine of TILES) {
      const out = new Int32Array(machine.tiles);
      execute(own, [out], machine);
      expect([...out]).toEqual(
        Array.from(out, (_, t) => (((t + 1) % machine.tiles) * 10 + 1) * 1000 + t * 10),
      );
    }
  });
});
