/**
 * The checkers around the matrix path: the kernel with the bug is caught with code, line and data; its repaired twin passes
 * under both transfer policies. What is wrong with the text alone is refused before the first run.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { f16, f32, i8, i32 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, ptr } from "../../dsl/kernel.ts";
import type { Ptr } from "../../dsl/pointer.ts";
import { S } from "../../dsl/s.ts";
import { build, check } from "../../index.ts";
import type { DiagnosticCode } from "../../ir/codes.ts";
import { direct, faultOf, lineOf } from "../pysim/direct.ts";

const HERE = fileURLToPath(import.meta.url);

/** What every case works with: 16 elements of x in l2 and l3, blocks for products of 2 x 4 and 4 x 2. */
function place(x: Ptr<f32>) {
  const far = S.alloc(f32, [16], "l3");
  const near = S.alloc(f32, [16], "l2");
  const a = S.alloc(f32, [2, 4], "l1");
  const b = S.alloc(f32, [4, 2], "l1");
  const acc = S.alloc(f32, [2, 2], "acc");
  const [e, f] = S.allocEvents(2) as [never, never];
  S.dmaCopy(far, x, 16);
  S.dmaCopy(near, x, 16);
  return { far, near, a, b, acc, e, f };
}
function operands({ near, a, b, e, f }: ReturnType<typeof place>) {
  S.streamRows(a, near, { rows: 2, depth: 4 }, e);
  S.streamCols(b, near, { cols: 2, depth: 4 }, f);
  S.waitEvents(e, f);
}

interface Case {
  readonly bug: unknown;
  readonly twin: unknown;
  readonly code: DiagnosticCode;
  /** Mark of the line that is blamed. */
  readonly at: string;
  readonly says: RegExp;
  /** Found in compiled programs with checks too. */
  readonly compiled?: true;
}
const ROWS = { rows: 2, depth: 4 };
const COLS = { cols: 2, depth: 4 };
const PRODUCT = { m: 2, n: 2, k: 4, clear: true };
const OUT = { rows: 2, cols: 2 };
/** A window as large as its image. */
const ALL = { transform: "im2col", channels: 1, height: 4, width: 4, kernel: 4 } as const;

const cases: Record<string, Case> = {
  "the destination of a move is read while in flight": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { rows: 2, cols: 4 }, p.e);
      y.set(0, p.near.get(0)); // @read
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { rows: 2, cols: 4 }, p.e);
      y.set(0, p.near.get(8));
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4005",
    at: "read",
    says: /in flight/,
  },
  "a stream reads what a move is still writing": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { rows: 2, cols: 4 }, p.e);
      S.streamRows(p.a, p.near, ROWS, p.f); // @early
      S.waitEvents(p.e, p.f);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { rows: 2, cols: 4 }, p.e);
      S.waitEvents(p.e);
      S.streamRows(p.a, p.near, ROWS, p.f);
      S.waitEvents(p.f);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4005",
    at: "early",
    says: /in flight/,
  },
  "the source of a stream is written": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, ROWS, p.e);
      p.near.set(0, 1); // @frozen
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, ROWS, p.e);
      p.near.set(8, 1);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4005",
    at: "frozen",
    says: /in flight/,
  },
  "a product takes a block that is still streaming": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.streamRows(p.a, p.near, ROWS, p.e);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.f); // @streaming
      S.waitEvents(p.e, p.f);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.streamRows(p.a, p.near, ROWS, p.e);
      S.waitEvents(p.e);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.f);
      S.waitEvents(p.f);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4005",
    at: "streaming",
    says: /in flight/,
  },
  "a block is overwritten under a product": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.streamCols(p.b, p.near, COLS, p.f); // @under
      S.waitEvents(p.e, p.f);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.waitEvents(p.e);
      S.streamCols(p.b, p.near, COLS, p.f);
      S.waitEvents(p.f);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4005",
    at: "under",
    says: /in flight/,
  },
  "accumulators are drained before the product is done": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.drain(p.near, p.acc, OUT, p.f); // @undone
      S.waitEvents(p.e, p.f);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.waitEvents(p.e);
      S.drain(p.near, p.acc, OUT, p.f);
      S.waitEvents(p.f);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4005",
    at: "undone",
    says: /in flight/,
  },
  "a product adds to accumulators that hold nothing": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, { m: 2, n: 2, k: 4 }, p.e); // @uncleared
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, { m: 2, n: 2, k: 4, clear: true }, p.e);
      S.waitEvents(p.e);
      S.mma(p.acc, p.a, p.b, { m: 2, n: 2, k: 4 }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4002",
    at: "uncleared",
    says: /acc#1/,
  },
  "a product of what was never streamed": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, ROWS, p.e);
      S.waitEvents(p.e);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e); // @unstreamed
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4002",
    at: "unstreamed",
    says: /l1#2/,
  },
  "a product takes half of a block": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, { m: 2, n: 2, k: 2, clear: true }, p.e); // @half
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, { rows: 2, depth: 2, stride: 4 }, p.e);
      S.streamCols(p.b, p.near, { cols: 2, depth: 2 }, p.f);
      S.waitEvents(p.e, p.f);
      S.mma(p.acc, p.a, p.b, { m: 2, n: 2, k: 2, clear: true }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4015",
    at: "half",
    says: /a takes 2 rows of depth 2, but 2 rows of depth 4 were streamed there/,
    compiled: true,
  },
  "a product takes columns for rows": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.b, p.a, PRODUCT, p.e); // @exchanged
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4015",
    at: "exchanged",
    says: /a takes 2 rows of depth 4, but 2 columns of depth 4 were streamed there/,
    compiled: true,
  },
  "another stream reaches into a block": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.streamRows(p.a.at(1), p.near, { rows: 1, depth: 4 }, p.e);
      S.waitEvents(p.e);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e); // @reached
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.streamRows(p.a.at(1), p.near, { rows: 1, depth: 4 }, p.e);
      S.waitEvents(p.e);
      S.mma(p.acc, p.a.at(1), p.b, { m: 1, n: 2, k: 4, clear: true }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4015",
    at: "reached",
    says: /no block that was streamed starts there/,
    compiled: true,
  },
  "a stream is longer than its buffer": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, { rows: 3, depth: 4 }, p.e); // @long
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, { rows: 2, depth: 4 }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4001",
    at: "long",
    says: /writes l1#1\[0\.\.11\], outside l1#1 \(l1 f32\[8\]\)/,
    compiled: true,
  },
  "a window leaves its image": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      const window = { transform: "im2col", channels: 1, height: 5, width: 4, kernel: 2 } as const;
      S.blockMove(p.near, p.far, { ...window, rows: 3, first: 9 }, p.e); // @image
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      const window = { transform: "im2col", channels: 1, height: 5, width: 4, kernel: 2 } as const;
      S.blockMove(p.near, p.far, { ...window, rows: 3, first: 6 }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4001",
    at: "image",
    says: /reads l3#1\[16\]/,
    compiled: true,
  },
  "there are no such windows": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { ...ALL, rows: 2 }, p.e); // @windows
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { ...ALL, rows: 1 }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4007",
    at: "windows",
    says: /rows reach output position 1, but the window has 1 positions/,
    compiled: true,
  },
  "rows of the destination run into each other": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { rows: 2, cols: 4, dstStride: 3 }, p.e); // @stride
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      S.blockMove(p.near, p.far, { rows: 2, cols: 4, dstStride: 5 }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4007",
    at: "stride",
    says: /dstStride is 3, but a row has 4 elements/,
    compiled: true,
  },
  "the residual lies under the destination": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.waitEvents(p.e);
      S.drain(p.near, p.acc, { ...OUT, residual: p.near.at(3) }, p.e); // @residual
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.waitEvents(p.e);
      S.drain(p.near, p.acc, { ...OUT, residual: p.near.at(4) }, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU4009",
    at: "residual",
    says: /overlap/,
    compiled: true,
  },
  "a command starts on an event that is busy": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, ROWS, p.e);
      S.streamCols(p.b, p.near, COLS, p.e); // @busy
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      S.streamRows(p.a, p.near, ROWS, p.e);
      S.streamCols(p.b, p.near, COLS, p.f);
      S.waitEvents(p.e, p.f);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU5005",
    at: "busy",
    says: /still has a transfer in flight/,
    compiled: true,
  },
  "a product is never waited for": {
    bug: kernel([ptr(f32), ptr(f32)], function bug(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.freeEvents(p.e, p.f); // @unwaited
    }),
    twin: kernel([ptr(f32), ptr(f32)], function twin(_y, x) {
      const p = place(x);
      operands(p);
      S.mma(p.acc, p.a, p.b, PRODUCT, p.e);
      S.waitEvents(p.e);
      S.freeEvents(p.e, p.f);
    }),
    code: "KPU5006",
    at: "unwaited",
    says: /freed while its transfer is in flight/,
    compiled: true,
  },
};

const arrays = (): unknown[] => [new Float32Array(16), Float32Array.from({ length: 16 }, (_, i) => i + 1)];

describe("each checker catches its bug, and the repaired twin passes", () => {
  it.each(Object.entries(cases))("%s", (_, c) => {
    const d = faultOf(() => direct(c.bug as Kernel, arrays(), { tiles: 1 })).diagnostics[0];
    expect(d?.message).toMatch(c.says);
    expect(d).toMatchObject({ code: c.code, location: { file: HERE, line: lineOf(HERE, c.at) } });
    if (c.compiled) {
      const program = build(c.bug as Kernel);
      const found = faultOf(() => program.runWith({ tiles: 1 }, ...(arrays() as never[]))).diagnostics[0];
      expect(found).toMatchObject({ code: c.code, location: { file: HERE, line: lineOf(HERE, c.at) } });
      if (!c.code.startsWith("KPU5")) expect(found?.message).toMatch(c.says);
    }
    const results = (["eager", "late"] as const).map((transfers) => {
      const args = arrays();
      direct(c.twin as Kernel, args, { tiles: 1, transfers });
      return args;
    });
    expect(results[1]).toEqual(results[0]);
    const own = arrays();
    build(c.twin as Kernel).runWith({ tiles: 1 }, ...(own as never[]));
    expect(own).toEqual(results[0]);
  });

  it.each([
    ["without a barrier", false],
    ["with one", true],
  ])("a tile moves to l3 what another moves from there: %s", (_, meets) => {
    const k = kernel([ptr(f32)], function exchange(x) {
      const far = S.alloc(f32, [4], "l3");
      const near = S.alloc(f32, [4], "l2");
      const [e] = S.allocEvents(1) as [never];
      S.asyncDmaCopy(near, x, 4, e);
      S.waitEvents(e);
      if (S.tileId() === 0) {
        S.blockMove(far, near, { rows: 1, cols: 4 }, e);
        S.waitEvents(e);
      }
      if (meets) S.barrier();
      else {
        S.asyncDmaCopy(near, x, 4, e);
        S.waitEvents(e);
      }
      if (S.tileId() === 1) {
        S.blockMove(near, far, { rows: 1, cols: 4 }, e);
        S.waitEvents(e);
      }
      S.freeEvents(e);
    });
    const run = () => direct(k as unknown as Kernel, [new Float32Array(4)], { tiles: 2 });
    if (meets) expect(run).not.toThrow();
    else expect(faultOf(run).diagnostics[0]?.code).toBe("KPU4006");
  });
});

/** Kernels that are refused before they run. */
const refused: Record<string, { readonly k: unknown; readonly code: DiagnosticCode; readonly says: RegExp }> =
  {
    "an element of l1": {
      k: kernel([ptr(f32)], function read(x) {
        x.set(0, S.alloc(f32, [4], "l1").get(0));
      }),
      code: "KPU4014",
      says: /points into l1, whose elements nothing reaches/,
    },
    "a vector of accumulators": {
      k: kernel([ptr(f32)], function load(x) {
        S.vstore(S.vload(S.alloc(f32, [8], "acc")), x);
      }),
      code: "KPU4014",
      says: /points into acc/,
    },
    "a copy into l1": {
      k: kernel([ptr(f32)], function copy(x) {
        S.dmaCopy(S.alloc(f32, [8], "l1"), x, 8);
      }),
      code: "KPU4014",
      says: /dst points into l1/,
    },
    "accumulators as another dtype": {
      k: kernel([ptr(f32)], function recast(x) {
        if (S.alloc(f32, [8], "acc").as(i32).isNull) x.set(0, 1);
      }),
      code: "KPU4014",
      says: /points into acc/,
    },
    "a stream from l3": {
      k: kernel([], function far() {
        const [e] = S.allocEvents(1) as [never];
        S.streamRows(S.alloc(f32, [8], "l1"), S.alloc(f32, [8], "l3"), { rows: 2, depth: 4 }, e);
      }),
      code: "KPU4014",
      says: /src must be in l2, but points into l3/,
    },
    "a move within l2": {
      k: kernel([], function within() {
        const [e] = S.allocEvents(1) as [never];
        S.blockMove(S.alloc(f32, [8], "l2"), S.alloc(f32, [8], "l2"), { rows: 2, cols: 4 }, e);
      }),
      code: "KPU4007",
      says: /moves within l2/,
    },
    "operands of two dtypes": {
      k: kernel([], function mixed() {
        const [e] = S.allocEvents(1) as [never];
        const [a, b] = [S.alloc(f16, [8], "l1"), S.alloc(f32, [8], "l1")];
        S.mma(S.alloc(f32, [4], "acc"), a, b as never, { m: 2, n: 2, k: 4 }, e);
      }),
      code: "KPU4007",
      says: /multiplies f16 and f32 into f32/,
    },
    "integers out of the drain without quantize": {
      k: kernel([], function plain() {
        const [e] = S.allocEvents(1) as [never];
        S.drain(S.alloc(i8, [4], "l2"), S.alloc(f32, [4], "acc"), { rows: 2, cols: 2 }, e);
      }),
      code: "KPU4007",
      says: /writes i8 quantized only/,
    },
    "more stream buffers than there are": {
      k: kernel([], function large() {
        S.alloc(f32, [9000], "l1");
        S.alloc(f32, [9000], "l1");
      }),
      code: "KPU4003",
      says: /65536 bytes of l1/,
    },
    "more accumulators than there are": {
      k: kernel([], function large() {
        S.alloc(f32, [129, 128], "acc");
      }),
      code: "KPU4003",
      says: /65536 bytes of acc/,
    },
    "an activation that the unit does not have": {
      k: kernel([], function unknown() {
        const [e] = S.allocEvents(1) as [never];
        const block = { rows: 2, cols: 2, activation: "swish" } as never;
        S.drain(S.alloc(f32, [4], "l2"), S.alloc(f32, [4], "acc"), block, e);
      }),
      code: "KPU3004",
      says: /activation must be one of none, relu, .*got "swish"/,
    },
    "an option of another transform": {
      k: kernel([], function other() {
        const [e] = S.allocEvents(1) as [never];
        const block = { rows: 2, cols: 4, panel: 2 } as never;
        S.blockMove(S.alloc(f32, [8], "l2"), S.alloc(f32, [8], "l3"), block, e);
      }),
      code: "KPU3004",
      says: /unknown option "panel"/,
    },
  };

describe("what is wrong with the text is refused before the first run", () => {
  it.each(Object.entries(refused))("%s", (_, { k, code, says }) => {
    const [d] = check(k as Kernel);
    expect(d?.message).toMatch(says);
    expect(d).toMatchObject({ code, location: { file: HERE } });
  });
});
