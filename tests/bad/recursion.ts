// expect: KPU2005 5:22
import { f32, i32, kernel, ptr } from "kpu-dsl";

function fib(k: number): number {
  return k < 2 ? k : fib(k - 1) + fib(k - 2);
}

export const recursion = kernel([ptr(f32), i32], function recursion(x, n) {
  x.set(0, fib(n));
});
