// expect: KPU1010 5:11
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const stringSum = kernel([ptr(f32), i32], function stringSum(x, n) {
  S.print("n = " + n);
});
