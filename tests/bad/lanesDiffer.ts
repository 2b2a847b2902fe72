// expect: KPU3002 7:22
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const lanesDiffer = kernel([ptr(f32), i32], function lanesDiffer(x, n) {
  const a = S.vload(x, { lanes: 8 });
  const b = S.vload(x.at(n), { lanes: 4 });
  S.vstore(S.vadd(a, b), x);
});
