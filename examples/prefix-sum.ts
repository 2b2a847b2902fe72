/** Inclusive prefix sum across tiles: every tile sums its part, all meet, then each adds what stands before its part. */
import { build, describeInputs, i32, kernel, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

const MAX_TILES = 64;
const LANES = 8;

export const prefixSum = kernel([ptr(i32), ptr(i32, { const: true }), i32], function prefixSum(out, x, n) {
  const totals = S.alloc(i32, MAX_TILES, "l3");
  S.assert(S.tileCount() <= MAX_TILES, "prefixSum: at most 64 tiles");
  const part = S.ceildiv(n, S.tileCount());
  const begin = Math.min(S.tileId() * part, n);
  const end = Math.min(begin + part, n);

  let sums = S.vbcast(0, i32, LANES);
  for (let i = begin; i < end; i += LANES) {
    sums = S.vadd(sums, S.vload(x.at(i), { mask: S.tailMask(end - i, LANES) }));
  }
  totals.set(S.tileId(), S.vrpadd(sums));
  S.barrier();

  let sum = 0;
  for (let t = 0; t < S.tileId(); t++) sum = (sum + totals.get(t)) | 0;
  for (let i = begin; i < end; i++) {
    sum = (sum + x.get(i)) | 0;
    out.set(i, sum);
  }
});

describeInputs(prefixSum, (g) => {
  const n = g.size();
  return [g.array(i32, n), g.array(i32, n), n];
});

if (isMain(import.meta.url)) {
  const x = Int32Array.from({ length: 10 }, (_, i) => i + 1);
  const direct = new Int32Array(10);
  const compiled = new Int32Array(10);
  prefixSum(direct, x, 10);
  build(prefixSum, { target: "t64" }).run(compiled, x, 10);
  console.log("direct  ", direct);
  console.log("compiled", compiled);
}
