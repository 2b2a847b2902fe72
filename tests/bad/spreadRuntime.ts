// expect: KPU1015 5:16
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const spreadRuntime = kernel([ptr(f32), i32], function spreadRuntime(x, n) {
  const all = [...(x as unknown as number[])];
  x.set(0, all.length + n);
});
