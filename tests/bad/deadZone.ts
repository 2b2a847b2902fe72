// expect: KPU2012 6:12
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const deadZone = kernel([ptr(f32), i32], function deadZone(x, n) {
  // @ts-expect-error: the diagnostic under test
  x.set(0, later);
  const later = n;
});
