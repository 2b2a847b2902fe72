// expect: KPU2008 5:19
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const runtimeUnroll = kernel([ptr(f32), i32], function runtimeUnroll(x, n) {
  for (const i of S.unroll(n)) x.set(i, 0);
});
