// expect: KPU1010 5:24
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const stringOfRuntime = kernel([ptr(f32), i32], function stringOfRuntime(x, n) {
  const name = `n is ${n}`;
  S.print(name);
});
