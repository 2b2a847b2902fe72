/** C = A * B, row-major, in register blocks of 4 rows by 8 columns: every loaded row of B serves four rows of C. */
import { build, describeInputs, f32, i32, kernel, type Mask, type Ptr, ptr, S } from "kpu-dsl";
import { isMain } from "./is-main.ts";

const ROWS = 4;
const COLUMNS = 8;

/** One block of `rows` x 8 of C. `rows` is static: the accumulators are registers, and the loop over them is unrolled. */
function block(
  rows: number,
  c: Ptr<f32>,
  a: Ptr<f32>,
  b: Ptr<f32>,
  n: number,
  depth: number,
  mask: Mask,
): void {
  const zero = S.vbcast(0, f32, COLUMNS);
  const sums = [zero, zero, zero, zero];
  for (let k = 0; k < depth; k++) {
    const row = S.vload(b.at(k * n), { mask });
    for (const r of S.unroll(rows)) sums[r] = S.vfma(sums[r]!, row, a.get(r * depth + k));
  }
  for (const r of S.unroll(rows)) S.vstore(sums[r]!, c.at(r * n), { mask });
}

export const matmul = kernel(
  [ptr(f32), ptr(f32, { const: true }), ptr(f32, { const: true }), i32, i32, i32],
  function matmul(c, a, b, m, n, depth) {
    for (let i = S.tileId() * ROWS; i < m; i += S.tileCount() * ROWS) {
      for (let j = 0; j < n; j += COLUMNS) {
        const mask = S.tailMask(n - j, COLUMNS);
        if (m - i >= ROWS) block(ROWS, c.at(i * n + j), a.at(i * depth), b.at(j), n, depth, mask);
        else for (let r = i; r < m; r++) block(1, c.at(r * n + j), a.at(r * depth), b.at(j), n, depth, mask);
      }
    }
  },
);

describeInputs(matmul, (g) => {
  const m = g.size(0, 13);
  const n = g.size(0, 20);
  const depth = g.size(0, 20);
  return [g.array(f32, m * n), g.array(f32, m * depth), g.array(f32, depth * n), m, n, depth];
});

if (isMain(import.meta.url)) {
  const [m, n, depth] = [6, 10, 16];
  const a = Float32Array.from({ length: m * depth }, (_, i) => i % 7);
  const b = Float32Array.from({ length: depth * n }, (_, i) => i % 5);
  const direct = new Float32Array(m * n);
  const compiled = new Float32Array(m * n);
  matmul(direct, a, b, m, n, depth);
  build(matmul).run(compiled, a, b, m, n, depth);
  console.log("direct  ", direct.subarray(0, n));
  console.log("compiled", compiled.subarray(0, n));
}
