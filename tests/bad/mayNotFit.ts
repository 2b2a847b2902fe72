// expect: KPU3003 5:21
import { i32, kernel, ptr, S, u8 } from "kpu-dsl";

export const mayNotFit = kernel([ptr(u8), i32], function mayNotFit(x, n) {
  S.vstore(S.vbcast(n, u8, 32), x);
});
