// expect: KPU2011 7:13
import { f32, i32, kernel, ptr } from "kpu-dsl";

const options: { scale?: { value: number } } = {};

export const staticThrows = kernel([ptr(f32), i32], function staticThrows(x, n) {
  x.set(n, (options.scale as { value: number }).value);
});
