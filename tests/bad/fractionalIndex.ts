// expect: KPU3005 5:9
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const fractionalIndex = kernel([ptr(f32), i32], function fractionalIndex(x, n) {
  x.set(n / 2, 1);
});
