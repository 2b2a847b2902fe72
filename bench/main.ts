/** `npm run bench`: every budget of the project in one run on one machine, with what it is compared to. */
import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { build, createDevice, f32, simulate } from "kpu-dsl";
import * as ort from "onnxruntime-web/wasm";
import { checkRows } from "./checks.ts";
import { elementwiseRows } from "./elementwise.ts";
import { itpuRows } from "./itpu.ts";
import { barriers, fiftyLines, gemm, sharedAdd, vectorAdd } from "./kernels.ts";
import { libraryRows } from "./library.ts";
import { machineRows } from "./machine.ts";
import { mathRows } from "./math.ts";
import { bestCall, bestCallAsync, bestOf, type Row, table } from "./measure.ts";
import { matmulSession } from "./onnx-model.ts";

const rows: Row[] = [];
const add = (row: Row): void => {
  rows.push(row);
};

console.log(
  `Node ${process.version}, ${cpus()[0]?.model.trim()}, ${cpus().length} cores; best of several batches\n`,
);

/** A copy in the device's memory, which programs use in place. */
function onDevice(device: ReturnType<typeof createDevice>, array: Float32Array): Float32Array {
  const copy = device.alloc(f32, array.length);
  copy.set(array);
  return copy;
}

// -- vector add: direct, compiled, plain JavaScript
const N = 1 << 16;
const x = Float32Array.from({ length: N }, (_, i) => i % 1000);
const y = Float32Array.from({ length: N }, (_, i) => (i * 7) % 1000);
const out = new Float32Array(N);

// More batches than usual: V8 optimises the path through the checks late.
const direct = bestOf(() => simulate(sharedAdd, [out, x, y, N]), { batches: 25 });
add({
  name: "direct vector add, all checks, 2 tiles",
  value: N / direct / 1000,
  unit: "M elements/s",
  budget: { atLeast: 40 },
});

function plainAdd(to: Float32Array, a: Float32Array, b: Float32Array, n: number): void {
  for (let i = 0; i < n; i++) to[i] = (a[i] as number) + (b[i] as number);
}
const plain = bestOf(() => plainAdd(out, x, y, N));
for (const checks of [true, false]) {
  const program = build(vectorAdd, { checks, target: "minimal" });
  const device = createDevice();
  const [dout, dx, dy] = [onDevice(device, out), onDevice(device, x), onDevice(device, y)];
  const zeroCopy = bestOf(() => program.runWith({ tiles: 1, device }, dout, dx, dy, N));
  const copied = bestOf(() => program.runWith({ tiles: 1 }, out, x, y, N));
  const label = checks ? "checks on" : "checks off";
  const rate = (ms: number): string =>
    `${(N / ms / 1000).toFixed(0)} M elements/s, plain loop ${(N / plain / 1000).toFixed(0)}`;
  add({
    name: `compiled vector add, device memory, ${label}`,
    value: zeroCopy / plain,
    unit: "x plain loop",
    compared: rate(zeroCopy),
    budget: { atMost: 1.2 },
  });
  add({
    name: `compiled vector add, host arrays, ${label}`,
    value: copied / plain,
    unit: "x plain loop",
    compared: rate(copied),
  });
}

// -- other dtypes, and what checks cost
for (const row of elementwiseRows()) add(row);
for (const row of checkRows()) add(row);

// -- barriers
const ROUNDS = 2000;
for (const tiles of [2, 16]) {
  const viaSimulation = bestOf(() => simulate(barriers, [ROUNDS], { tiles, target: "t64" }), { batches: 5 });
  add({
    name: `barrier, direct, ${tiles} tiles`,
    value: (viaSimulation * 1000) / ROUNDS / tiles,
    unit: "us per tile",
    budget: { atMost: 0.5 },
  });
  const program = build(barriers, { target: "t64" });
  const compiled = bestOf(() => program.runWith({ tiles }, ROUNDS), { batches: 5 });
  add({
    name: `barrier, compiled, ${tiles} tiles`,
    value: (compiled * 1000) / ROUNDS / tiles,
    unit: "us per tile",
    budget: { atMost: 0.5 },
  });
}

// -- latencies
const buildTime = bestCall(() => build(fiftyLines()), 200);
add({ name: "build of a 50-line kernel, warm", value: buildTime, unit: "ms", budget: { atMost: 5 } });

const cold = { cold: Infinity, warm: Infinity };
for (let i = 0; i < 3; i++) {
  const child = spawnSync(
    process.execPath,
    ["--conditions=kpu-source", "--import", "tsx", fileURLToPath(new URL("cold.ts", import.meta.url))],
    { encoding: "utf8" },
  );
  if (child.status !== 0) throw new Error(child.stderr);
  const measured = JSON.parse(child.stdout) as typeof cold;
  cold.cold = Math.min(cold.cold, measured.cold);
  cold.warm = Math.min(cold.warm, measured.warm);
}
add({
  name: "first direct call of a kernel, cold process",
  value: cold.cold,
  unit: "ms",
  budget: { atMost: 600 },
});
add({
  name: "first direct call of a kernel, checker loaded",
  value: cold.warm,
  unit: "ms",
  budget: { atMost: 2 },
});

// -- math functions against Math
rows.push(...mathRows());

// -- information theory
rows.push(...itpuRows());

// -- the machine model
rows.push(...machineRows());

// -- GEMM against onnxruntime-web on one thread
for (const size of [128, 256]) {
  const a = Float32Array.from({ length: size * size }, (_, i) => ((i * 31) % 17) - 8);
  const b = Float32Array.from({ length: size * size }, (_, i) => ((i * 13) % 11) - 5);
  const c = new Float32Array(size * size);
  const session = await matmulSession(size, size, size);
  const feeds = {
    A: new ort.Tensor("float32", a, [size, size]),
    B: new ort.Tensor("float32", b, [size, size]),
  };
  const program = build(gemm, { checks: false, target: "minimal" });
  const device = createDevice();
  const dc = onDevice(device, c);
  const da = onDevice(device, a);
  const db = onDevice(device, b);
  const times = Math.max(1, Math.round(2e8 / size ** 3));
  const theirs = await bestCallAsync(() => session.run(feeds), 8 * times);
  const ours = bestCall(() => program.runWith({ tiles: 1, device }, dc, da, db, size, size, size), 8 * times);
  const result = await session.run(feeds);
  const theirData = result["C"]?.data as Float32Array;
  if (theirData.some((v, i) => v !== dc[i])) throw new Error("GEMM results differ from onnxruntime-web");
  const flops = (ms: number): string => ((2 * size ** 3) / ms / 1e6).toFixed(1);
  add({
    name: `f32 GEMM ${size}, one core, against onnxruntime-web`,
    value: theirs / ours,
    unit: "x",
    compared: `${flops(ours)} GFLOP/s, onnxruntime-web ${flops(theirs)}`,
    budget: { atLeast: 1.5 },
  });
}

rows.push(...(await libraryRows()));

console.log(table(rows));
