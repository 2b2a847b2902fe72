// expect: KPU1002 4:56
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const generatorKernel = kernel([ptr(f32), i32], function* generatorKernel(x, n) {
  yield x.set(0, n);
});
