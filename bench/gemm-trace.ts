/** The trace of a product of int8 matrices: what a double-buffered kernel for one compute tile gives its engines. */
import type { End, Item, Trace } from "../machine/trace.ts";

interface Shape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Side of the blocks that move between levels; k is a multiple of twice this, m and n of this. */
  readonly block: number;
}

/** Rows of a block of a row-major matrix; `strides` of the loops around, innermost first. */
function rowsOf(base: number, strides: readonly number[], rows: number, bytes: number, pitch: number): End {
  return { level: "dram", at: { base, strides }, runs: { count: rows, bytes, stride: pitch } };
}
function packed(level: "l3" | "l2" | "l1", base: number, bytes: number): End {
  return { level, at: { base }, runs: { count: 1, bytes, stride: 0 } };
}

/** Of a turn: A and B into L3, into L2, into L1, product. Turn t + 2 uses its buffers and events again. */
const STEPS = ["loadA", "loadB", "moveA", "moveB", "rows", "cols", "mma"] as const;

/** c[m][n] = a[m][k] * b[k][n]; a, b and c follow one another in DRAM. The accumulators of a block of c stay in the fabric. */
export function gemmTrace({ m, n, k, block }: Shape): Trace {
  const bytes = block * block;
  const [a, b, c] = [0, m * k, m * k + k * n];
  const rounds = k / (2 * block);
  let at = 0;

  const turn = (t: number, loops: "first" | "more"): Item[] => {
    const event = (step: (typeof STEPS)[number]): number => t * STEPS.length + STEPS.indexOf(step);
    const first = loops === "first";
    // The first turns of a block stand before the loop over k, whose rounds they are ahead of.
    const start = first ? t : t + 2;
    const loadA = rowsOf(
      a + start * block,
      first ? [0, block * k] : [2 * block, 0, block * k],
      block,
      block,
      k,
    );
    const loadB = rowsOf(
      b + start * block * n,
      first ? [block, 0] : [2 * block * n, block, 0],
      block,
      block,
      n,
    );
    const half = t * bytes;
    const move = (
      mover: "dma" | "bm" | "rows" | "cols",
      step: (typeof STEPS)[number],
      src: End,
      dst: End,
      after?: (typeof STEPS)[number],
    ): Item => ({
      kind: "move",
      mover,
      src,
      dst,
      transform: "identity",
      ...(after === undefined ? {} : { after: [event(after)] }),
      signal: event(step),
      at: at++,
    });
    return [
      ...(first ? [] : STEPS.map((step): Item => ({ kind: "wait", event: event(step), at: at++ }))),
      move("dma", "loadA", loadA, packed("l3", half, bytes)),
      move("dma", "loadB", loadB, packed("l3", 2 * bytes + half, bytes)),
      move("bm", "moveA", packed("l3", half, bytes), packed("l2", half, bytes), "loadA"),
      move(
        "bm",
        "moveB",
        packed("l3", 2 * bytes + half, bytes),
        packed("l2", 2 * bytes + half, bytes),
        "loadB",
      ),
      move("rows", "rows", packed("l2", half, bytes), packed("l1", half, bytes), "moveA"),
      move(
        "cols",
        "cols",
        packed("l2", 2 * bytes + half, bytes),
        packed("l1", 2 * bytes + half, bytes),
        "moveB",
      ),
      {
        kind: "mma",
        dtype: "i8",
        m: block,
        n: block,
        k: block,
        dataflow: "os",
        after: [event("rows"), event("cols")],
        signal: event("mma"),
        at: at++,
      },
    ];
  };

  const out: Item[] = [
    {
      kind: "move",
      mover: "drain",
      src: packed("l1", 4 * bytes, 4 * bytes),
      dst: packed("l2", 4 * bytes, bytes),
      transform: "quantize",
      sfu: { elements: bytes, ops: ["scale"] },
      signal: 0,
      at: at++,
    },
    {
      kind: "move",
      mover: "bm",
      src: packed("l2", 4 * bytes, bytes),
      dst: packed("l3", 4 * bytes, bytes),
      transform: "identity",
      after: [0],
      signal: 1,
      at: at++,
    },
    {
      kind: "move",
      mover: "dma",
      src: packed("l3", 4 * bytes, bytes),
      dst: rowsOf(c, [block, block * n], block, block, n),
      transform: "identity",
      after: [1],
      signal: 2,
      at: at++,
    },
    ...[0, 1, 2].map((event): Item => ({ kind: "wait", event, at: at++ })),
  ];
  const product: Item[] = [
    ...turn(0, "first"),
    ...turn(1, "first"),
    { kind: "loop", count: rounds - 1, body: [...turn(0, "more"), ...turn(1, "more")] },
    ...STEPS.flatMap((_, i): Item[] =>
      [0, 1].map((t) => ({ kind: "wait", event: t * STEPS.length + i, at: at++ })),
    ),
    ...out,
  ];
  const tile: Item[] = [
    { kind: "loop", count: m / block, body: [{ kind: "loop", count: n / block, body: product }] },
  ];
  return { version: 1, kernel: `gemm_${m}x${n}x${k}`, tiles: [tile] };
}
