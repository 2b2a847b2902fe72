import { f32, i32, kernel, ptr, S } from "kpu-dsl";

export const saxpy = kernel([ptr(f32), ptr(f32), f32, i32], function saxpy(x, y, a, n) {
  const per = S.ceildiv(n, S.tileCount());
  const begin = S.tileId() * per,
    end = Math.min(begin + per, n);
  for (let i = begin; i < end; i += 8) {
    const m = S.tailMask(end - i, 8);
    S.vstore(S.vfma(S.vload(y.at(i), { mask: m }), S.vload(x.at(i), { mask: m }), a), y.at(i), { mask: m });
  }
});
