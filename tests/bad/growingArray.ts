// expect: KPU2006 6:31
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const growingArray = kernel([ptr(f32), i32], function growingArray(x, n) {
  const seen: number[] = [];
  for (let i = 0; i < n; i++) seen.push(x.get(i));
  x.set(0, seen.length);
});
