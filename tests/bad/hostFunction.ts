// expect: KPU2004 5:12
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const hostFunction = kernel([ptr(f32), i32], function hostFunction(x, n) {
  x.set(0, Math.exp(n));
});
