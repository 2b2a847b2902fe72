// expect: KPU2002 7:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

const table = [1, 2, 3];

export const writesCapturedArray = kernel([ptr(f32), i32], function writesCapturedArray(x, n) {
  table[0] = n;
  x.set(0, 1);
});
