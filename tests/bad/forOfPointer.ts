// expect: KPU1013 5:19
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const forOfPointer = kernel([ptr(f32), i32], function forOfPointer(x, n) {
  for (const v of x as unknown as number[]) x.set(0, v + n);
});
