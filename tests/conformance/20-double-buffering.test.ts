/** Pipelines: while a chunk is computed the next is on its way, with two and with three events, any number of chunks. */
import { i32, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import { anyValues, DTYPES, expectNumbers, held, hostArray, NUMERIC, zeros } from "../harness/arrays.ts";
import { type ExecuteOptions, execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const CHUNK = 32;
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5, 7 * CHUNK, 997];
const MACHINES: readonly ExecuteOptions[] = [
  { target: "t64", tiles: 1 },
  { target: "t64", tiles: 2, schedule: { transfers: "late", policy: "random", seed: 5 } },
  { target: "t64", tiles: 5, schedule: { transfers: "eager" } },
];

group(20, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const params = [ptr(dtype), ptr(dtype), i32] as const;

    /** Where the k-th chunk of this tile begins, and how long it is; nothing beyond the end. */
    const start = (k: number): number => (S.tileId() + k * S.tileCount()) * CHUNK;
    const length = (k: number, n: number): number => S.clip(n - start(k), 0, CHUNK);

    /** How many chunks this tile has: they go round the tiles. */
    const mine = (n: number): number => S.max(S.ceildiv(S.ceildiv(n, CHUNK) - S.tileId(), S.tileCount()), 0);

    /** `slots` chunks of input are under way or in use; slots are static, since each has its own event. */
    const inputsAhead = (slots: number, scope: "local" | "l2") =>
      kernel(params, function inputsAhead(out, x, n) {
        const inputs = S.alloc(dtype, [slots, CHUNK], scope);
        const loaded = S.allocEvents(slots);
        for (const s of S.unroll(slots - 1))
          if (length(s, n) > 0) S.asyncDmaCopy(inputs.at(s), x.at(start(s)), length(s, n), loaded[s]!);
        const chunks = mine(n);
        for (let first = 0; first < chunks; first += slots) {
          for (const s of S.unroll(slots)) {
            const k = first + s;
            const ahead = k + slots - 1;
            const slot = (s + slots - 1) % slots;
            if (length(ahead, n) > 0)
              S.asyncDmaCopy(inputs.at(slot), x.at(start(ahead)), length(ahead, n), loaded[slot]!);
            if (length(k, n) > 0) {
              S.waitEvents(loaded[s]!);
              for (let i = 0; i < length(k, n); i += lanes) {
                const mask = S.tailMask(length(k, n) - i, lanes);
                S.vstore(S.vadd(S.vload(inputs.at(s, i), { mask }), 3), out.at(start(k) + i), { mask });
              }
            }
          }
        }
        S.freeEvents(loaded);
      });

    /** Three events: one per input slot, and one for the result on its way out. */
    const threeEvents = kernel(params, function threeEvents(out, x, n) {
      const inputs = S.alloc(dtype, [2, CHUNK]);
      const result = S.alloc(dtype, CHUNK);
      const loaded = S.allocEvents(2);
      const [stored] = S.allocEvents(1);
      if (length(0, n) > 0) S.asyncDmaCopy(inputs.at(0), x.at(start(0)), length(0, n), loaded[0]!);
      const chunks = mine(n);
      for (let pair = 0; pair < chunks; pair += 2) {
        for (const s of S.unroll(2)) {
          const k = pair + s;
          if (length(k + 1, n) > 0)
            S.asyncDmaCopy(inputs.at(1 - s), x.at(start(k + 1)), length(k + 1, n), loaded[1 - s]!);
          if (length(k, n) > 0) {
            S.waitEvents(loaded[s]!);
            if (k > 0) S.waitEvents(stored);
            for (let i = 0; i < length(k, n); i++) result.set(i, inputs.at(s, i).get() + 3);
            S.asyncDmaCopy(out.at(start(k)), result, length(k, n), stored);
          }
        }
      }
      if (length(0, n) > 0) S.waitEvents(stored);
      S.freeEvents(loaded, stored);
    });

    test.each([
      ["two slots, two events, local", inputsAhead(2, "local")],
      ["two slots, two events, l2", inputsAhead(2, "l2")],
      ["three slots, three events", inputsAhead(3, "local")],
      ["four slots, four events", inputsAhead(4, "local")],
      ["two in, one out: three events", threeEvents],
    ] as const)("%s", (_, k) => {
      for (const n of SIZES) {
        const x = anyValues(name, n);
        const want = x.map((v) => held(name, v + 3));
        for (const machine of MACHINES) {
          const out = zeros(name, n);
          execute(k, [out, hostArray(name, x), n], machine);
          expectNumbers(name, out, want);
        }
      }
    });
  });
});
