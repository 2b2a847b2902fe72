/** Kernel lines: 8 elements of x on their way, y takes what comes out. */
import type { Corner } from "../corner.ts";

const move = (block: string, elements: number, dtype = "f32"): string =>
  `const far = S.alloc(f32, [8], 'l3'); const near = S.alloc(${dtype}, [16], 'l2'); const [e] = S.allocEvents(1); S.dmaCopy(far, x, 8); S.dmaMemset(near, 7, 16); S.blockMove(near, far, ${block}, e); S.waitEvents(e); for (const k of S.range(0, ${elements})) y.set(k, near.get(k)); S.freeEvents(e);`;

const START =
  "const near = S.alloc(f32, [8], 'l2'); const out = S.alloc(f32, [4], 'l2'); const a = S.alloc(f32, [8], 'l1'); const b = S.alloc(f32, [8], 'l1'); const acc = S.alloc(f32, [4], 'acc'); const [e, f] = S.allocEvents(2); S.dmaCopy(near, x, 8); S.streamRows(a, near, { rows: 2, depth: 4 }, e); S.streamCols(b, near, { cols: 2, depth: 4 }, f); S.waitEvents(e, f);";
const multiplied = (block: string): string => `${START} S.mma(acc, a, b, ${block}, e); S.waitEvents(e);`;
const drained = (block: string, lines = multiplied("{ m: 2, n: 2, k: 4, clear: true }")): string =>
  `${lines} S.drain(out, acc, ${block}, e); S.waitEvents(e); S.dmaCopy(y, out, 4); S.freeEvents(e, f);`;

export const PATH: { readonly [name: string]: readonly Corner[] } = {
  blockMove: [
    move("{ rows: 2, cols: 3, dstStride: 4 }", 8),
    move("{ rows: 2, cols: 3, transform: 'transpose' }", 6),
    move("{ rows: 3, cols: 2, transform: 'pack', panel: 2 }", 8),
    move(
      "{ transform: 'im2col', rows: 2, channels: 1, height: 2, width: 4, kernel: [1, 3], padding: [0, 1] }",
      6,
    ),
    move("{ rows: 1, cols: 4, quantize: { scale: 2, zeroPoint: -3 } }", 4, "i8"),
    move("{ rows: 0, cols: 4 }", 2),
    move("{ rows: 2, cols: 4, dstStride: 2 }", 1),
    move("{ rows: 3, cols: 3 }", 1),
  ],
  streamRows: [
    "const near = S.alloc(f32, [8], 'l2'); const a = S.alloc(f32, [8], 'l1'); const [e] = S.allocEvents(1); S.dmaCopy(near, x, 8); S.streamRows(a, near, { rows: 3, depth: 4 }, e); S.waitEvents(e); S.freeEvents(e);",
    "const near = S.alloc(f32, [8], 'l2'); const a = S.alloc(f32, [8], 'l1'); const [e] = S.allocEvents(1); S.dmaCopy(near, x, 8); S.streamRows(a, near, { rows: 2, depth: 4 }, e); near.set(0, 1); S.waitEvents(e); S.freeEvents(e);",
  ],
  streamCols: ["y.set(0, S.alloc(f32, [8], 'l1').get(0));"],
  mma: [
    drained("{ rows: 2, cols: 2 }"),
    drained("{ rows: 2, cols: 2 }", multiplied("{ m: 2, n: 2, k: 2, clear: true }")),
    drained("{ rows: 2, cols: 2 }", multiplied("{ m: 2, n: 2, k: 4 }")),
    drained("{ rows: 2, cols: 2 }", multiplied("{ m: 2, n: 2, k: 0, clear: true }")),
  ],
  preload: [
    `${START} S.preload(acc, near.at(1), { rows: 2, cols: 2, stride: 3 }, e); S.waitEvents(e); S.mma(acc, a, b, { m: 2, n: 2, k: 4 }, e); S.waitEvents(e); S.drain(out, acc, { rows: 2, cols: 2 }, e); S.waitEvents(e); S.dmaCopy(y, out, 4); S.freeEvents(e, f);`,
    drained("{ rows: 2, cols: 2 }", `${START} S.preload(acc, near, { rows: 2, cols: 2, stride: 1 }, e);`),
    drained("{ rows: 2, cols: 2 }", `${START} S.preload(acc, near, { rows: 2, cols: 2 }, e);`),
  ],
  drain: [
    drained("{ rows: 2, cols: 2, scale: 0.5, bias: x, activation: 'relu6' }"),
    drained("{ rows: 2, cols: 2, bias: x, axis: 'row' }"),
    drained("{ rows: 2, cols: 2, residual: near }"),
    drained("{ rows: 2, cols: 3 }"),
  ],
};
