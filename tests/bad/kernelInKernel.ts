// expect: KPU2004 9:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

const inner = kernel([ptr(f32)], function inner(p) {
  p.set(0, 1);
});

export const kernelInKernel = kernel([ptr(f32), i32], function kernelInKernel(x, n) {
  inner(x as never);
  x.set(0, n);
});
