// expect: KPU3006 6:14
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const vectorOperator = kernel([ptr(f32), i32], function vectorOperator(x, n) {
  const v = S.vload(x.at(n));
  S.vstore(((v as unknown as number) + 1) as never, x);
});
