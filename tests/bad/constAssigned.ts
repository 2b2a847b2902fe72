// expect: KPU1011 7:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const constAssigned = kernel([ptr(f32), i32], function constAssigned(x, n) {
  const i = n;
  // @ts-expect-error: the diagnostic under test
  i = 3;
  x.set(0, i);
});
