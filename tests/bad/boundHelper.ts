// expect: KPU2009 7:12
import { f32, i32, kernel, ptr } from "kpu-dsl";

const helper = ((k: number) => k + 1).bind(undefined);

export const boundHelper = kernel([ptr(f32), i32], function boundHelper(x, n) {
  x.set(0, helper(n));
});
