/** y = a * x + y, as a function. */
import { build, describeInputs, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

export const saxpy = kernel([ptr(f32), ptr(f32), f32, i32], function saxpy(x, y, a, n) {
  const per = S.ceildiv(n, S.tileCount());
  const begin = S.tileId() * per,
    end = Math.min(begin + per, n);
  for (let i = begin; i < end; i += 8) {
    const m = S.tailMask(end - i, 8);
    S.vstore(S.vfma(S.vload(y.at(i), { mask: m }), S.vload(x.at(i), { mask: m }), a), y.at(i), { mask: m });
  }
});

describeInputs(saxpy, (g) => {
  const n = g.size();
  return [g.array(f32, n), g.array(f32, n), g.scalar(f32), n];
});

if (isMain(import.meta.url)) {
  const x = new Float32Array([1, 2, 3, 4, 5]);
  const direct = new Float32Array([10, 20, 30, 40, 50]);
  const compiled = direct.slice();
  saxpy(x, direct, 2, 5);
  build(saxpy).run(x, compiled, 2, 5);
  console.log("direct  ", direct);
  console.log("compiled", compiled);
}
