// expect: KPU3009 5:30
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const argumentCount = kernel([ptr(f32), i32], function argumentCount(x, n) {
  S.vstore(S.vload(x.at(n)), undefined as never);
});
