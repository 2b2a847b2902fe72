// expect: KPU3012 5:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const constPointer = kernel([ptr(f32, { const: true }), i32], function constPointer(x, n) {
  x.set(0, n);
});
