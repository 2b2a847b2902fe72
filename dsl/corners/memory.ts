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
  waitEvents: ["const [e] = S.allocEvents(1); S.waitEvents(e); S.freeEvents(e);"],
  allocEvents: ["S.allocEvents(1);", "S.freeEvents(S.allocEvents(1000));"],
  alloc: ["S.alloc(f32, [1000000], 'local');", "S.alloc(f32, [0]);"],
  assert: ["S.assert(x.get(0) > 0, 'x is positive');"],
  range: [
    "for (const k of S.range(8, 0, -3)) y.set(k, k);",
    "for (const k of S.range(3, 3)) y.set(k, k);",
    "for (const k of S.range(0, 3, 0)) y.set(k, k);",
  ],
  unroll: ["for (const k of S.unroll(5000)) y.set(0, k);"],
  perfEnd: ["S.perfBegin(1); S.perfEnd(2);"],
};
