// expect: KPU2002 7:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

let total = 0;

export const assignsCapture = kernel([ptr(f32), i32], function assignsCapture(x, n) {
  total += n;
  x.set(0, total);
});
