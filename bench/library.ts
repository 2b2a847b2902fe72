/** Products of the library: executed, against onnxruntime-web on one thread, and timed. */
import { build, createDevice, f32, i8, i32, TARGETS, type Target } from "kpu-dsl";
import {
  type GemmPlan,
  type GemmSizes,
  type GemmSpec,
  gemmKernel,
  planGemm,
  type TunedPlan,
  timeGemm,
} from "kpu-dsl/kernels";
import { targetOf } from "kpu-dsl/machine";
import * as ort from "onnxruntime-web/wasm";
import { PRESETS } from "../machine/presets/index.ts";
import { bestCall, bestOfRounds, type Row } from "./measure.ts";
import { matmulSession } from "./onnx-model.ts";

const SIZE = 1024;
const F32 = { a: "f32", b: "f32", out: "f32" } as const satisfies GemmSpec;
const I8 = { a: "i8", b: "i8", out: "i32" } as const satisfies GemmSpec;

/** A tile whose memories are about as large as the caches of a host's core. */
const HOST: Target = {
  ...TARGETS.t256,
  name: "host",
  capacity: { ...TARGETS.t256.capacity, l2: 2 << 20, l1: 512 << 10, acc: 1 << 20 },
};
/** Blocks whose sums and operands at the fabric fit a second-level cache together: operands are packed twice. */
const PLAN: GemmPlan = {
  ...{ halfRows: 256, cols: 512, blockRows: 512, blockCols: 512 },
  ...{ depth: 64, turns: 1, tileCols: 1 },
};

export async function libraryRows(): Promise<Row[]> {
  return [...(await executedRows()), ...timedRows()];
}

async function executedRows(): Promise<Row[]> {
  const device = createDevice();
  const filled = <T extends ArrayLike<number> & { set(values: ArrayLike<number>): void }>(array: T): T => {
    array.set(Array.from(array, (_, i) => ((i * 31) % 17) - 8));
    return array;
  };
  const n = SIZE * SIZE;
  const [a, b, c] = [filled(device.alloc(f32, n)), filled(device.alloc(f32, n)), device.alloc(f32, n)];
  const [ia, ib, ic] = [filled(device.alloc(i8, n)), filled(device.alloc(i8, n)), device.alloc(i32, n)];
  const target = HOST;
  const sizes = [SIZE, SIZE, SIZE] as const;
  const program = <const S extends GemmSpec>(spec: S, plan: GemmPlan, checks: boolean) =>
    build(gemmKernel(spec, plan, target, 1), { target, checks });
  const [unchecked, checked] = [program(F32, PLAN, false), program(F32, PLAN, true)];
  const bytes = program(I8, { ...PLAN, depth: 2 * PLAN.depth }, false);
  const one = { tiles: 1, device };
  const session = await matmulSession(...sizes);
  const feeds = {
    A: new ort.Tensor("float32", Float32Array.from(a), [SIZE, SIZE]),
    B: new ort.Tensor("float32", Float32Array.from(b), [SIZE, SIZE]),
  };
  const best = await bestOfRounds({
    theirs: () => session.run(feeds),
    ours: () => unchecked.runWith(one, c, a, b, null, null, null, ...sizes),
    checked: () => checked.runWith(one, c, a, b, null, null, null, ...sizes),
    bytes: () => bytes.runWith(one, ic, ia, ib, null, null, null, ...sizes),
  });
  const result = (await session.run(feeds))["C"]?.data as Float32Array;
  if (result.some((v, i) => v !== c[i])) throw new Error("results differ from those of onnxruntime-web");
  const rate = (ms: number): string => `${((2 * SIZE ** 3) / ms / 1e6).toFixed(1)} G/s`;
  const name = `library GEMM ${SIZE}`;
  return [
    {
      name: `${name} f32, against onnxruntime-web`,
      value: best.theirs / best.ours,
      unit: "x",
      compared: `${rate(best.ours)}, onnxruntime-web ${rate(best.theirs)}`,
      budget: { atLeast: 1.4 },
    },
    {
      name: `${name} f32, checks on`,
      value: best.checked / best.ours,
      unit: "x without",
      compared: rate(best.checked),
    },
    {
      name: `${name} i8, against f32`,
      value: best.ours / best.bytes,
      unit: "x",
      compared: rate(best.bytes),
      budget: { atLeast: 1.7 },
    },
  ];
}

function timedRows(): Row[] {
  const machine = PRESETS.edge;
  const target = targetOf(machine);
  const small = { m: SIZE, n: SIZE, k: SIZE };
  const timed = (sizes: GemmSizes, plan: GemmPlan): TunedPlan => timeGemm(F32, plan, sizes, machine, 1);
  const share = ({ utilization }: TunedPlan): string => `${(100 * utilization).toFixed(1)} % of one array`;
  const plan = planGemm(F32, small, target, 1);
  const all = bestCall(() => timed(small, planGemm(F32, small, target, 1)), 150);
  // Shallower chunks: each is a kernel of its own, which no one has asked for yet.
  const depths = Array.from({ length: 8 }, (_, i) => plan.depth - 2 * (i + 1)).values();
  const anew = bestCall(() => timed(small, { ...plan, depth: depths.next().value ?? plan.depth }), 8);
  const large = { m: 8192, n: 8192, k: 8192 };
  const largePlan = planGemm(F32, large, target, 1);
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const used = timed(large, largePlan);
  const once = performance.now() - start;
  return [
    {
      name: `library GEMM ${SIZE}: plan, compile, trace and time, warm`,
      value: all,
      unit: "ms",
      compared: `${share(timed(small, plan))}; kpu-sim 6 to 9 without compiling, 96.0 %`,
      budget: { atMost: 10 },
    },
    {
      name: "the same of a plan that was not compiled before",
      value: anew,
      unit: "ms",
    },
    {
      name: "library GEMM 8192: compile, trace and time, once",
      value: once,
      unit: "ms",
      compared: `${share(used)}; kpu-sim 2700`,
      budget: { atMost: 1000 },
    },
    {
      name: "memory that it adds to the process",
      value: Math.max(0, process.memoryUsage().rss - before) / 1e6,
      unit: "MB",
      budget: { atMost: 500 },
    },
  ];
}
