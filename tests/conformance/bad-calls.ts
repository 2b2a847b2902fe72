/**
 * Small calls that must fail, one or more for every code that a run, a call or an argument can raise: beside tests/bad, whose
 * kernels are refused before they run. Golden reports stand in `bad-calls/`.
 */
import {
  bool,
  build,
  check,
  createDevice,
  type DiagnosticCode,
  f32,
  i4,
  i32,
  kernel,
  ptr,
  S,
  type SimulateOptions,
  simulate,
  TARGETS,
  u8,
} from "kpu-dsl";
import { execute } from "../harness/execute.ts";

export interface BadCall {
  readonly code: DiagnosticCode;
  /** Found by the memory and schedule of direct execution; a compiled program does not look for it. */
  readonly only?: "direct" | "compiled";
  readonly run: () => void;
}

const floats = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);
const ONE = { tiles: 1 } as const;
const TWO = { tiles: 2 } as const;
const scale = kernel([ptr(f32), i32], function scale(x, n) {
  if (S.tileId() === 0) for (let i = 0; i < n; i++) x.set(i, x.get(i) * 2);
});
const small = kernel([ptr(u8), u8], function small(x, n) {
  if (S.tileId() === 0) x.set(0, n);
});
const checked = (k: Parameters<typeof simulate>[0], args: unknown[], options: SimulateOptions): void =>
  void simulate(k, args as never, options);
const strict = { ...TARGETS.edge, name: "strict", vectorAlignment: 32 };

export const BAD_CALLS: Readonly<Record<string, BadCall>> = {
  "captured number changed": {
    code: "KPU2003",
    run: () => {
      const options = { factor: 2 };
      const k = kernel([ptr(i32)], function changed(x) {
        if (S.tileId() === 0) x.set(0, options.factor);
      });
      check(k);
      execute(k, [new Int32Array(1)]);
      options.factor = 3;
      simulate(k, [new Int32Array(1)]);
      build(k);
    },
  },
  "division by a zero of run time": {
    code: "KPU3013",
    run: () =>
      execute(
        kernel([ptr(i32), i32], function divide(x, n) {
          x.set(0, S.ceildiv(10, n));
        }),
        [new Int32Array(1), 0],
        ONE,
      ),
  },
  "scalar beyond the end": {
    code: "KPU4001",
    run: () => execute(scale, [floats(3), 4], ONE),
  },
  "vector beyond the end": {
    code: "KPU4001",
    run: () =>
      execute(
        kernel([ptr(f32), i32], function vector(x, at) {
          S.vstore(S.vload(x), x.at(at));
        }),
        [floats(12), 5],
        ONE,
      ),
  },
  "lane that a vector has not": {
    code: "KPU4001",
    run: () =>
      checked(
        kernel([ptr(f32), i32], function lane(x, at) {
          x.set(0, S.vload(x).at(at));
        }),
        [floats(8), 8],
        ONE,
      ),
  },
  "element never written": {
    code: "KPU4002",
    only: "direct",
    run: () =>
      checked(
        kernel([ptr(f32)], function unwritten(x) {
          const t = S.alloc(f32, 8);
          t.set(0, 1);
          x.set(0, t.get(1));
        }),
        [floats(1)],
        ONE,
      ),
  },
  "more scratch than there is": {
    code: "KPU4003",
    run: () =>
      execute(
        kernel([], function capacity() {
          S.alloc(f32, 12000);
          S.alloc(f32, 5000);
        }),
        [],
        ONE,
      ),
  },
  "allocation under a condition of run time": {
    code: "KPU4004",
    run: () =>
      execute(
        kernel([ptr(f32), i32], function conditional(x, n) {
          if (n > 0) S.dmaCopy(x, S.alloc(f32, 8), 8);
        }),
        [floats(8), 1],
        ONE,
      ),
  },
  "destination read before the wait": {
    code: "KPU4005",
    only: "direct",
    run: () =>
      checked(
        kernel([ptr(f32)], function early(x) {
          const t = S.alloc(f32, 8);
          const [e] = S.allocEvents(1);
          S.asyncDmaCopy(t, x, 8, e);
          x.set(0, t.get(0));
          S.waitEvents(e);
          S.freeEvents(e);
        }),
        [floats(8)],
        ONE,
      ),
  },
  "two tiles write one element": {
    code: "KPU4006",
    only: "direct",
    run: () =>
      checked(
        kernel([ptr(f32)], function race(x) {
          x.set(0, S.tileId());
        }),
        [floats(1)],
        TWO,
      ),
  },
  "fewer than no rows": {
    code: "KPU4007",
    run: () =>
      execute(
        kernel([ptr(f32), ptr(f32), i32], function rows(y, x, n) {
          S.dmaCopy(y, x, { shape: [2, n] });
        }),
        [floats(8), floats(8), -1],
        ONE,
      ),
  },
  "null pointer": {
    code: "KPU4008",
    run: () => execute(scale, [null, 1], ONE),
  },
  "transfer onto itself": {
    code: "KPU4009",
    run: () =>
      execute(
        kernel([ptr(f32), i32], function onto(x, n) {
          S.dmaCopy(x.at(1), x, n);
        }),
        [floats(8), 4],
        ONE,
      ),
  },
  "vector off its alignment": {
    code: "KPU4010",
    only: "direct",
    run: () =>
      checked(
        kernel([ptr(f32), i32], function aligned(x, at) {
          S.vload(x.at(at));
        }),
        [floats(16), 2],
        { target: strict, ...ONE },
      ),
  },
  "store that wraps": {
    code: "KPU4011",
    only: "direct",
    run: () =>
      checked(
        kernel([ptr(u8), i32], function wraps(x, n) {
          x.set(0, n);
        }),
        [new Uint8Array(1), 300],
        { checks: { lossy: true }, ...ONE },
      ),
  },
  "NaN out of numbers": {
    code: "KPU4012",
    only: "direct",
    run: () =>
      checked(
        kernel([ptr(f32)], function root(x) {
          S.vstore(S.vsqrt(S.vload(x)), x);
        }),
        [new Float32Array(8).fill(-1)],
        { checks: { nonfinite: true }, ...ONE },
      ),
  },
  "half a byte": {
    code: "KPU4013",
    run: () =>
      execute(
        kernel([ptr(i32), ptr(i4), i32], function half(y, x, at) {
          S.vstore(S.cast(S.vload(x.at(at), { lanes: 2 }), i32), y);
        }),
        [new Int32Array(2), new Uint8Array(2), 1],
        ONE,
      ),
  },
  "nobody can go on": {
    code: "KPU5001",
    only: "direct",
    run: () =>
      checked(
        kernel([ptr(i32)], function spins(flag) {
          while (flag.get(0) === 0) {}
        }),
        [new Int32Array(1)],
        TWO,
      ),
  },
  "different barriers": {
    code: "KPU5002",
    run: () =>
      execute(
        kernel([i32], function diverge(n) {
          if (S.tileId() < n) S.barrier();
          else S.barrier();
        }),
        [1],
        TWO,
      ),
  },
  "return before a barrier": {
    code: "KPU5003",
    run: () =>
      execute(
        kernel([i32], function leave(n) {
          if (S.tileId() >= n) return;
          S.barrier();
        }),
        [1],
        TWO,
      ),
  },
  "wait for nothing": {
    code: "KPU5004",
    run: () =>
      execute(
        kernel([], function idle() {
          const [e] = S.allocEvents(1);
          S.waitEvents(e);
          S.freeEvents(e);
        }),
        [],
        ONE,
      ),
  },
  "event in use": {
    code: "KPU5005",
    run: () =>
      execute(
        kernel([ptr(f32), ptr(f32)], function reuse(y, x) {
          const [e] = S.allocEvents(1);
          S.asyncDmaCopy(y, x, 4, e);
          S.asyncDmaCopy(y.at(4), x.at(4), 4, e);
          S.waitEvents(e);
          S.freeEvents(e);
        }),
        [floats(8), floats(8)],
        ONE,
      ),
  },
  "event left behind": {
    code: "KPU5006",
    run: () =>
      execute(
        kernel([ptr(f32), ptr(f32)], function leak(y, x) {
          const [e] = S.allocEvents(1);
          S.asyncDmaCopy(y, x, 4, e);
        }),
        [floats(4), floats(4)],
        ONE,
      ),
  },
  "more events than a tile has": {
    code: "KPU5007",
    run: () =>
      execute(
        kernel([], function exhaust() {
          const events = S.allocEvents(1000);
          S.freeEvents(events);
        }),
        [],
        ONE,
      ),
  },
  "event after it was freed": {
    code: "KPU5008",
    run: () =>
      execute(
        kernel([ptr(f32), ptr(f32)], function freed(y, x) {
          const [e] = S.allocEvents(1);
          S.freeEvents(e);
          S.asyncDmaCopy(y, x, 4, e);
          S.waitEvents(e);
        }),
        [floats(4), floats(4)],
        ONE,
      ),
  },
  "spans that cross": {
    code: "KPU5010",
    run: () =>
      execute(
        kernel([], function cross() {
          S.perfBegin(1);
          S.perfBegin(2);
          S.perfEnd(1);
          S.perfEnd(2);
        }),
        [],
        ONE,
      ),
  },
  "array of another dtype": {
    code: "KPU6001",
    run: () => execute(scale, [new Int32Array(4), 4]),
  },
  "no array at all": {
    code: "KPU6001",
    run: () => execute(scale, ["x", 4]),
  },
  "tensor whose data is too short": {
    code: "KPU6002",
    run: () => execute(scale, [{ dtype: "f32", shape: [3], data: floats(2) }, 2]),
  },
  "integer out of range": {
    code: "KPU6003",
    run: () => execute(small, [new Uint8Array(1), 256]),
  },
  "fraction for an integer": {
    code: "KPU6003",
    run: () => execute(scale, [floats(4), 1.5]),
  },
  "an argument too few": {
    code: "KPU6004",
    run: () => execute(scale, [floats(4)]),
  },
  "memory outside of kernels": {
    code: "KPU6005",
    run: () => void S.alloc(f32, 4),
  },
  "option that does not exist": {
    code: "KPU6006",
    run: () => execute(scale, [floats(4), 1], { tiles: 0 }),
  },
  "assertion of the author": {
    code: "KPU6007",
    run: () =>
      execute(
        kernel([bool], function asserts(ok) {
          S.assert(ok, "all is well");
        }),
        [false],
        ONE,
      ),
  },
  "declaration without types": {
    code: "KPU6008",
    run: () => void kernel(["f32" as never], function nothing() {}),
  },
  "more memory than the device has": {
    code: "KPU7006",
    run: () => void createDevice().alloc("f32", [2 ** 28]),
  },
};
