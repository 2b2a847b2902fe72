// expect: KPU2007 6:10
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const runtimeCase = kernel([ptr(f32), i32], function runtimeCase(x, n) {
  switch (n) {
    case x.get(0):
      x.set(1, 0);
  }
});
