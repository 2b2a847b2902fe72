// expect: KPU1013 5:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const forIn = kernel([ptr(f32), i32], function forIn(x, n) {
  for (const key in { a: 1 }) x.set(0, key.length + n);
});
