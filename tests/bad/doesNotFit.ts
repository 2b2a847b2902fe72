// expect: KPU3003 5:31
import { i32, kernel, ptr, S, u8 } from "kpu-dsl";

export const doesNotFit = kernel([ptr(u8), i32], function doesNotFit(x, n) {
  S.vstore(S.vadd(S.vload(x), 300), x.at(n));
});
