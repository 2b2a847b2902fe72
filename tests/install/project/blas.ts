import { build, f32, host, i32, kernel, type Ptr, ptr, S } from "kpu-dsl";

export class Blas {
  @kernel([ptr(f32), ptr(f32), f32, i32])
  static saxpy(x: Ptr<f32>, y: Ptr<f32>, a: number, n: number): void {
    for (let i = S.tileId(); i < n; i += S.tileCount()) y.set(i, a * x.get(i) + y.get(i));
  }
}

const x = new Float32Array([1, 2, 3, 4, 5]);
const direct = new Float32Array([10, 20, 30, 40, 50]);
const compiled = direct.slice();
host(Blas.saxpy)(x, direct, 2, 5);
build(Blas.saxpy).run(x, compiled, 2, 5);
console.log("direct  ", direct.join(" "));
console.log("compiled", compiled.join(" "));
