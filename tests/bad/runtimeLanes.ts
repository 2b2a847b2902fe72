// expect: KPU2007 5:23
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const runtimeLanes = kernel([ptr(f32), i32], function runtimeLanes(x, n) {
  S.vstore(S.vload(x, { lanes: n }), x);
});
