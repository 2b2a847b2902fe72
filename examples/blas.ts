/** Kernels as static methods under a decorator: the same record as the function form. */
import { build, describeInputs, f32, host, i32, kernel, type Ptr, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

/** The part of 0..n that this tile works on. A helper is an ordinary function; the compiler inlines it. */
function myPart(n: number): { begin: number; end: number } {
  const per = S.ceildiv(n, S.tileCount());
  const begin = S.tileId() * per;
  return { begin, end: Math.min(begin + per, n) };
}

export class Blas {
  /** y += a * x */
  @kernel([ptr(f32), ptr(f32), f32, i32])
  static saxpy(x: Ptr<f32>, y: Ptr<f32>, a: number, n: number): void {
    const { begin, end } = myPart(n);
    for (const i of S.range(begin, end, 8)) {
      const mask = S.tailMask(end - i, 8);
      S.vstore(S.vfma(S.vload(y.at(i), { mask }), S.vload(x.at(i), { mask }), a), y.at(i), { mask });
    }
  }

  /** x *= a */
  @kernel([ptr(f32), f32, i32])
  static scal(x: Ptr<f32>, a: number, n: number): void {
    const { begin, end } = myPart(n);
    for (const i of S.range(begin, end, 8)) {
      const mask = S.tailMask(end - i, 8);
      S.vstore(S.vmul(S.vload(x.at(i), { mask }), a), x.at(i), { mask });
    }
  }

  /** result[0] = x . y, on one tile. */
  @kernel([ptr(f32), ptr(f32), ptr(f32), i32])
  static dot(result: Ptr<f32>, x: Ptr<f32>, y: Ptr<f32>, n: number): void {
    if (S.tileId() !== 0) return;
    let sum = S.vbcast(0, f32, 8);
    for (const i of S.range(0, n, 8)) {
      const mask = S.tailMask(n - i, 8);
      sum = S.vfma(sum, S.vload(x.at(i), { mask }), S.vload(y.at(i), { mask }));
    }
    result.set(0, S.vrpadd(sum));
  }
}

describeInputs(Blas.saxpy, (g) => {
  const n = g.size();
  return [g.array(f32, n), g.array(f32, n), g.scalar(f32), n];
});
describeInputs(Blas.scal, (g) => {
  const n = g.size();
  return [g.array(f32, n), g.scalar(f32), n];
});
describeInputs(Blas.dot, (g) => {
  const n = g.size();
  return [g.array(f32, 1), g.array(f32, n), g.array(f32, n), n];
});

if (isMain(import.meta.url)) {
  const x = new Float32Array([1, 2, 3, 4, 5]);
  const y = new Float32Array([10, 20, 30, 40, 50]);
  host(Blas.saxpy)(x, y, 2, 5);
  build(Blas.scal).run(y, 0.5, 5);
  console.log(y);
}
