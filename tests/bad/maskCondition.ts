// expect: KPU3006 5:7
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const maskCondition = kernel([ptr(f32), i32], function maskCondition(x, n) {
  if (S.vcgt(S.vload(x), 0)) x.set(0, n);
});
