// expect: KPU3006 5:7
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const pointerEquality = kernel([ptr(f32), ptr(f32), i32], function pointerEquality(x, y, n) {
  if (x === y) x.set(0, n);
});
