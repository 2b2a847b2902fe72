// expect: KPU3007 5:13
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const branchKinds = kernel([ptr(f32), i32], function branchKinds(x, n) {
  const v = n > 0 ? x.get(0) : S.vload(x);
  x.set(0, v as number);
});
