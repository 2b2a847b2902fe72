/** What the benchmarks run. */
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const vectorAdd = kernel([ptr(f32), ptr(f32), ptr(f32), i32], function vectorAdd(out, x, y, n) {
  for (let i = 0; i < n; i += 8) S.vstore(S.vadd(S.vload(x.at(i)), S.vload(y.at(i))), out.at(i));
});

/** The same, the registers going round the tiles. */
export const sharedAdd = kernel([ptr(f32), ptr(f32), ptr(f32), i32], function sharedAdd(out, x, y, n) {
  for (let i = S.tileId() * 8; i < n; i += S.tileCount() * 8) {
    S.vstore(S.vadd(S.vload(x.at(i)), S.vload(y.at(i))), out.at(i));
  }
});

/** A new kernel at every call, as small as an author's next one. */
export function fresh() {
  return kernel([ptr(f32), ptr(f32), ptr(f32), i32], function fresh(out, x, y, n) {
    for (let i = S.tileId() * 8; i < n; i += S.tileCount() * 8) {
      const mask = S.tailMask(n - i, 8);
      S.vstore(S.vadd(S.vload(x.at(i), { mask }), S.vload(y.at(i), { mask })), out.at(i), { mask });
    }
  });
}

export const barriers = kernel([i32], function barriers(n) {
  for (let i = 0; i < n; i++) S.barrier();
});

const ROWS = 2;
const COLUMNS = 16;

/**
 * C = A * B in blocks of 2 x 16 over packed panels of 16 columns of B: eight accumulators of 128 bits, which is what V8 keeps
 * in registers beside the operands; sizes are multiples of the block. Product and sum
 * are rounded separately, as the fabric does and as onnxruntime does.
 */
export const gemm = kernel(
  [ptr(f32), ptr(f32, { const: true }), ptr(f32, { const: true }), i32, i32, i32],
  function gemm(c, a, b, m, n, depth) {
    const panel = S.alloc(f32, 512 * COLUMNS);
    for (let j = 0; j < n; j += COLUMNS) {
      for (let k = 0; k < depth; k++)
        S.vstore(S.vload(b.at(k * n + j), { lanes: COLUMNS }), panel.at(k * COLUMNS));
      for (let i = 0; i < m; i += ROWS) {
        const rows = [a.at(i * depth), a.at((i + 1) * depth)];
        const zero = S.vbcast(0, f32, COLUMNS);
        const sums = [zero, zero];
        for (let k = 0; k < depth; k++) {
          const row = S.vload(panel.at(k * COLUMNS), { lanes: COLUMNS });
          for (const r of S.unroll(ROWS)) sums[r] = S.vadd(sums[r]!, S.vmul(row, rows[r]!.get(k)));
        }
        for (const r of S.unroll(ROWS)) S.vstore(sums[r]!, c.at((i + r) * n + j));
      }
    }
  },
);

/** A new kernel of 50 lines at every call: what an author's first build of one more kernel costs. */
export function fiftyLines() {
  return kernel([ptr(f32), ptr(f32), ptr(f32), f32, i32], function fiftyLines(out, x, y, a, n) {
    const part = S.ceildiv(n, S.tileCount());
    const begin = S.tileId() * part;
    const end = Math.min(begin + part, n);
    let sums = S.vbcast(0, f32, 8);
    let highest = S.vbcast(-Infinity, f32, 8);
    let lowest = S.vbcast(Infinity, f32, 8);
    for (let i = begin; i < end; i += 8) {
      const mask = S.tailMask(end - i, 8);
      const u = S.vload(x.at(i), { mask });
      const v = S.vload(y.at(i), { mask });
      const w = S.vfma(u, v, a);
      const e = S.vexp(S.vmin(w, 10), { mask });
      const t = S.vadd(S.vmul(e, 0.5), S.vabs(u));
      const s = S.vsel(t, S.vneg(t), S.vcgt(u, v));
      const q = S.vclip(s, -100, 100);
      sums = S.vadd(sums, q);
      highest = S.vmax(highest, q);
      lowest = S.vmin(lowest, q);
      S.vstore(q, out.at(i), { mask });
    }
    const total = S.vrpadd(sums);
    const top = S.vrpmax(highest);
    const bottom = S.vrpmin(lowest);
    let scale = 1;
    if (top > bottom) {
      scale = 1 / (top - bottom);
    } else if (total > 0) {
      scale = 1 / total;
    }
    for (let i = begin; i < end; i++) {
      const value = out.get(i);
      if (value < 0) {
        out.set(i, value * scale * 0.5);
        continue;
      }
      let rounds = 0;
      let rest = value;
      while (rest > 1 && rounds < 20) {
        rest /= 2;
        rounds++;
      }
      out.set(i, rest * scale + rounds);
    }
    for (const r of S.unroll(4)) {
      const at = begin + r;
      if (at < end) {
        const old = out.get(at);
        out.set(at, S.f32(old * 2));
      }
    }
  });
}
