/**
 * Asynchronous scale: while one chunk is computed, the next is on its way in and the previous one on its way out. Two
 * slots each for input and output; every slot has its own event.
 */
import { build, describeInputs, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

const CHUNK = 64;
const LANES = 8;

/** Chunks go round the tiles: where this tile's k-th chunk begins, and how long it is. */
const chunkStart = (k: number): number => (S.tileId() + k * S.tileCount()) * CHUNK;
const chunkLength = (k: number, n: number): number => Math.min(CHUNK, n - chunkStart(k));

export const scale = kernel(
  [ptr(f32), ptr(f32, { const: true }), f32, i32],
  function scale(out, x, factor, n) {
    const inputs = S.alloc(f32, [2, CHUNK]);
    const outputs = S.alloc(f32, [2, CHUNK]);
    const loaded = S.allocEvents(2);
    const stored = S.allocEvents(2);

    const chunks = S.ceildiv(n, CHUNK);
    const mine = chunks > S.tileId() ? S.ceildiv(chunks - S.tileId(), S.tileCount()) : 0;

    if (mine > 0) S.asyncDmaCopy(inputs.at(0), x.at(chunkStart(0)), chunkLength(0, n), loaded[0]!);
    for (let pair = 0; pair < mine; pair += 2) {
      for (const slot of S.unroll(2)) {
        const k = pair + slot;
        if (k < mine) {
          const next = 1 - slot;
          if (k + 1 < mine) {
            S.asyncDmaCopy(inputs.at(next), x.at(chunkStart(k + 1)), chunkLength(k + 1, n), loaded[next]!);
          }
          S.waitEvents(loaded[slot]!);
          if (k >= 2) S.waitEvents(stored[slot]!);
          const length = chunkLength(k, n);
          for (let i = 0; i < length; i += LANES) {
            const mask = S.tailMask(length - i, LANES);
            S.vstore(S.vmul(S.vload(inputs.at(slot, i), { mask }), factor), outputs.at(slot, i), { mask });
          }
          S.asyncDmaCopy(out.at(chunkStart(k)), outputs.at(slot), length, stored[slot]!);
        }
      }
    }
    for (const slot of S.unroll(2)) if (mine > slot) S.waitEvents(stored[slot]!);
    S.freeEvents(loaded);
    S.freeEvents(stored);
  },
);

describeInputs(scale, (g) => {
  const n = g.size(0, 700);
  return [g.array(f32, n), g.array(f32, n), g.scalar(f32), n];
});

if (isMain(import.meta.url)) {
  const x = Float32Array.from({ length: 1000 }, (_, i) => i);
  const direct = new Float32Array(1000);
  const compiled = new Float32Array(1000);
  scale(direct, x, 0.5, 1000);
  build(scale).run(compiled, x, 0.5, 1000);
  console.log("direct  ", direct.subarray(995));
  console.log("compiled", compiled.subarray(995));
}
