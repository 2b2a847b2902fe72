// expect: KPU2001 7:12
import { f32, i32, kernel, ptr } from "kpu-dsl";

declare const missing: number;

export const unknownName = kernel([ptr(f32), i32], function unknownName(x, n) {
  x.set(0, missing + n);
});
