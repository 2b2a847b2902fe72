// expect: KPU1009 6:17
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const closureAsValue = kernel([ptr(f32), i32], function closureAsValue(x, n) {
  const f = (i: number) => x.get(i) + n;
  S.print("{}", f as unknown as number);
});
