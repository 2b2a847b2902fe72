// expect: KPU1013 5:13
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const rangeAsValue = kernel([ptr(f32), i32], function rangeAsValue(x, n) {
  const r = S.range(0, n);
  for (const i of r) x.set(i, 0);
});
