// expect: KPU1004 5:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const classInKernel = kernel([ptr(f32), i32], function classInKernel(x, n) {
  class Point {}
  x.set(0, n);
});
