/** The math functions, compiled, on 1 M f32 in device memory, against a loop of `Math` over a Float32Array. */
import { build, createDevice, f32, i32, kernel, ptr, S } from "kpu-dsl";
import { bestCall, type Row } from "./measure.ts";

const N = 1 << 20;
const PIECE = N / 16;
const LANES = 16;

/** A plain loop of its own per function, so that V8 inlines it. */
function plainLoop(body: string): (to: Float32Array, x: Float32Array) => void {
  return new Function(
    "to",
    "x",
    `for (let i = 0; i < x.length; i++) { const v = x[i]; to[i] = ${body}; }`,
  ) as (to: Float32Array, x: Float32Array) => void;
}

/** Intrinsics, and the expression of v that a plain loop has for them. */
const CASES = [
  ["vexp", "Math.exp(v)"],
  ["vexp2", "2 ** v"],
  ["vlog", "Math.log(v)"],
  ["vlog2", "Math.log2(v)"],
  ["vsin", "Math.sin(v)"],
  ["vcos", "Math.cos(v)"],
  ["vtan", "Math.tan(v)"],
  ["vtanh", "Math.tanh(v)"],
  ["vsigmoid", "1 / (1 + Math.exp(-v))"],
  ["vsilu", "v / (1 + Math.exp(-v))"],
  ["verf", undefined],
  ["vgelu", undefined],
  ["vpow", "v ** 1.7"],
] as const;

export function mathRows(): Row[] {
  const device = createDevice();
  const x = device.alloc(f32, N);
  const out = device.alloc(f32, N);
  // Logarithms and powers have positive operands: the others lose nothing by that.
  for (let i = 0; i < N; i++) x[i] = 0.01 + ((i * 7919) % 10000) / 1000;
  const plainX = x.slice();
  const plainOut = new Float32Array(N);
  return CASES.map(([name, plain]) => {
    const unary = name === "vpow" ? undefined : S[name];
    const k = kernel([ptr(f32), ptr(f32), i32], function apply(from, to, n) {
      for (let i = 0; i < n; i += LANES) {
        const v = S.vload(from.at(i), { lanes: LANES });
        S.vstore(unary === undefined ? S.vpow(v, 1.7) : unary(v), to.at(i));
      }
    });
    const program = build(k, { checks: false, target: "minimal" });
    const loop = plain === undefined ? undefined : plainLoop(plain);
    let [ours, theirs] = [0, 0];
    // Piece by piece and in turns, each piece short enough to run undisturbed on a busy machine.
    for (let at = 0; at < N; at += PIECE) {
      const piece = (a: Float32Array): Float32Array => a.subarray(at, at + PIECE);
      const [from, to, plainFrom, plainTo] = [x, out, plainX, plainOut].map(piece) as [
        Float32Array,
        Float32Array,
        Float32Array,
        Float32Array,
      ];
      ours += bestCall(() => program.runWith({ tiles: 1, device }, from, to, PIECE), 30);
      if (loop !== undefined) theirs += bestCall(() => loop(plainTo, plainFrom), 15);
    }
    const each = (ms: number): string => `${((ms * 1e6) / N).toFixed(2)} ns`;
    return {
      name: `${name}, 1 M f32, compiled`,
      ...(loop === undefined
        ? { value: (ours * 1e6) / N, unit: "ns per element" }
        : {
            value: theirs / ours,
            unit: `x ${plain}`,
            compared: `${each(ours)}, plain loop ${each(theirs)}`,
          }),
      ...(name === "vexp" ? { budget: { atLeast: 5 } } : {}),
    };
  });
}
