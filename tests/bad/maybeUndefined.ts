// expect: KPU2012 8:12
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const maybeUndefined = kernel([ptr(f32), i32], function maybeUndefined(x, n) {
  let v: number;
  if (n > 0) v = 1;
  // @ts-expect-error: the diagnostic under test
  x.set(0, v);
});
