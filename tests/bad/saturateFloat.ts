// expect: KPU3011 5:49
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const saturateFloat = kernel([ptr(f32), i32], function saturateFloat(x, n) {
  S.vstore(S.vadd(S.vload(x), S.vload(x.at(n)), { saturate: true } as never), x);
});
