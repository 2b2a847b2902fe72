// expect: KPU2006 7:20
import { f32, i32, kernel, ptr } from "kpu-dsl";

const weights = [0.5, 0.25];

export const runtimeIndex = kernel([ptr(f32), i32], function runtimeIndex(x, n) {
  x.set(0, weights[n & 1] as number);
});
