// expect: KPU3005 5:9
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const nanIndex = kernel([ptr(f32), f32, i32], function nanIndex(x, a, n) {
  x.set(Math.floor(a), n);
});
