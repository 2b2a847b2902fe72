/** The smallest whole kernel: tiles take equal parts, vectors take 8 elements, a mask takes the tail. */
import { build, describeInputs, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

export const vectorAdd = kernel(
  [ptr(f32), ptr(f32, { const: true }), ptr(f32, { const: true }), i32],
  function vectorAdd(sum, x, y, n) {
    const part = S.ceildiv(n, S.tileCount());
    const begin = S.tileId() * part;
    const end = Math.min(begin + part, n);
    for (let i = begin; i < end; i += 8) {
      const mask = S.tailMask(end - i, 8);
      S.vstore(S.vadd(S.vload(x.at(i), { mask }), S.vload(y.at(i), { mask })), sum.at(i), { mask });
    }
  },
);

describeInputs(vectorAdd, (g) => {
  const n = g.size();
  return [g.array(f32, n), g.array(f32, n), g.array(f32, n), n];
});

if (isMain(import.meta.url)) {
  const n = 1000;
  const x = Float32Array.from({ length: n }, (_, i) => i);
  const y = x.map((v) => v / 2);
  const direct = new Float32Array(n);
  const compiled = new Float32Array(n);
  vectorAdd(direct, x, y, n);
  build(vectorAdd).run(compiled, x, y, n);
  console.log("direct  ", direct.subarray(995));
  console.log("compiled", compiled.subarray(995));
}
