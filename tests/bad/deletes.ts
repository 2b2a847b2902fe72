// expect: KPU1005 6:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const deletes = kernel([ptr(f32), i32], function deletes(x, n) {
  const o = { a: 1 };
  delete (o as { a?: number }).a;
  x.set(0, n);
});
