// expect: KPU1012 5:13
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const newRuntime = kernel([ptr(f32), i32], function newRuntime(x, n) {
  const t = new Float32Array(n);
  x.set(0, t.length);
});
