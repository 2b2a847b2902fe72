// expect: KPU1007 5:12
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const evalCall = kernel([ptr(f32), i32], function evalCall(x, n) {
  x.set(0, eval("n"));
});
