/** The command trace of programs of the matrix path: a product in blocks, the next operands under way while one is multiplied. */
import { f32, i4, i8, i32, kernel, ptr, recordOf, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { legalise } from "../../codegen/legalise.ts";
import type { KernelRecord } from "../../dsl/kernel.ts";
import type { Kernel } from "../../ir/kir.ts";
import { TARGETS, type Target } from "../../ir/target.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { timeTrace } from "../../machine/model/run.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import type { Item, Move } from "../../machine/trace.ts";
import { parseTrace } from "../../machine/trace-parse.ts";
import { printTrace } from "../../machine/trace-print.ts";
import { verifyTrace } from "../../machine/trace-verify.ts";
import { deriveTrace } from "../../runtime/trace/index.ts";
import { expectSame, itemCount } from "./same-trace.ts";

const TILES = 2;
/** Rows and columns of a block of the result, and how deep a block of operands is. */
const [SIDE, DEPTH] = [32, 128];
const SIZE = SIDE * DEPTH;

/** out = relu(scale * x y) in i8; m, n and k are multiples of the block. */
const gemm = kernel(
  [ptr(i8), ptr(i8, { const: true }), ptr(i8, { const: true }), i32, i32, i32, f32],
  function gemm(out, x, y, m, n, k, scale) {
    const tile = S.tileId();
    const farX = S.alloc(i8, [TILES, 2, SIZE], "l3");
    const farY = S.alloc(i8, [TILES, 2, SIZE], "l3");
    const farOut = S.alloc(i8, [TILES, SIDE * SIDE], "l3");
    const nearX = S.alloc(i8, [2, SIZE], "l2");
    const nearY = S.alloc(i8, [2, SIZE], "l2");
    const nearOut = S.alloc(i8, [SIDE * SIDE], "l2");
    const edgeX = S.alloc(i8, [2, SIZE], "l1");
    const edgeY = S.alloc(i8, [2, SIZE], "l1");
    const acc = S.alloc(i32, [SIDE * SIDE], "acc");
    const [load0, load1, load2, load3, e, f] = S.allocEvents(6);
    const loads = [
      [load0, load1],
      [load2, load3],
    ] as const;
    for (let i = tile * SIDE; i < m; i += S.tileCount() * SIDE) {
      for (let j = 0; j < n; j += SIDE) {
        S.asyncDmaCopy(farX.at(tile, 0, 0), x.at(i * k), DEPTH, load0, { srcStride: k, times: SIDE });
        S.asyncDmaCopy(farY.at(tile, 0, 0), y.at(j), SIDE, load1, { srcStride: n, times: DEPTH });
        for (let p = 0; p < k; p += 2 * DEPTH) {
          for (const turn of S.unroll(2)) {
            const at = p + turn * DEPTH;
            if (at < k) {
              const next = at + DEPTH;
              if (next < k) {
                const [lx, ly] = loads[1 - turn]!;
                S.asyncDmaCopy(farX.at(tile, 1 - turn, 0), x.at(i * k + next), DEPTH, lx, {
                  srcStride: k,
                  times: SIDE,
                });
                S.asyncDmaCopy(farY.at(tile, 1 - turn, 0), y.at(next * n + j), SIDE, ly, {
                  srcStride: n,
                  times: DEPTH,
                });
              }
              const [lx, ly] = loads[turn]!;
              S.waitEvents(lx, ly);
              S.blockMove(nearX.at(turn, 0), farX.at(tile, turn, 0), { rows: SIDE, cols: DEPTH }, e);
              S.blockMove(nearY.at(turn, 0), farY.at(tile, turn, 0), { rows: DEPTH, cols: SIDE }, f);
              S.waitEvents(e, f);
              S.streamRows(edgeX.at(turn, 0), nearX.at(turn, 0), { rows: SIDE, depth: DEPTH }, e);
              S.streamCols(edgeY.at(turn, 0), nearY.at(turn, 0), { cols: SIDE, depth: DEPTH }, f);
              S.waitEvents(e, f);
              const block = { m: SIDE, n: SIDE, k: DEPTH, clear: at === 0, dataflow: "os" as const };
              S.mma(acc, edgeX.at(turn, 0), edgeY.at(turn, 0), block, e);
              S.waitEvents(e);
            }
          }
        }
        const quantize = { scale, zeroPoint: 0 };
        S.drain(nearOut, acc, { rows: SIDE, cols: SIDE, activation: "relu", quantize }, e);
        S.waitEvents(e);
        S.blockMove(farOut.at(tile, 0), nearOut, { rows: SIDE, cols: SIDE }, e);
        S.waitEvents(e);
        S.dmaCopy(out.at(i * n + j), farOut.at(tile, 0), SIDE, { dstStride: n, times: SIDE });
      }
    }
    S.freeEvents(load0, load1, load2, load3, e, f);
  },
);

const machine = (k: unknown, target: Target = TARGETS.edge): Kernel =>
  legalise(lowerKernel(recordOf(k) as KernelRecord, { target }).kernel, target);
const argumentsOf = (m: number, n: number, k: number) => [
  { bytes: m * n },
  { bytes: m * k },
  { bytes: k * n },
  m,
  n,
  k,
  0.01,
];

/** Sums over all rounds. */
function total(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((sum, i) => sum + (i.kind === "loop" ? i.count * total(i.body, of) : of(i)), 0);
}

describe("deriveTrace of the matrix path", () => {
  const k = machine(gemm);

  test("a product in blocks: as round by round, and it fits the machine", () => {
    for (const [m, n, d] of [
      [32, 32, 128],
      [64, 96, 384],
      [128, 64, 256],
      [96, 32, 640],
    ] as const) {
      const trace = expectSame(k, argumentsOf(m, n, d), TILES);
      expect(verifyTrace(trace, PRESETS.edge)).toEqual([]);
      expect(parseTrace(printTrace(trace), "gemm")).toEqual(trace);
    }
  });

  test("its multiplications and its traffic are those of the blocks", () => {
    const [m, n, d] = [128, 96, 512];
    const trace = deriveTrace(k, argumentsOf(m, n, d), { tiles: TILES });
    const all = (of: (item: Item) => number): number => trace.tiles.reduce((s, t) => s + total(t, of), 0);
    const moved = (mover: Move["mover"], end: "src" | "dst", level: string): number =>
      all((i) =>
        i.kind === "move" && i.mover === mover && i[end].level === level
          ? i[end].runs.count * i[end].runs.bytes
          : 0,
      );
    const operands = (m * n * d) / SIDE;
    expect(all((i) => (i.kind === "mma" ? i.m * i.n * i.k : 0))).toBe(m * n * d);
    expect(moved("dma", "src", "dram")).toBe(2 * operands);
    expect(moved("bm", "dst", "l2")).toBe(2 * operands);
    expect(moved("rows", "dst", "l1")).toBe(operands);
    expect(moved("cols", "dst", "l1")).toBe(operands);
    expect(moved("drain", "src", "l1")).toBe(4 * m * n);
    expect(moved("drain", "dst", "l2")).toBe(m * n);
    expect(moved("dma", "dst", "dram")).toBe(m * n);
    const sfu = all((i) =>
      i.kind === "move" && i.sfu !== undefined ? i.sfu.elements * i.sfu.ops.length : 0,
    );
    expect(sfu).toBe(2 * m * n);
  });

  test("8192 x 8192 x 8192: some hundred items", () => {
    const trace = deriveTrace(k, argumentsOf(8192, 8192, 8192), { tiles: TILES });
    for (const items of trace.tiles) expect(itemCount(items)).toBeLessThan(400);
    expect(verifyTrace(trace, PRESETS.edge)).toEqual([]);
  });

  test("transforms of block movers, transposed and unpacked streams, epilogues", () => {
    const kinds = kernel([ptr(i8), ptr(f32), i32], function kinds(_out, bias, n) {
      const far = S.alloc(f32, [4096], "l3");
      const near = S.alloc(f32, [4096], "l2");
      const bytes = S.alloc(i8, [4096], "l2");
      const nibbles = S.alloc(i4, [4096], "l2");
      const edge = S.alloc(f32, [256], "l1");
      const edge8 = S.alloc(i8, [256], "l1");
      const acc = S.alloc(f32, [256], "acc");
      const [e] = S.allocEvents(1);
      for (let i = 0; i < n; i++) {
        S.blockMove(near.at(i * 16), far, { rows: 8, cols: 4, srcStride: 6, transform: "transpose" }, e);
        S.waitEvents(e);
        S.blockMove(near, far.at(i), { rows: 7, cols: 4, transform: "pack", panel: 4 }, e);
        S.waitEvents(e);
        S.blockMove(bytes, far, { rows: 2, cols: 8, quantize: { scale: 0.5, zeroPoint: 1 } }, e);
        S.waitEvents(e);
        S.streamRows(edge, near, { rows: 4, depth: 8, stride: 9, transposed: true }, e);
        S.waitEvents(e);
        S.streamCols(edge8, nibbles.at(i * 3), { cols: 4, depth: 8, stride: 6 }, e);
        S.waitEvents(e);
        S.drain(near, acc, { rows: 4, cols: 4, bias, scale: 2, activation: "gelu" }, e);
        S.waitEvents(e);
      }
      S.freeEvents(e);
    });
    const trace = expectSame(machine(kinds), [{ bytes: 16 }, { bytes: 64 }, 5], 1);
    const text = printTrace(trace);
    expect(text).toMatchInlineSnapshot(`
      "trace 1 @kinds
      tile {
        loop 2 {
          core ops [scalar: 3, branch: 1] lanes [0, 0, 0] read [] write [] at 9
          bm l3[0]: 8 of 16 step 24 to l2[0, 128]: 128 transpose signal 0 at 10
          wait 0 at 11
          core ops [scalar: 1] lanes [0, 0, 0] read [] write [] at 12
          bm l3[0, 8]: 112 to l2[0]: 128 pack signal 0 at 12
          wait 0 at 13
          bm l3[0]: 64 to l2[16384]: 16 quantize signal 0 at 14
          wait 0 at 15
          rows l2[0]: 8 of 16 step 36 to l1[0]: 128 transpose signal 0 at 16
          wait 0 at 17
          core ops [scalar: 2] lanes [0, 0, 0] read [] write [] at 18
          cols l2[20480, 3]: 8 of 2 step 3 to l1[1024]: 32 pack signal 0 at 18
          wait 0 at 19
          drain l1[1280]: 64 to l2[0]: 64 sfu 16 [scale, bias, gelu] read [dram: 16] signal 0 at 20
          wait 0 at 21
          core ops [scalar: 3, branch: 1] lanes [0, 0, 0] read [] write [] at 9
          bm l3[0]: 8 of 16 step 24 to l2[64, 128]: 128 transpose signal 0 at 10
          wait 0 at 11
          core ops [scalar: 1] lanes [0, 0, 0] read [] write [] at 12
          bm l3[4, 8]: 112 to l2[0]: 128 pack signal 0 at 12
          wait 0 at 13
          bm l3[0]: 64 to l2[16384]: 16 quantize signal 0 at 14
          wait 0 at 15
          rows l2[0]: 8 of 16 step 36 to l1[0]: 128 transpose signal 0 at 16
          wait 0 at 17
          core ops [scalar: 2] lanes [0, 0, 0] read [] write [] at 18
          cols l2[20481, 3]: 8 of 2 step 3 to l1[1024]: 32 pack signal 0 at 18
          wait 0 at 19
          drain l1[1280]: 64 to l2[0]: 64 sfu 16 [scale, bias, gelu] read [dram: 16] signal 0 at 20
          wait 0 at 21
        }
        core ops [scalar: 3, branch: 1] lanes [0, 0, 0] read [] write [] at 9
        bm l3[0]: 8 of 16 step 24 to l2[256]: 128 transpose signal 0 at 10
        wait 0 at 11
        core ops [scalar: 1] lanes [0, 0, 0] read [] write [] at 12
        bm l3[16]: 112 to l2[0]: 128 pack signal 0 at 12
        wait 0 at 13
        bm l3[0]: 64 to l2[16384]: 16 quantize signal 0 at 14
        wait 0 at 15
        rows l2[0]: 8 of 16 step 36 to l1[0]: 128 transpose signal 0 at 16
        wait 0 at 17
        core ops [scalar: 2] lanes [0, 0, 0] read [] write [] at 18
        cols l2[20486]: 8 of 2 step 3 to l1[1024]: 32 pack signal 0 at 18
        wait 0 at 19
        drain l1[1280]: 64 to l2[0]: 64 sfu 16 [scale, bias, gelu] read [dram: 16] signal 0 at 20
        wait 0 at 21
      }
      "
    `);
  });

  test("what a drain reads beside the accumulators counts: a bias and scales for each column or row, a residual with gaps", () => {
    const beside = kernel([ptr(i32), ptr(f32)], function beside(bias, scale) {
      const far = S.alloc(f32, [64], "l3");
      const near = S.alloc(i8, [4096], "l2");
      const acc = S.alloc(i32, [256], "acc");
      const [e] = S.allocEvents(1);
      const quantize = { scale: 0.5, zeroPoint: 1 };
      const shape = { rows: 8, cols: 16, quantize };
      S.drain(near, acc, { ...shape, bias, scale }, e);
      S.waitEvents(e);
      S.drain(near, acc, { ...shape, scale: far, axis: "row" }, e);
      S.waitEvents(e);
      const residualQuantization = { scale: 2 };
      S.drain(
        near,
        acc,
        { ...shape, bias, residual: near.at(2048), residualStride: 20, residualQuantization },
        e,
      );
      S.waitEvents(e);
      S.drain(near, acc, { rows: 8, cols: 16, quantize, scale: 3 }, e);
      S.waitEvents(e);
      S.freeEvents(e);
    });
    const trace = expectSame(machine(beside), [{ bytes: 64 }, { bytes: 64 }], 1);
    const read = (trace.tiles[0] ?? []).flatMap((c) => (c.kind === "move" ? [c.sfu?.read] : []));
    expect(read).toEqual([{ dram: 64 + 64 }, { l3: 32 }, { dram: 64, l2: 128 }, undefined]);
    const { traffic } = timeTrace(trace, PRESETS.edge);
    expect([traffic.dram.read, traffic.l3.read, traffic.l2.read]).toEqual([192, 32, 128]);
  });
});
