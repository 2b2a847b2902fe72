// expect: KPU3008 5:23
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const maskString = kernel([ptr(f32), i32], function maskString(x, n) {
  S.vstore(S.vload(x, { mask: "4T2X" }), x.at(n), { mask: "8T" });
});
