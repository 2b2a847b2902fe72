/** Kernels that are timed: products on the fabric, and commands that depend on data. */
import { f32, i32, kernel, type ProgramDescription, ptr, S } from "kpu-dsl";

const [LOAD, MULTIPLY] = [1, 2];
const [SIDE, DEPTH] = [32, 64];
const TILES = 2;

/** Names what is between the marks of the second span. */
const DESCRIPTION: ProgramDescription = {
  tensors: [
    { name: "c", dtype: "f32", role: "output", param: "c" },
    { name: "a", dtype: "f32", role: "input", param: "a" },
    { name: "b", dtype: "f32", role: "input", param: "b" },
  ],
  ops: [
    {
      name: "multiply",
      kind: "gemm",
      span: MULTIPLY,
      dims: { m: 32, n: 32, k: 64 },
      inputs: ["a", "b"],
      outputs: ["c"],
    },
  ],
};

/** relu(a[t] b) for the blocks t of 32 rows, which the tiles take in turn; b stays in their L2. */
export const product = kernel(
  [ptr(f32), ptr(f32), ptr(f32), i32],
  function product(c, a, b, blocks) {
    const far = S.alloc(f32, [TILES, SIDE * DEPTH], "l3");
    const [nearA, nearB, out] = [
      S.alloc(f32, [SIDE * DEPTH], "l2"),
      S.alloc(f32, [DEPTH * SIDE], "l2"),
      S.alloc(f32, [SIDE * SIDE], "l2"),
    ];
    const [edgeA, edgeB] = [S.alloc(f32, [SIDE, DEPTH], "l1"), S.alloc(f32, [DEPTH, SIDE], "l1")];
    const acc = S.alloc(f32, [SIDE, SIDE], "acc");
    const [e, f] = S.allocEvents(2);
    const mine = far.at(S.tileId(), 0);
    S.dmaCopy(mine, b, DEPTH * SIDE);
    S.blockMove(nearB, mine, { rows: DEPTH, cols: SIDE }, e);
    S.waitEvents(e);
    for (let t = S.tileId(); t < blocks; t += S.tileCount()) {
      S.perfBegin(LOAD);
      S.dmaCopy(mine, a.at(t * SIDE * DEPTH), SIDE * DEPTH);
      S.blockMove(nearA, mine, { rows: SIDE, cols: DEPTH }, e);
      S.waitEvents(e);
      S.perfEnd(LOAD);
      S.perfBegin(MULTIPLY);
      S.streamRows(edgeA, nearA, { rows: SIDE, depth: DEPTH }, e);
      S.streamCols(edgeB, nearB, { cols: SIDE, depth: DEPTH }, f);
      S.waitEvents(e, f);
      S.mma(acc, edgeA, edgeB, { m: SIDE, n: SIDE, k: DEPTH, clear: true }, e);
      S.waitEvents(e);
      S.drain(out, acc, { rows: SIDE, cols: SIDE, activation: "relu" }, e);
      S.waitEvents(e);
      S.perfEnd(MULTIPLY);
      S.blockMove(mine, out, { rows: SIDE, cols: SIDE }, e);
      S.waitEvents(e);
      S.dmaCopy(c.at(t * SIDE * SIDE), mine, SIDE * SIDE);
    }
    S.freeEvents(e, f);
  },
  DESCRIPTION,
);

/** Copies as many numbers as x says. */
export const dependent = kernel([ptr(i32), ptr(i32)], function dependent(y, x) {
  S.dmaCopy(y, x.at(1), x.get(0));
});
