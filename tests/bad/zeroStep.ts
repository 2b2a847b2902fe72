// expect: KPU3013 5:33
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const zeroStep = kernel([ptr(f32), i32], function zeroStep(x, n) {
  for (const i of S.range(0, n, 0)) x.set(i, 0);
});
