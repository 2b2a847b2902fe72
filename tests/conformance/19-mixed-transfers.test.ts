/** Transfers that complete at once and transfers to be waited for, side by side, in every order that is legal. */
import { i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  anyValues,
  DTYPES,
  expectNumbers,
  held,
  hostArray,
  NUMERIC,
  samples,
  zeros,
} from "../harness/arrays.ts";
import { type ExecuteOptions, execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** Direct execution completes asynchronous transfers as early or as late as is legal. */
const MACHINES: readonly ExecuteOptions[] = [
  { target: "t64", tiles: 1 },
  { target: "t64", tiles: 3, schedule: { transfers: "eager", policy: "random", seed: 2 } },
  { target: "t64", tiles: 3, schedule: { transfers: "late" } },
  { target: "t64", tiles: 32 },
];
const SIZES = [0, 1, 63, 64, 65, 200, 499];

group(19, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const BLOCK = 64;
    const params = [ptr(dtype), ptr(dtype), ptr(dtype), i32] as const;

    const kernels = {
      "one operand synchronous, the other asynchronous": kernel(params, function oneOfEach(out, x, y, n) {
        const a = S.alloc(dtype, BLOCK);
        const b = S.alloc(dtype, BLOCK);
        const [loaded] = S.allocEvents(1);
        for (let at = S.tileId() * BLOCK; at < n; at += S.tileCount() * BLOCK) {
          const length = Math.min(BLOCK, n - at);
          S.asyncDmaCopy(a, x.at(at), length, loaded);
          S.dmaCopy(b, y.at(at), length);
          S.waitEvents(loaded);
          for (let i = 0; i < length; i += lanes) {
            const mask = S.tailMask(length - i, lanes);
            S.vstore(S.vadd(S.vload(a.at(i), { mask }), S.vload(b.at(i), { mask })), b.at(i), { mask });
          }
          S.dmaCopy(out.at(at), b, length);
        }
        S.freeEvents(loaded);
      }),
      "two in flight, the result on a third event": kernel(params, function twoInFlight(out, x, y, n) {
        const a = S.alloc(dtype, BLOCK, "l2");
        const b = S.alloc(dtype, BLOCK, "l2");
        const sum = S.alloc(dtype, BLOCK);
        const loaded = S.allocEvents(2);
        const [stored] = S.allocEvents(1);
        for (let at = S.tileId() * BLOCK; at < n; at += S.tileCount() * BLOCK) {
          const length = Math.min(BLOCK, n - at);
          S.asyncDmaCopy(a, x.at(at), length, loaded[0]!);
          S.asyncDmaCopy(b, y.at(at), length, loaded[1]!);
          S.waitEvents(loaded);
          for (let i = 0; i < length; i++) sum.set(i, a.get(i) + b.get(i));
          S.asyncDmaCopy(out.at(at), sum, length, stored);
          S.waitEvents(stored);
        }
        S.freeEvents(loaded, stored);
      }),
      "results leave while the next block is added": kernel(params, function leaving(out, x, y, n) {
        const a = S.alloc(dtype, BLOCK);
        const sums = S.alloc(dtype, BLOCK);
        const stored = S.allocEvents(1);
        let inFlight = false;
        for (let at = S.tileId() * BLOCK; at < n; at += S.tileCount() * BLOCK) {
          const length = Math.min(BLOCK, n - at);
          S.dmaCopy(a, x.at(at), length);
          if (inFlight) S.waitEvents(stored);
          for (let i = 0; i < length; i += lanes) {
            const mask = S.tailMask(length - i, lanes);
            S.vstore(S.vadd(S.vload(a.at(i), { mask }), S.vload(y.at(at + i), { mask })), sums.at(i), {
              mask,
            });
          }
          S.asyncDmaCopy(out.at(at), sums, length, stored[0]);
          inFlight = true;
        }
        if (inFlight) S.waitEvents(stored);
        S.freeEvents(stored);
      }),
      "a memset in flight beside a copy, waited for together": kernel(params, function memset(out, x, y, n) {
        const a = S.alloc(dtype, BLOCK);
        const b = S.alloc(dtype, BLOCK);
        const events = S.allocEvents(2);
        for (let at = S.tileId() * BLOCK; at < n; at += S.tileCount() * BLOCK) {
          const length = Math.min(BLOCK, n - at);
          S.asyncDmaMemset(b, 0, BLOCK, events[0]);
          S.asyncDmaCopy(a, x.at(at), length, events[1]);
          S.waitEvents(events);
          for (let i = 0; i < length; i++) b.set(i, a.get(i) + b.get(i) + y.get(at + i));
          S.dmaCopy(out.at(at), b, length);
        }
        S.freeEvents(events);
      }),
      "rows in flight, waited for one by one": kernel(params, function rows(out, x, y, n) {
        const a = S.alloc(dtype, [4, 16]);
        const events = S.allocEvents(4);
        for (let at = S.tileId() * BLOCK; at < n; at += S.tileCount() * BLOCK) {
          for (const r of S.unroll(4))
            S.asyncDmaCopy(a.at(r), x.at(at + 16 * r), S.clip(n - at - 16 * r, 0, 16), events[r]!);
          for (const r of S.unroll(4)) {
            S.waitEvents(events[3 - r]!);
            const from = at + 16 * (3 - r);
            for (let i = 0; i < S.clip(n - from, 0, 16); i++)
              out.set(from + i, a.at(3 - r, i).get() + y.get(from + i));
          }
        }
        S.freeEvents(events);
      }),
    };

    test.each(Object.entries(kernels))("%s", (_, k) => {
      for (const n of SIZES) {
        const x = anyValues(name, n);
        const y = samples(name, n, 1);
        const want = x.map((v, i) => held(name, v + (y[i] as number)));
        for (const machine of MACHINES) {
          const out = zeros(name, n);
          execute(k, [out, hostArray(name, x), hostArray(name, y), n], machine);
          expectNumbers(name, out, want);
        }
      }
    });
  });
});
