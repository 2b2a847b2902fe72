// expect: KPU3001 5:31
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const wrongDtype = kernel([ptr(f32), ptr(i32), i32], function wrongDtype(x, y, n) {
  S.vstore(S.vadd(S.vload(x), S.vload(y.at(n)) as never), x);
});
