// expect: KPU1014 5:3
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const returnsValue = kernel([ptr(f32), i32], function returnsValue(x, n) {
  return (x.get(0) + n) as unknown as void;
});
