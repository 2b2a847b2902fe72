// expect: KPU1003 5:14
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const throws = kernel([ptr(f32), i32], function throws(x, n) {
  if (n < 0) throw new Error("negative");
  x.set(0, n);
});
