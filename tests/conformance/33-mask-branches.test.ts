/** Masks in variables that branches, loops and early returns of helpers assign. */
import { bool, i32, kernel, type Mask, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const LANES = [1, 7, 8, 16, 33];
const bools = (lanes: number, f: (i: number) => boolean): boolean[] =>
  Array.from({ length: lanes }, (_, i) => f(i));

/** A way to make a mask from one that was loaded and two numbers, in the DSL and in plain arrays. */
interface Way {
  readonly kernel: (m: Mask, n: number, k: number, lanes: number) => Mask;
  readonly plain: (m: boolean[], n: number, k: number, lanes: number) => boolean[];
}
const not = (m: boolean[]): boolean[] => m.map((b) => !b);
const tail = (n: number, lanes: number): boolean[] => bools(lanes, (i) => i < n);

const WAYS: Readonly<Record<string, Way>> = {
  "if and else": {
    kernel: (m, n, _k, lanes) => {
      let out = S.tailMask(0, lanes);
      if (n > 10) out = S.tailMask(n - 10, lanes);
      else if (n > 5) out = S.vinv(m);
      return out;
    },
    plain: (m, n, _k, lanes) => (n > 10 ? tail(n - 10, lanes) : n > 5 ? not(m) : tail(0, lanes)),
  },
  "conditional expressions": {
    kernel: (m, n, k, lanes) => (n > k ? m : n === k ? S.vinv(m) : S.tailMask(k, lanes)),
    plain: (m, n, k, lanes) => (n > k ? m : n === k ? not(m) : tail(k, lanes)),
  },
  "a loop that flips": {
    kernel: (m, n, _k, lanes) => {
      let out = m;
      for (let i = 0; i < n % 4; i++) out = S.vxor(out, S.tailMask(i + 1, lanes));
      return out;
    },
    plain: (m, n, _k, lanes) => {
      let out = m;
      for (let i = 0; i < n % 4; i++) out = out.map((b, lane) => b !== tail(i + 1, lanes)[lane]);
      return out;
    },
  },
  "while with break and continue": {
    kernel: (m, n, k, lanes) => {
      let out = m;
      let i = 0;
      while (i < 6) {
        i++;
        if (i === k) continue;
        if (i > n) break;
        out = i % 2 === 0 ? S.vinv(out) : S.vor(out, S.tailMask(1, lanes));
      }
      return out;
    },
    plain: (m, n, k, lanes) => {
      let out = m;
      let i = 0;
      while (i < 6) {
        i++;
        if (i === k) continue;
        if (i > n) break;
        out = i % 2 === 0 ? not(out) : out.map((b, lane) => b || tail(1, lanes)[lane] === true);
      }
      return out;
    },
  },
  "switch with fall-through": {
    kernel: (m, n, k, lanes) => {
      let out = m;
      switch (n % 4) {
        case 0:
          out = S.tailMask(k, lanes);
          break;
        case 1:
        case 2:
          out = S.vinv(out);
          break;
        default:
          out = S.vand(out, S.tailMask(k, lanes));
      }
      return out;
    },
    plain: (m, n, k, lanes) => {
      if (n % 4 === 0) return tail(k, lanes);
      if (n % 4 <= 2) return not(m);
      return m.map((b, i) => b && i < k);
    },
  },
  "early returns": {
    kernel: (m, n, k, lanes) => {
      if (n === 0) return m;
      if (n > k) return S.vinv(m);
      const both = S.vand(m, S.tailMask(n, lanes));
      return S.vany(both) ? both : S.vinv(both);
    },
    plain: (m, n, k, lanes) => {
      if (n === 0) return m;
      if (n > k) return not(m);
      const both = m.map((b, i) => b && tail(n, lanes)[i] === true);
      return both.some(Boolean) ? both : not(both);
    },
  },
  "two masks that swap": {
    kernel: (m, n, k, lanes) => {
      let [a, b] = [m, S.tailMask(k, lanes)];
      for (let i = 0; i < n % 5; i++) {
        [a, b] = [b, a];
        if (i === 1) a = S.vxor(a, b);
      }
      return a;
    },
    plain: (m, n, k, lanes) => {
      let [a, b] = [m, tail(k, lanes)];
      for (let i = 0; i < n % 5; i++) {
        [a, b] = [b, a];
        const other = b;
        if (i === 1) a = a.map((v, lane) => v !== other[lane]);
      }
      return a;
    },
  },
  "a mask that decides about a mask": {
    kernel: (m, n, k, lanes) => {
      let out = m;
      if (S.vall(m)) out = S.tailMask(n, lanes);
      else if (m.at(0)) out = S.vsel(m, S.tailMask(k, lanes), S.tailMask(n, lanes));
      return out;
    },
    plain: (m, n, k, lanes) => {
      if (m.every(Boolean)) return tail(n, lanes);
      return m[0] ? m.map((b, i) => (i < n ? b : i < k)) : m;
    },
  },
};

group(33, () => {
  test.each(Object.entries(WAYS))("%s", (_, way) => {
    for (const lanes of LANES) {
      const make = way.kernel;
      const k = kernel([ptr(bool), ptr(i32), ptr(bool), i32, i32], function branches(out, stored, p, n, j) {
        if (S.tileId() !== 0) return;
        const m = make(S.vload(p, { lanes }), n, j, lanes);
        S.vstore(m, out);
        S.vstore(S.vbcast(n, i32, lanes), stored, { mask: m });
      });
      const inputs = [bools(lanes, (i) => i % 3 !== 0), bools(lanes, () => true), bools(lanes, () => false)];
      for (const m of inputs)
        for (const n of [0, 1, 2, 3, 6, 7, 11, 14])
          for (const j of [0, 2, 6]) {
            const out = new Uint8Array(lanes);
            const stored = new Int32Array(lanes).fill(-1);
            execute(k, [out, stored, Uint8Array.from(m, Number), n, j]);
            const want = way.plain(m, n, j, lanes);
            expect([lanes, n, j, ...out]).toEqual([lanes, n, j, ...want.map(Number)]);
            expect([...stored]).toEqual(want.map((b) => (b ? n : -1)));
          }
    }
  });
});
