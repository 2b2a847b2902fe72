/** Kernel lines: what touches memory needs a kernel. */
import type { Corner } from "../corner.ts";

export const MEMORY: { readonly [name: string]: readonly Corner[] } = {
  vload: [
    "S.vstore(S.vload(x.at(60), { mask: '4T4F' }), y);",
    "S.vstore(S.vload(x.at(60), { mask: '4T4F', r: 9 }), y);",
    "S.vstore(S.vload(x.at(60)), y);",
    "S.vstore(S.vload(x.at(-1), { mask: 'F7T' }), y);",
    "S.vstore(S.vload(S.alloc(f32, [8])), y);",
    "S.vstore(S.vload(x, { lanes: 4, stride: 16 }), y);",
    "S.vstore(S.vload(x, { lanes: 4, stride: 0 }), y);",
  ],
  vstore: [
    "S.vstore(S.vload(x), y.at(60), { mask: '4T4F' });",
    "S.vstore(S.vload(x), y.at(60));",
    "S.vstore(S.vload(x, { lanes: 2 }), y, { stride: 3 });",
  ],
  vloadGather: [
    "S.vstore(S.vloadGather(x, S.vsub(S.vload(i), 1)), y);",
    "S.vstore(S.vloadGather(x, S.vsub(S.vload(i), 1), { mask: 'F7T', r: 9 }), y);",
  ],
  vstoreScatter: [
    "S.vstoreScatter(S.vload(x, { lanes: 4 }), y, S.vbcast(5, i32, 4));",
    "S.vstoreScatter(S.vload(x, { lanes: 4 }), y, S.vbcast(64, i32, 4));",
  ],
  "Ptr.get": ["y.set(0, x.get(64));", "y.set(0, x.at(64).get(-1));"],
  "Ptr.set": [
    "y.as(u8).set(0, 300); j.set(0, y.as(u8).get(0));",
    "j.set(0, 3.9); j.set(1, -3.9); j.set(2, 4294967297); j.set(3, NaN);",
    "y.set(64, 0);",
  ],
  dmaCopy: [
    "S.dmaCopy(y, x, 0);",
    "S.dmaCopy(y.at(62), x, 2);",
    "S.dmaCopy(y.at(62), x, 3);",
    "S.dmaCopy(y, x, 2, { srcStride: 8, dstStride: 4, times: 3 });",
    "S.dmaCopy(y, x, 8, { srcStride: 8, dstStride: 4, times: 2 });",
    "S.dmaCopy(x.at(1), x, 8);",
    "S.dmaCopy(y, x, { shape: [2, 2], srcStrides: [8, 1], dstStrides: [4, 1], padding: { before: [0, 1], after: [0, 1], value: 7 } });",
  ],
  dmaMemset: ["S.dmaMemset(y, 1.5, 0);", "S.dmaMemset(y.at(60), 1.5, 4);", "S.dmaMemset(y.at(60), 1.5, 5);"],
  asyncDmaCopy: [
    "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 4, e); S.waitEvents(e); S.freeEvents(e);",
    "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 4, e); y.set(0, 1); S.waitEvents(e); S.freeEvents(e);",
    "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 4, e); y.set(4, 1); S.waitEvents(e); S.freeEvents(e);",
    "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 4, e);",
  ],
  asyncDmaMemset: [
    "const [e] = S.allocEvents(1); S.asyncDmaMemset(y, 2, 4, e); S.waitEvents(e); S.freeEvents(e);",
    "const [e] = S.allocEvents(1); S.asyncDmaMemset(y, 2, 4, e); y.set(0, y.get(3)); S.waitEvents(e); S.freeEvents(e);",
  ],
  dmaTranspose2d: [
    "S.dmaTranspose2d(y, x, 2, 3);",
    "S.dmaTranspose2d(y, x, 0, 3);",
    "S.dmaTranspose2d(y.at(60), x, 2, 3);",
    "S.dmaTranspose2d(x, x, 2, 2);",
  ],
  asyncDmaTranspose2d: [
    "const [e] = S.allocEvents(1); S.asyncDmaTranspose2d(y, x, 2, 2, e); S.waitEvents(e); S.freeEvents(e);",
    "const [e] = S.allocEvents(1); S.asyncDmaTranspose2d(y, x, 2, 2, e); y.set(0, y.get(1)); S.waitEvents(e); S.freeEvents(e);",
  ],
  dmaUpsample: [
    "S.dmaUpsample(y, x, 2, 2, { scaleW: 2 });",
    "S.dmaUpsample(y, x, 1, 2, { channels: 2, scaleH: 2 });",
    "S.dmaUpsample(y, x, 8, 8, { scaleH: 2 });",
  ],
  asyncDmaUpsample: [
    "const [e] = S.allocEvents(1); S.asyncDmaUpsample(y, x, 2, 2, e, { scaleW: 2 }); S.waitEvents(e); S.freeEvents(e);",
  ],
  dmaGather: [
    "j.set(0, 3); j.set(1, 0); S.dmaGather(y, x, j, 2, { width: 4 });",
    "j.set(0, -1); S.dmaGather(y, x, j, 1);",
    "S.dmaGather(y, x, j, 0);",
  ],
  asyncDmaGather: [
    "j.set(0, 3); const [e] = S.allocEvents(1); S.asyncDmaGather(y, x, j, 1, e); j.set(0, 4); S.waitEvents(e); S.freeEvents(e);",
  ],
  freeEvents: [
    "const [e] = S.allocEvents(1); S.freeEvents(e); S.freeEvents(e);",
    "const [e] = S.allocEvents(1); S.asyncDmaCopy(y, x, 4, e); S.freeEvents(e);",
  ],
  waitEvents: ["const [e] = S.allocEvents(1); S.waitEvents(e); S.freeEvents(e);"],
  allocEvents: ["S.allocEvents(1);", "S.freeEvents(S.allocEvents(1000));"],
  allocConst: [
    "const t = S.allocConst(f32, [1.5, 2]); y.set(0, t.get(1));",
    "const t = S.allocConst(i8, [300]); y.set(0, t.get(0));",
    "const t = S.allocConst(f32, [1.5, 2]); t.set(0, 1);",
  ],
  view: [
    "y.set(0, S.view(x, [2, 3]).at(1, 2).get());",
    "y.set(0, S.view(x, [2, 3]).at(1, 3).get());",
    "y.set(0, S.view(x, [100, 100]).at(1, 3).get());",
  ],
  prefetch: ["S.prefetch(x, 64); y.set(0, x.get(63));", "S.prefetch(x, 65);"],
  flushCache: ["y.set(0, 1); S.flushCache(y, 1);", "S.flushCache(y, 65);"],
  "Ptr.at": [
    "y.set(0, x.at(3).at(-1).get());",
    "const p = x.at(1000); y.set(0, 1);",
    "y.set(0, x.at(1000).get());",
  ],
  "NdBuffer.at": [
    "const t = S.alloc(f32, [2, 3]); t.at(1, 2).set(0, 5); y.set(0, t.at(1, 2).get());",
    "const t = S.alloc(f32, [2, 3]); t.at(2, 0).set(0, 5);",
  ],
  "Ptr.as": [
    "j.set(0, x.as(i32).get(0));",
    "j.set(0, x.as(u8).at(3).get());",
    "y.set(0, x.as(u8).at(1).as(f32).get());",
  ],
  "Ptr.eq": ["j.set(0, Number(x.at(1).eq(x.at(1)))); j.set(1, Number(x.eq(y)));"],
  "Ptr.diff": ["j.set(0, x.at(5).diff(x)); j.set(1, x.diff(x.at(5)));"],
  "Ptr.isNull": ["j.set(0, Number(!x.isNull));"],
  "Vec.at": ["y.set(0, S.vload(x).at(7));", "y.set(0, S.vload(x).at(i.get(1) + 1));"],
  "Vec.with": [
    "S.vstore(S.vload(x).with(2, 0.1), y);",
    "S.vstore(S.vload(x).with(i.get(1) + 1, 0.1), y);",
    "S.vstore(S.vload(i).with(0, 0.5), j);",
  ],
  "Mask.at": [
    "j.set(0, Number(S.tailMask(3, 8).at(2)));",
    "j.set(0, Number(S.tailMask(3, 8).at(i.get(1) + 1)));",
  ],
  "Mask.with": ["S.vstore(S.vload(x), y, { mask: S.tailMask(1, 8).with(7, true) });"],
  alloc: ["S.alloc(f32, [1000000], 'local');", "S.alloc(f32, [0]);"],
  assert: ["S.assert(x.get(0) > 0, 'x is positive');"],
  range: [
    "for (const k of S.range(8, 0, -3)) y.set(k, k);",
    "for (const k of S.range(3, 3)) y.set(k, k);",
    "for (const k of S.range(0, 3, 0)) y.set(k, k);",
  ],
  grid: [
    "for (const [a, b] of S.grid(2, 2)) y.set(2 * a + b, a - b);",
    "for (const [a, b] of S.grid(3, 0)) y.set(a + b, 1);",
  ],
  comptime: [
    "y.set(0, S.comptime(() => [3, 1, 2].sort()[0]));",
    "y.set(0, S.comptime(() => Math.random()));",
    "y.set(0, S.comptime(() => x.get(0)));",
  ],
  func: ["const twice = S.func((v) => v * 2); y.set(0, twice(21));", "S.func(3);"],
  target: ["j.set(0, S.target.lanes(f32)); j.set(1, S.target.tiles);"],
  tileId: ["j.set(0, 5 + S.tileId());"],
  tileCount: ["j.set(0, S.tileCount());"],
  barrier: ["y.set(0, 1); S.barrier(); y.set(1, y.get(0));"],
  print: ["S.print('{} {}', x.get(0), i.get(1));", "S.print('{}');", "S.print('no holes', 1);"],
  unroll: ["for (const k of S.unroll(5000)) y.set(0, k);"],
  perfBegin: ["S.perfBegin(1); S.perfBegin(1); S.perfEnd(1); S.perfEnd(1);", "S.perfBegin(1);"],
  perfEnd: ["S.perfBegin(1); S.perfEnd(2);"],
};
