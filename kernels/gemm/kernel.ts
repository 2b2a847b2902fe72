/**
 * out = epilogue(a b) on the matrix path, any m, n and k. plan.ts says how the product is cut. Each level is a step ahead of
 * the one below: chunk c + 1 comes from DRAM while c is multiplied, turn p + 1 to the edge of the fabric while p is, and the
 * sums of a micro go out while the next one's first turn has begun with the other half.
 *
 * The products of an element are added in the order of the depth, whatever the plan and the number of tiles: all plans give
 * the same bits.
 */
import { type AnyD, dtypeOf, type f32, i32, u8 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, type PtrParam, ptr } from "../../dsl/kernel.ts";
import type { NdBuffer, Ptr } from "../../dsl/pointer.ts";
import { S } from "../../dsl/s.ts";
import type { Event } from "../../dsl/values.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Target } from "../../ir/target.ts";
import { checkPlan, type GemmPlan, keepsSums } from "./plan.ts";
import { checkSpec, type GemmSpec, streamedDtype, sumDtype } from "./spec.ts";

type P = PtrParam<f32>;
/** (out, a, b, bias, scale, residual, m, n, k); null for what the spec does not have. */
export type GemmKernel = Kernel<readonly [P, P, P, P, P, P, i32, i32, i32]>;

/** The executions look at the dtype; to the types of the kernel below all of them are one. */
const anyDtype = (d: DTypeName): f32 => dtypeOf(d) as AnyD as f32;

/** Rows, columns and depth at most: indices of elements stay exact integers. */
const MOST = 2 ** 24;

/** Commands that may be under way at the same time, by what is lost most when they are not. */
const ROLES = [
  "rows0",
  "cols",
  "mma0",
  "rows1",
  "mma1",
  "loadA",
  "loadB",
  "out0",
  "out1",
  "in0",
  "in1",
] as const;
type Role = (typeof ROLES)[number];
const [ROWS, MMA, OUT, IN] = [
  ["rows0", "rows1"],
  ["mma0", "mma1"],
  ["out0", "out1"],
  ["in0", "in1"],
] as const satisfies readonly (readonly Role[])[];

/** Host arguments, as the kernel has them. */
interface Arguments {
  readonly out: Ptr<f32>;
  readonly a: Ptr<f32>;
  readonly b: Ptr<f32>;
  readonly bias: Ptr<f32>;
  readonly scale: Ptr<f32>;
  readonly residual: Ptr<f32>;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}
/** Memory of a tile. */
interface Memory {
  readonly nearA: NdBuffer<f32>;
  readonly nearB: NdBuffer<f32>;
  readonly nearOut: NdBuffer<f32>;
  readonly nearResidual: Ptr<f32>;
  readonly edgeA: NdBuffer<f32>;
  readonly edgeB: NdBuffer<f32>;
  readonly acc: NdBuffer<f32>;
  /** Of a plan whose sums lie in l3: those of a block, of halves on their way there, and of halves on their way here. */
  readonly far: Ptr<f32>;
  readonly nearSums: NdBuffer<f32>;
  readonly nearNext: NdBuffer<f32>;
}
/** A block of the result: where it begins, and how much of it there is. */
interface Block {
  readonly row: number;
  readonly col: number;
  readonly rows: number;
  readonly cols: number;
}
/** A chunk of the depth: where it begins, how deep it is, and how deep one of its turns. */
interface Chunk {
  readonly at: number;
  readonly depth: number;
  readonly turn: number;
}

/**
 * The kernel of a product by a plan.
 *
 * @param tiles  the most tiles that a run may have
 * @throws KPU4007 a combination of dtypes that the matrix path does not have
 * @throws KPU4003, KPU3004 a plan that does not fit the target
 */
export function gemmKernel(spec: GemmSpec, plan: GemmPlan, target: Target, tiles: number): GemmKernel {
  checkSpec(spec);
  checkPlan(spec, plan, target, tiles);
  const { halfRows: H, cols: W, blockRows: MB, blockCols: NB, depth: KB, turns: TURNS } = plan;
  const KEEPS = keepsSums(plan);
  const [A, B, D] = [anyDtype(spec.a), anyDtype(spec.b), anyDtype(spec.out)];
  const [STREAMED, SUM] = [anyDtype(streamedDtype(spec.b)), anyDtype(sumDtype(spec))];
  const [BIAS, RESIDUAL] = [anyDtype(spec.bias ?? "f32"), anyDtype(spec.residual ?? "f32")];
  const TURN = Math.ceil(KB / TURNS);
  const { transposeA = false, transposeB = false, axis = "column", activation = "none" } = spec;
  /** Elements of b in a unit that a transfer moves. */
  const PACKED = DTYPES[spec.b].bits === 4 ? 2 : 1;

  const events = Math.min(ROLES.length + 1, target.events);
  const eventOf = (role: Role): number => Math.min(ROLES.indexOf(role), events - 1);
  const ownEvent = (role: Role): boolean => ROLES.indexOf(role) < events - 1;
  const AT = Object.fromEntries(ROLES.map((r) => [r, eventOf(r)])) as Record<Role, number>;
  const OWN = Object.fromEntries(ROLES.map((r) => [r, ownEvent(r)])) as Record<Role, boolean>;
  const NOW = events - 1;

  /** After a command was given: one without an event of its own is waited for at once. */
  function given(e: readonly Event[], role: Role): void {
    if (!OWN[role]) S.waitEvents(e[AT[role]]!);
  }
  /** Before what a command did is used. */
  function done(e: readonly Event[], role: Role): void {
    if (OWN[role]) S.waitEvents(e[AT[role]]!);
  }

  /** How many of `blocks` a tile has that begins with `first` and goes on every `step`. */
  function mine(blocks: number, first: number, step: number): number {
    return blocks > first ? S.ceildiv(blocks - first, step) : 0;
  }
  function blockAt(x: Arguments, row: number, col: number): Block {
    return {
      row: row * MB,
      col: col * NB,
      rows: Math.min(MB, x.m - row * MB),
      cols: Math.min(NB, x.n - col * NB),
    };
  }
  /** The depth is cut into an even number of chunks, as equal as they can be: buffers take turns. */
  function chunkAt(k: number, step: number, c: number): Chunk {
    const at = Math.min(c * step, k);
    const depth = Math.min(step, k - at);
    return { at, depth, turn: S.ceildiv(depth, TURNS) };
  }
  const rowsOf = (block: Block, i: number, h: number): number =>
    Math.max(0, Math.min(H, block.rows - (2 * i + h) * H));
  const colsOf = (block: Block, j: number): number => Math.min(W, block.cols - j * W);

  const downOf = (block: Block): number => (KEEPS ? 1 : S.ceildiv(block.rows, 2 * H));
  const alongOf = (block: Block): number => (KEEPS ? 1 : S.ceildiv(block.cols, W));
  function either(first: boolean, a: Block, b: Block): Block {
    return {
      row: first ? a.row : b.row,
      col: first ? a.col : b.col,
      rows: first ? a.rows : b.rows,
      cols: first ? a.cols : b.cols,
    };
  }

  /** Operands of a chunk on their way to l2. */
  function load(
    x: Arguments,
    mem: Memory,
    e: readonly Event[],
    block: Block,
    chunk: Chunk,
    slot: number,
  ): void {
    if (transposeA)
      S.asyncDmaCopy(mem.nearA.at(slot, 0), x.a.at(chunk.at * x.m + block.row), block.rows, e[AT.loadA]!, {
        srcStride: x.m,
        dstStride: MB,
        times: chunk.depth,
      });
    else
      S.asyncDmaCopy(mem.nearA.at(slot, 0), x.a.at(block.row * x.k + chunk.at), chunk.depth, e[AT.loadA]!, {
        srcStride: x.k,
        dstStride: KB,
        times: block.rows,
      });
    given(e, "loadA");
    const width = transposeB ? chunk.depth : block.cols;
    const times = transposeB ? block.cols : chunk.depth;
    const srcStride = transposeB ? x.k : x.n;
    const dstStride = transposeB ? KB : NB;
    const from = transposeB ? block.col * x.k + chunk.at : chunk.at * x.n + block.col;
    if (PACKED === 2)
      S.asyncDmaCopy(mem.nearB.at(slot, 0).as(u8), x.b.as(u8).at(from >> 1), width >> 1, e[AT.loadB]!, {
        srcStride: srcStride >> 1,
        dstStride: dstStride / 2,
        times,
      });
    else
      S.asyncDmaCopy(mem.nearB.at(slot, 0), x.b.at(from), width, e[AT.loadB]!, {
        srcStride,
        dstStride,
        times,
      });
    given(e, "loadB");
  }

  /** Operands of turn p of micro (i, j) on their way to the edge of the fabric. */
  function stream(
    mem: Memory,
    e: readonly Event[],
    block: Block,
    chunk: Chunk,
    slot: number,
    i: number,
    j: number,
    p: number,
    edge: number,
  ): void {
    const at = p * chunk.turn;
    const depth = turnDepth(chunk, p);
    for (const h of S.unroll(2)) {
      const row = (2 * i + h) * H;
      S.streamRows(
        mem.edgeA.at(edge, h, 0),
        mem.nearA.at(slot, transposeA ? at * MB + row : row * KB + at),
        { rows: rowsOf(block, i, h), depth, stride: transposeA ? MB : KB, transposed: transposeA },
        e[AT[ROWS[h]!]]!,
      );
      given(e, ROWS[h]!);
    }
    S.streamCols(
      mem.edgeB.at(edge, 0),
      mem.nearB.at(slot, transposeB ? j * W * KB + at : at * NB + j * W),
      { cols: colsOf(block, j), depth, stride: transposeB ? KB : NB, transposed: transposeB },
      e[AT.cols]!,
    );
    given(e, "cols");
  }
  function turnDepth(chunk: Chunk, p: number): number {
    return Math.max(0, Math.min(chunk.turn, chunk.depth - p * chunk.turn));
  }

  /** Half h of micro (i, j) is multiplied: its sums leave the accumulators, for memory when the depth is at its end. */
  function finish(
    x: Arguments,
    mem: Memory,
    e: readonly Event[],
    block: Block,
    h: number,
    i: number,
    j: number,
    last: boolean,
  ): void {
    const rows = rowsOf(block, i, h);
    const cols = colsOf(block, j);
    const top = (2 * i + h) * H;
    const left = j * W;
    if (last) {
      const [row, col] = [block.row + top, block.col + left];
      if (spec.residual !== undefined) {
        S.asyncDmaCopy(mem.nearResidual, x.residual.at(row * x.n + col), cols, e[NOW]!, {
          srcStride: x.n,
          dstStride: W,
          times: rows,
        });
        S.waitEvents(e[NOW]!);
      }
      const along = axis === "column" ? col : row;
      S.drain(
        mem.nearOut.at(h, 0),
        mem.acc.at(h, 0),
        {
          ...{ rows, cols, stride: W, axis, activation },
          bias: spec.bias === undefined ? undefined : x.bias.at(along),
          scale: spec.scale === "vector" ? x.scale.at(along) : spec.scale,
          residual: spec.residual === undefined ? undefined : mem.nearResidual,
          residualStride: spec.residual === undefined ? undefined : W,
          residualQuantization: spec.residualQuantization,
          quantize: spec.quantize,
        },
        e[NOW]!,
      );
      S.waitEvents(e[NOW]!);
      S.asyncDmaCopy(x.out.at(row * x.n + col), mem.nearOut.at(h, 0), cols, e[AT[OUT[h]!]]!, {
        srcStride: W,
        dstStride: x.n,
        times: rows,
      });
      given(e, OUT[h]!);
    } else if (!KEEPS) {
      S.drain(mem.nearSums.at(h, 0), mem.acc.at(h, 0), { rows, cols, stride: W }, e[NOW]!);
      S.waitEvents(e[NOW]!);
      S.blockMove(
        mem.far.at(top * NB + left),
        mem.nearSums.at(h, 0),
        { rows, cols, srcStride: W, dstStride: NB },
        e[AT[OUT[h]!]]!,
      );
      given(e, OUT[h]!);
    }
  }

  /** Sums of both halves of micro (i, j) on their way back. */
  function bringSums(mem: Memory, e: readonly Event[], block: Block, i: number, j: number): void {
    for (const h of S.unroll(2)) {
      S.blockMove(
        mem.nearNext.at(h, 0),
        mem.far.at((2 * i + h) * H * NB + j * W),
        { rows: rowsOf(block, i, h), cols: colsOf(block, j), srcStride: NB, dstStride: W },
        e[AT[IN[h]!]]!,
      );
      given(e, IN[h]!);
    }
  }

  /** Sums of half h of micro (i, j) into the accumulators. */
  function resume(mem: Memory, e: readonly Event[], block: Block, h: number, i: number, j: number): void {
    done(e, IN[h]!);
    S.preload(
      mem.acc.at(h, 0),
      mem.nearNext.at(h, 0),
      { rows: rowsOf(block, i, h), cols: colsOf(block, j), stride: W },
      e[NOW]!,
    );
    S.waitEvents(e[NOW]!);
  }

  function multiply(
    mem: Memory,
    e: readonly Event[],
    block: Block,
    chunk: Chunk,
    h: number,
    i: number,
    j: number,
    p: number,
    c: number,
  ): void {
    S.mma(
      mem.acc.at(h, 0),
      mem.edgeA.at(p % 2, h, 0),
      mem.edgeB.at(p % 2, 0),
      { m: rowsOf(block, i, h), n: colsOf(block, j), k: turnDepth(chunk, p), clear: c === 0 && p === 0 },
      e[AT[MMA[h]!]]!,
    );
    given(e, MMA[h]!);
  }

  return kernel(
    [
      ptr(D),
      ptr(A, { const: true }),
      ptr(B, { const: true }),
      ptr(BIAS, { const: true }),
      ptr(anyDtype("f32"), { const: true }),
      ptr(RESIDUAL, { const: true }),
      i32,
      i32,
      i32,
    ],
    function gemm(out, a, b, bias, scale, residual, m, n, k) {
      S.assert(m >= 0 && m <= MOST && n >= 0 && n <= MOST && k >= 0 && k <= MOST);
      const x = { out, a, b, bias, scale, residual, m, n, k };
      const tile = S.tileId();
      const far = S.alloc(SUM, [KEEPS ? 1 : tiles, KEEPS ? 1 : MB * NB], "l3");
      const mem = {
        nearA: S.alloc(A, [2, MB * KB], "l2"),
        nearB: S.alloc(B, [2, NB * KB], "l2"),
        nearOut: S.alloc(D, [2, H * W], "l2"),
        nearResidual: S.alloc(RESIDUAL, [spec.residual === undefined ? 1 : H * W], "l2").at(0),
        edgeA: S.alloc(A, [2, 2, H * TURN], "l1"),
        edgeB: S.alloc(STREAMED, [2, W * TURN], "l1"),
        acc: S.alloc(SUM, [2, H * W], "acc"),
        far: far.at(KEEPS ? 0 : tile, 0),
        nearSums: S.alloc(SUM, [2, KEEPS ? 1 : H * W], "l2"),
        nearNext: S.alloc(SUM, [2, KEEPS ? 1 : H * W], "l2"),
      };
      const e = S.allocEvents(events);
      const tileCols = Math.min(plan.tileCols, S.tileCount());
      const tileRows = Math.floor(S.tileCount() / tileCols);
      const firstRow = Math.floor(tile / tileCols);
      const firstCol = tile - firstRow * tileCols;
      const rounds = firstRow < tileRows ? mine(S.ceildiv(m, MB), firstRow, tileRows) : 0;
      const across = mine(S.ceildiv(n, NB), firstCol, tileCols);
      const chunks = 2 * Math.max(1, S.ceildiv(k, 2 * KB));
      // A chunk of 4-bit rows begins at a whole byte.
      const step = PACKED * S.ceildiv(k, PACKED * chunks);
      if (rounds > 0 && across > 0) {
        const block = blockAt(x, firstRow, firstCol);
        const chunk = chunkAt(k, step, 0);
        load(x, mem, e, block, chunk, 0);
        done(e, "loadA");
        done(e, "loadB");
        stream(mem, e, block, chunk, 0, 0, 0, 0, 0);
      }
      for (const r of S.range(0, rounds)) {
        for (const q of S.range(0, across)) {
          const block = blockAt(x, firstRow + r * tileRows, firstCol + q * tileCols);
          const firstOfAll = r === 0 && q === 0;
          const lastOfAll = r === rounds - 1 && q === across - 1;
          const before = blockAt(
            x,
            firstRow + (q > 0 ? r : r - 1) * tileRows,
            firstCol + (q > 0 ? q - 1 : across - 1) * tileCols,
          );
          const after = blockAt(
            x,
            firstRow + (q < across - 1 ? r : r + 1) * tileRows,
            firstCol + (q < across - 1 ? q + 1 : 0) * tileCols,
          );
          const down = downOf(block);
          const along = alongOf(block);
          // Sums of a block of one micro stay in the accumulators.
          const stays = KEEPS || (down === 1 && along === 1);
          for (const c of S.range(0, chunks)) {
            const chunk = chunkAt(k, step, c);
            const slot = c % 2;
            const lastChunk = c === chunks - 1;
            const more = !(lastChunk && lastOfAll);
            const nextChunk = chunkAt(k, step, lastChunk ? 0 : c + 1);
            const nextBlock = either(lastChunk, after, block);
            for (const i of S.range(0, down)) {
              for (const j of S.range(0, along)) {
                const first = i === 0 && j === 0;
                const last = i === down - 1 && j === along - 1;
                const fresh = first && c === 0;
                const previous = either(fresh, before, block);
                const sent = !first || (fresh ? !firstOfAll : !stays);
                for (const p of S.range(0, TURNS)) {
                  const edge = p % 2;
                  done(e, "rows0");
                  done(e, "rows1");
                  done(e, "cols");
                  if (p === 0 && first && more) load(x, mem, e, nextBlock, nextChunk, 1 - slot);
                  for (const h of S.unroll(2)) {
                    if (p > 0 || !fresh || !firstOfAll) done(e, MMA[h]!);
                    if (p === 0) {
                      if (sent)
                        finish(
                          x,
                          mem,
                          e,
                          previous,
                          h,
                          first ? downOf(previous) - 1 : j > 0 ? i : i - 1,
                          first ? alongOf(previous) - 1 : j > 0 ? j - 1 : along - 1,
                          first ? c === 0 : lastChunk,
                        );
                      if (!KEEPS && c > 0 && !stays) resume(mem, e, block, h, i, j);
                    }
                    multiply(mem, e, block, chunk, h, i, j, p, c);
                  }
                  const ends = p === TURNS - 1;
                  if (ends && sent) {
                    // What the first turn sent out has arrived; in a block of two micros it is what comes back now.
                    done(e, "out0");
                    done(e, "out1");
                  }
                  const i2 = !ends ? i : last ? 0 : j < along - 1 ? i : i + 1;
                  const j2 = !ends ? j : last ? 0 : j < along - 1 ? j + 1 : 0;
                  if (!KEEPS && ends && !stays && (last ? !lastChunk : c > 0))
                    bringSums(mem, e, block, i2, j2);
                  if (ends && last && more) {
                    done(e, "loadA");
                    done(e, "loadB");
                    stream(mem, e, nextBlock, nextChunk, 1 - slot, 0, 0, 0, 0);
                  } else if (!ends || !last)
                    stream(mem, e, block, chunk, slot, i2, j2, ends ? 0 : p + 1, 1 - edge);
                }
              }
            }
          }
          if (lastOfAll) {
            for (const h of S.unroll(2)) {
              done(e, MMA[h]!);
              finish(x, mem, e, block, h, down - 1, along - 1, true);
              done(e, OUT[h]!);
            }
          }
        }
      }
      S.freeEvents(e);
    },
  );
}
