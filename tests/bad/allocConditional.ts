// expect: KPU4004 6:15
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const allocConditional = kernel([ptr(f32), i32], function allocConditional(x, n) {
  if (n > 4) {
    const t = S.alloc(f32, 8);
    t.set(0, x.get(0));
  }
});
