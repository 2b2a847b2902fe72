// expect: KPU2001 8:13
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

declare const missing: number;

/** One check reports every statement that it refuses. */
export const several = kernel([ptr(f32), i32], function several(x, n) {
  const a = missing * 2;
  x.set(0, a);
  x.set(1, Math.exp(n));
  x.set(2, S.vload(x) as unknown as number);
  let total = 0;
  for (let i = 0; i < n; i++) {
    total += Math.log(i);
  }
  x.set(3, total);
});
