// expect: KPU1012 5:8
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const instanceOfRuntime = kernel([ptr(f32), i32], function instanceOfRuntime(x, n) {
  if ((x as object) instanceof Float32Array) x.set(0, n);
});
