/** Softmax of every row: maximum, sum of exponentials, division. Rows go round the tiles. */
import { build, describeInputs, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

const LANES = 8;

export const softmax = kernel(
  [ptr(f32), ptr(f32, { const: true }), i32, i32],
  function softmax(out, x, rows, columns) {
    for (let row = S.tileId(); row < rows; row += S.tileCount()) {
      const from = x.at(row * columns);
      const to = out.at(row * columns);

      let highest = S.vbcast(-Infinity, f32, LANES);
      for (const c of S.range(0, columns, LANES)) {
        const mask = S.tailMask(columns - c, LANES);
        highest = S.vmax(highest, S.vload(from.at(c), { mask, r: -Infinity }));
      }
      const peak = S.vrpmax(highest);

      let sums = S.vbcast(0, f32, LANES);
      for (const c of S.range(0, columns, LANES)) {
        const mask = S.tailMask(columns - c, LANES);
        const e = S.vexp(S.vsub(S.vload(from.at(c), { mask }), peak), { mask });
        S.vstore(e, to.at(c), { mask });
        sums = S.vadd(sums, e);
      }
      const total = S.vrpadd(sums);

      for (const c of S.range(0, columns, LANES)) {
        const mask = S.tailMask(columns - c, LANES);
        S.vstore(S.vdiv(S.vload(to.at(c), { mask }), total), to.at(c), { mask });
      }
    }
  },
);

describeInputs(softmax, (g) => {
  const rows = g.size(0, 8);
  const columns = g.size(1, 70);
  return [g.array(f32, rows * columns), g.array(f32, rows * columns), rows, columns];
});

if (isMain(import.meta.url)) {
  const x = new Float32Array([1, 2, 3, 4, 0, 0, 0, 0]);
  const direct = new Float32Array(8);
  const compiled = new Float32Array(8);
  softmax(direct, x, 2, 4);
  build(softmax).run(compiled, x, 2, 4);
  console.log("direct  ", direct);
  console.log("compiled", compiled);
}
