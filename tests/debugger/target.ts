// A process that is debugged: a plain kernel and one with barriers are called while a debugger has breakpoints here.
import { Worker } from "node:worker_threads";
import { f32, i32, kernel, ptr, S } from "kpu-dsl";

const scaled = kernel([ptr(f32), ptr(f32), i32], function scaled(y, x, n) {
  for (let i = S.tileId() * 8; i < n; i += S.tileCount() * 8) {
    const v = S.vload(x.at(i));
    const doubled = S.vmul(v, 2);
    S.vstore(doubled, y.at(i)); // breakpoint: plain
  }
});

/** Every tile adds what the other tile wrote before the barrier. */
const exchanged = kernel([ptr(i32), ptr(i32)], function exchanged(out, shared) {
  const tile = S.tileId();
  const own = tile + 10;
  shared.set(tile, own);
  S.barrier();
  const other = shared.get(1 - tile);
  out.set(tile, own * 100 + other); // breakpoint: barrier
});

const ready = new Int32Array(new SharedArrayBuffer(4));
const watcher = new Worker(new URL("./watch.mjs", import.meta.url), {
  workerData: { ready, url: import.meta.url },
  execArgv: [],
});
watcher.on("error", (e) => {
  console.error(e);
  process.exit(1);
});
// Busy, because a sleeping thread does not answer its debugger.
while (Atomics.load(ready, 0) === 0);
const out = new Int32Array(2);
scaled(
  new Float32Array(16),
  Float32Array.from({ length: 16 }, (_, i) => i),
  16,
);
exchanged(out, new Int32Array(2));
if (out.join() !== "1011,1110") throw new Error(`the kernel was disturbed: ${out}`);
watcher.postMessage("done");
