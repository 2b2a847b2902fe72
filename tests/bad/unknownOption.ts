// expect: KPU3004 5:23
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const unknownOption = kernel([ptr(f32), i32], function unknownOption(x, n) {
  S.vstore(S.vload(x, { maks: S.tailMask(n, 8) } as never), x);
});
