// expect: KPU4003 6:13
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const tooMuchMemory = kernel([ptr(f32), i32], function tooMuchMemory(x, n) {
  const a = S.alloc(f32, 10_000, "local");
  const b = S.alloc(f32, 10_000, "local");
  a.set(n, 0);
  b.set(n, x.get(0));
});
