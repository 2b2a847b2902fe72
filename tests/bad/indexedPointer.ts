// expect: KPU2006 5:39
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const indexedPointer = kernel([ptr(f32), i32], function indexedPointer(x, n) {
  x.set(0, (x as unknown as number[])[n] as number);
});
