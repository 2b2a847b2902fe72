// expect: KPU1008 5:19
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const bigint = kernel([ptr(f32), i32], function bigint(x, n) {
  x.set(0, Number(10n));
});
