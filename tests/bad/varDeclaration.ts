// expect: KPU1006 5:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const varDeclaration = kernel([ptr(f32), i32], function varDeclaration(x, n) {
  var i = n;
  x.set(0, i);
});
