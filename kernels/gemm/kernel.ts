/**
 * out = epilogue(a b) on the matrix path, any m, n and k. plan.ts says how the product is cut. Each level is a step ahead of
 * the one below: chunk c + 1 comes from DRAM while c is multiplied, and turn p + 1 to the edge of the fabric while p is. While
 * one half of the accumulators is multiplied into, the sums of the half before go out and those of the half after come in.
 *
 * The products of an element are added in the order of the depth, whatever the plan and the number of tiles: all plans give
 * the same bits.
 */
import { type AnyD, type DType, dtypeOf, type f32, i32, u8 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, type PtrParam, ptr } from "../../dsl/kernel.ts";
import type { NdBuffer, Ptr } from "../../dsl/pointer.ts";
import { S } from "../../dsl/s.ts";
import type { Event } from "../../dsl/values.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Target } from "../../ir/target.ts";
import { gemmDescription } from "./description.ts";
import { buffersOf, checkPlan, type GemmPlan, keepsSums, type PlanBuffer } from "./plan.ts";
import { checkSpec, type GemmSpec } from "./spec.ts";

type Operand<N extends DTypeName> = PtrParam<Extract<AnyD, DType<N>>>;
type Bias<S extends GemmSpec> = S extends { readonly bias: infer N extends DTypeName } ? N : "f32";
type Residual<S extends GemmSpec> = S extends { readonly residual: infer N extends DTypeName } ? N : "f32";
/** (out, a, b, bias, scale, residual, m, n, k); null for what the spec does not have. */
export type GemmKernel<S extends GemmSpec = GemmSpec> = Kernel<
  readonly [
    Operand<S["out"]>,
    Operand<S["a"]>,
    Operand<S["b"]>,
    Operand<Bias<S>>,
    Operand<"f32">,
    Operand<Residual<S>>,
    ...[i32, i32, i32],
  ]
>;

/** The executions look at the dtype; to the types of the kernel below all of them are one. */
const anyDtype = (d: DTypeName): f32 => dtypeOf(d) as AnyD as f32;

/** Rows, columns and depth at most: indices of elements stay exact integers. */
const MOST = 2 ** 24;

/** Commands that may be under way at the same time, by what is lost most when they are not. */
const ROLES = ["rows", "cols", "mma0", "mma1", "loadA", "loadB", "out", "in", "sums"] as const;
type Role = (typeof ROLES)[number];

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
  /** What goes out: results, and sums of a plan whose sums lie in l3. */
  readonly nearOut: NdBuffer<f32>;
  readonly nearResidual: NdBuffer<f32>;
  readonly edgeA: NdBuffer<f32>;
  readonly edgeB: NdBuffer<f32>;
  readonly acc: NdBuffer<f32>;
  /** Of a plan whose sums lie in l3: those of a block of each tile, and those of each half on their way here. */
  readonly far: NdBuffer<f32>;
  readonly nearIn: NdBuffer<f32>;
}
/** A block of the result: where it begins, and how much of it there is. */
interface Block {
  readonly row: number;
  readonly col: number;
  readonly rows: number;
  readonly cols: number;
}
/** A micro in a chunk, and what is before and after it. */
interface Micro {
  readonly tile: number;
  readonly block: Block;
  /** The block that this tile computed before. */
  readonly before: Block;
  readonly chunk: Chunk;
  /** What is multiplied after this chunk, and whether there is anything. */
  readonly nextBlock: Block;
  readonly nextChunk: Chunk;
  readonly more: boolean;
  /** Of two chunks in l2, which this one is; and which of its block. */
  readonly slot: number;
  readonly c: number;
  /** Its halves; those of the micro after it in the block, or of the first one; the second half of the micro before it. */
  readonly halves: readonly [Half, Half];
  readonly after: readonly [Half, Half];
  readonly halfBefore: Half;
  /** In the block. */
  readonly first: boolean;
  readonly last: boolean;
  /** Sums of a block of one micro stay in the accumulators. */
  readonly stays: boolean;
  readonly firstOfAll: boolean;
  readonly lastChunk: boolean;
  /** The first of the first chunk. */
  readonly fresh: boolean;
  /** Whether sums of its halves were to come in, and whether those of the micro after it are. */
  readonly cameIn: boolean;
  readonly comesThen: boolean;
}
/** Half of a micro: the accumulators of index `h` have its sums in turn with those of other micros. */
interface Half {
  readonly h: number;
  /** Where it begins in its block. */
  readonly top: number;
  readonly left: number;
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
 * The kernel of a product by a plan. The same arguments give the same kernel, which is compiled once.
 *
 * @param tiles  the most tiles that a run may have
 * @throws KPU4007 a combination of dtypes that the matrix path does not have
 * @throws KPU4003, KPU3004 a plan that does not fit the target
 */
export function gemmKernel<const S extends GemmSpec>(
  spec: S,
  plan: GemmPlan,
  target: Target,
  tiles: number,
): GemmKernel<S>;
export function gemmKernel(spec: GemmSpec, plan: GemmPlan, target: Target, tiles: number) {
  const key = JSON.stringify([spec, plan, tiles], (_, value: unknown) => exactly(value));
  let known = KNOWN.get(target);
  if (known === undefined) KNOWN.set(target, (known = new Map()));
  const kernel = known.get(key) ?? makeGemm(spec, plan, target, tiles);
  // The last one that was asked for is the last to be forgotten.
  known.delete(key);
  known.set(key, kernel);
  for (const oldest of known.keys()) {
    if (known.size <= MOST_KNOWN) break;
    known.delete(oldest);
  }
  return kernel;
}

/** Kernels of a target, the last ones: whoever asks for one again gets the one that is compiled. */
const KNOWN = new WeakMap<Target, Map<string, ReturnType<typeof makeGemm>>>();
const MOST_KNOWN = 64;

/** What JSON makes the same text of if and only if it is the same. */
function exactly(value: unknown): unknown {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function makeGemm(spec: GemmSpec, plan: GemmPlan, target: Target, tiles: number) {
  checkSpec(spec);
  checkPlan(spec, plan, target, tiles);
  const { halfRows: H, cols: W, blockRows: MB, blockCols: NB, depth: KB, turns: TURNS } = plan;
  const KEEPS = keepsSums(plan);
  /** Both halves of a chunk meet the same columns in one turn each: those come to the edge once, for the first half. */
  const ONCE = KEEPS && TURNS === 1;
  const [A, B, D] = [anyDtype(spec.a), anyDtype(spec.b), anyDtype(spec.out)];
  const [BIAS, RESIDUAL] = [anyDtype(spec.bias ?? "f32"), anyDtype(spec.residual ?? "f32")];
  const BUFFERS = buffersOf(spec, plan, tiles);
  const { transposeA = false, transposeB = false, axis = "column", activation = "none" } = spec;
  /** Elements of b in a unit that a transfer moves. */
  const PACKED = DTYPES[spec.b].bits === 4 ? 2 : 1;

  /** The last event is of commands that are waited for at once, among them those of roles that have no event of their own. */
  const EVENTS = Math.min(ROLES.length + 1, target.events);
  const NOW = EVENTS - 1;
  const AT = Object.fromEntries(ROLES.map((r, i) => [r, Math.min(i, NOW)])) as Record<Role, number>;

  /** After a command was given: one without an event of its own is waited for at once. */
  function given(e: readonly Event[], role: Role): void {
    if (AT[role] === NOW) S.waitEvents(e[NOW]!);
  }
  /** Before what a command did is used. */
  function done(e: readonly Event[], role: Role): void {
    if (AT[role] !== NOW) S.waitEvents(e[AT[role]]!);
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
  /** Half h of the micro in row i and column j of a block's micros. */
  function halfAt(block: Block, i: number, j: number, h: number): Half {
    const top = (2 * i + h) * H;
    const left = j * W;
    return {
      ...{ h, top, left },
      rows: Math.max(0, Math.min(H, block.rows - top)),
      cols: Math.min(W, block.cols - left),
    };
  }

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

  function chosen(first: boolean, a: Half, b: Half): Half {
    return {
      h: first ? a.h : b.h,
      top: first ? a.top : b.top,
      left: first ? a.left : b.left,
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

  /** Operands of turn p of a half on their way to the edge of the fabric. */
  function stream(
    mem: Memory,
    e: readonly Event[],
    chunk: Chunk,
    slot: number,
    { h, top, left, rows, cols }: Half,
    p: number,
    edge: number,
  ): void {
    const at = p * chunk.turn;
    const depth = turnDepth(chunk, p);
    S.streamRows(
      mem.edgeA.at(edge, 0),
      mem.nearA.at(slot, transposeA ? at * MB + top : top * KB + at),
      { rows, depth, stride: transposeA ? MB : KB, transposed: transposeA },
      e[AT.rows]!,
    );
    given(e, "rows");
    if (!streamsCols(h)) return;
    S.streamCols(
      mem.edgeB.at(colsAt(slot, edge), 0),
      mem.nearB.at(slot, transposeB ? left * KB + at : at * NB + left),
      { cols, depth, stride: transposeB ? KB : NB, transposed: transposeB },
      e[AT.cols]!,
    );
    given(e, "cols");
  }
  const streamsCols = (h: number): boolean => !ONCE || h === 0;
  /** Which of the two buffers at the edge has the columns of a turn. */
  const colsAt = (slot: number, edge: number): number => (ONCE ? slot : edge);
  function turnDepth(chunk: Chunk, p: number): number {
    return Math.max(0, Math.min(chunk.turn, chunk.depth - p * chunk.turn));
  }

  /** The sums of a half leave the accumulators: for DRAM when the depth is at its end, for l3 otherwise. */
  function finish(
    x: Arguments,
    mem: Memory,
    e: readonly Event[],
    tile: number,
    block: Block,
    { h, top, left, rows, cols }: Half,
    last: boolean,
  ): void {
    if (last) {
      const out = mem.nearOut.at(0).as(D);
      const [row, col] = [block.row + top, block.col + left];
      if (spec.residual !== undefined) {
        S.asyncDmaCopy(mem.nearResidual.at(0), x.residual.at(row * x.n + col), cols, e[NOW]!, {
          srcStride: x.n,
          dstStride: W,
          times: rows,
        });
        S.waitEvents(e[NOW]!);
      }
      const along = axis === "column" ? col : row;
      S.drain(
        out,
        mem.acc.at(h, 0),
        {
          ...{ rows, cols, stride: W, axis, activation },
          bias: spec.bias === undefined ? undefined : x.bias.at(along),
          scale: spec.scale === "vector" ? x.scale.at(along) : spec.scale,
          residual: spec.residual === undefined ? undefined : mem.nearResidual.at(0),
          residualStride: spec.residual === undefined ? undefined : W,
          residualQuantization: spec.residualQuantization,
          quantize: spec.quantize,
        },
        e[NOW]!,
      );
      S.waitEvents(e[NOW]!);
      S.asyncDmaCopy(x.out.at(row * x.n + col), out, cols, e[AT.out]!, {
        srcStride: W,
        dstStride: x.n,
        times: rows,
      });
      given(e, "out");
    } else if (!KEEPS) {
      S.drain(mem.nearOut.at(0), mem.acc.at(h, 0), { rows, cols, stride: W }, e[NOW]!);
      S.waitEvents(e[NOW]!);
      S.blockMove(
        mem.far.at(tile, top * NB + left),
        mem.nearOut.at(0),
        { rows, cols, srcStride: W, dstStride: NB },
        e[AT.out]!,
      );
      given(e, "out");
    }
  }

  /** Sums of a half on their way back from l3. */
  function bring(mem: Memory, e: readonly Event[], tile: number, { h, top, left, rows, cols }: Half): void {
    S.blockMove(
      mem.nearIn.at(h, 0),
      mem.far.at(tile, top * NB + left),
      { rows, cols, srcStride: NB, dstStride: W },
      e[AT.in]!,
    );
    given(e, "in");
  }
  /** And from l2 into the accumulators. */
  function resume(mem: Memory, e: readonly Event[], { h, rows, cols }: Half): void {
    S.preload(mem.acc.at(h, 0), mem.nearIn.at(h, 0), { rows, cols, stride: W }, e[AT.sums]!);
    given(e, "sums");
  }

  /**
   * Step s of a micro, on the slot `edge` of the stream buffers: half 0 is multiplied in the first `turns` steps, half 1 in the
   * others. The half before goes out and the one after comes in.
   */
  function multiply(x: Arguments, mem: Memory, e: readonly Event[], u: Micro, s: number, edge: 0 | 1): void {
    const { block, chunk, slot, c, first, last, stays, lastChunk, fresh, cameIn, comesThen } = u;
    const h = s < TURNS ? 0 : 1;
    const p = s - h * TURNS;
    const half = chosen(h === 0, u.halves[0], u.halves[1]);
    const halfBefore = chosen(h === 0, u.halfBefore, u.halves[0]);
    const halfAfter = chosen(h === 0, u.halves[1], u.after[0]);
    // The half before goes out in this one, and the one before that went out in the half before.
    const wentOut = first && c === 0 ? !u.firstOfAll : !first || !stays;
    const goesOut = h === 0 ? wentOut : lastChunk || !stays;
    const comesIn = !KEEPS && (h === 0 ? cameIn : comesThen);
    done(e, "rows");
    if (streamsCols(h)) done(e, "cols");
    if (!KEEPS && p === 0 && cameIn) done(e, "sums");
    if (p === 0 && h === 0 && first && u.more) load(x, mem, e, u.nextBlock, u.nextChunk, 1 - slot);
    const product = edge === 0 ? "mma0" : "mma1";
    S.mma(
      mem.acc.at(h, 0),
      mem.edgeA.at(edge, 0),
      mem.edgeB.at(colsAt(slot, edge), 0),
      {
        m: half.rows,
        n: half.cols,
        k: turnDepth(chunk, p),
        clear: c === 0 && p === 0,
      },
      e[AT[product]]!,
    );
    given(e, product);
    if (edge === 1 || s > 0 || !fresh || !u.firstOfAll) done(e, edge === 0 ? "mma1" : "mma0");
    if (p < TURNS - 1) stream(mem, e, chunk, slot, half, p + 1, 1 - edge);
    else if (h === 0 || !last) stream(mem, e, chunk, slot, halfAfter, 0, 1 - edge);
    else if (u.more) {
      done(e, "loadA");
      done(e, "loadB");
      stream(mem, e, u.nextChunk, 1 - slot, halfAt(u.nextBlock, 0, 0, 0), 0, 1 - edge);
    }
    if (p === 0) {
      if (wentOut) done(e, "out");
      if (comesIn) done(e, "in");
      if (!KEEPS && comesThen) bring(mem, e, u.tile, chosen(h === 0, u.after[0], u.after[1]));
      if (goesOut) {
        const previous = either(h === 0 && fresh, u.before, block);
        finish(x, mem, e, u.tile, previous, halfBefore, h === 1 || !first ? lastChunk : c === 0);
      }
      if (comesIn) resume(mem, e, halfAfter);
    }
  }

  function alloc(b: PlanBuffer): NdBuffer<f32> {
    return S.alloc(anyDtype(b.dtype), b.shape, b.scope);
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
      const mem = {
        nearA: alloc(BUFFERS.nearA),
        nearB: alloc(BUFFERS.nearB),
        nearOut: alloc(BUFFERS.nearOut),
        nearResidual: alloc(BUFFERS.nearResidual),
        nearIn: alloc(BUFFERS.nearIn),
        edgeA: alloc(BUFFERS.edgeA),
        edgeB: alloc(BUFFERS.edgeB),
        acc: alloc(BUFFERS.acc),
        far: alloc(BUFFERS.far),
      };
      const e = S.allocEvents(EVENTS);
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
        stream(mem, e, chunk, 0, halfAt(block, 0, 0, 0), 0, 0);
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
                const inRow = j < along - 1;
                const i2 = last ? 0 : inRow ? i : i + 1;
                const j2 = last || !inRow ? 0 : j + 1;
                // Of a new block it is the last one of the block before.
                const fresh = first && c === 0;
                const previous = either(fresh, before, block);
                const iBefore = first ? downOf(previous) - 1 : j > 0 ? i : i - 1;
                const jBefore = first ? alongOf(previous) - 1 : j > 0 ? j - 1 : along - 1;
                const micro: Micro = {
                  ...{ tile, block, before, chunk, nextBlock, nextChunk, slot, c, first, last },
                  ...{ stays, firstOfAll, lastChunk, more, fresh },
                  halves: [halfAt(block, i, j, 0), halfAt(block, i, j, 1)],
                  after: [halfAt(block, i2, j2, 0), halfAt(block, i2, j2, 1)],
                  halfBefore: halfAt(previous, iBefore, jBefore, 1),
                  cameIn: !stays && c > 0,
                  comesThen: !stays && (last ? !lastChunk : c > 0),
                };
                if (TURNS === 1) {
                  // Which half it is is known, and most of what goes out and comes in with it.
                  multiply(x, mem, e, micro, 0, 0);
                  multiply(x, mem, e, micro, 1, 1);
                } else {
                  for (const pair of S.range(0, TURNS)) {
                    multiply(x, mem, e, micro, 2 * pair, 0);
                    multiply(x, mem, e, micro, 2 * pair + 1, 1);
                  }
                }
              }
            }
          }
          if (lastOfAll) {
            done(e, "out");
            done(e, "mma1");
            finish(x, mem, e, tile, block, halfAt(block, down - 1, along - 1, 1), true);
            done(e, "out");
          }
        }
      }
      S.freeEvents(e);
    },
    gemmDescription(spec, plan),
  );
}
