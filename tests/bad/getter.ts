// expect: KPU1011 6:5
import { f32, i32, kernel, ptr } from "kpu-dsl";

export const getter = kernel([ptr(f32), i32], function getter(x, n) {
  const o = {
    get a() {
      return 1;
    },
  };
  x.set(0, o.a);
});
