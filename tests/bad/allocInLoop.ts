// expect: KPU4004 6:15
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const allocInLoop = kernel([ptr(f32), i32], function allocInLoop(x, n) {
  for (let i = 0; i < n; i++) {
    const t = S.alloc(f32, 8);
    t.set(0, x.get(i));
  }
});
