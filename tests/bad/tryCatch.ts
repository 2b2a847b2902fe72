// expect: KPU1003 5:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const tryCatch = kernel([ptr(f32), i32], function tryCatch(x, n) {
  try {
    x.set(0, n);
  } catch {
    x.set(0, 0);
  }
});
