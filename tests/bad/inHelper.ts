// expect: KPU3005 6:9
import { f32, i32, kernel, type Ptr, ptr } from "kpu-dsl";

/** The refused line is in the helper; the report shows the call as well. */
function setMiddle(x: Ptr<f32>, n: number): void {
  x.set(n / 2, 1);
}

export const inHelper = kernel([ptr(f32), i32], function inHelper(x, n) {
  setMiddle(x, n);
});
