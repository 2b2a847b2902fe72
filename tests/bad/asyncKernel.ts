// expect: KPU1001 4:52
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const asyncKernel = kernel([ptr(f32), i32], async function asyncKernel(x, n) {
  x.set(0, await n);
});
