// expect: KPU3010 5:29
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const laneCount = kernel([ptr(f32), i32], function laneCount(x, n) {
  S.vstore(S.vload(x.at(n), { lanes: 0 }), x);
});
