// expect: KPU2010 5:58
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const missingProperty = kernel([ptr(f32), i32], function missingProperty(x, n) {
  x.set(0, (S.vload(x) as unknown as { length: number }).length + n);
});
