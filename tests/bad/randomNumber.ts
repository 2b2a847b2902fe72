// expect: KPU2004 5:12
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const randomNumber = kernel([ptr(f32), i32], function randomNumber(x, n) {
  x.set(n, Math.random());
});
