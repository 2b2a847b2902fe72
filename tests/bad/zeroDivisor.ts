// expect: KPU3013 5:25
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const zeroDivisor = kernel([ptr(f32), i32], function zeroDivisor(x, n) {
  x.set(0, S.ceildiv(n, 0));
});
