// expect: KPU3007 6:49
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const changingKind = kernel([ptr(f32), i32], function changingKind(x, n) {
  let found: number | boolean = 0;
  for (let i = 0; i < n; i++) if (x.get(i) > 0) found = true;
  x.set(0, Number(found));
});
