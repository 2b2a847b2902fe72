/** Types as a stranger sees them: `tsc --noEmit` in every module resolution, library files checked too. */
import { kernel, ptr, f32, i32, u8, bool, i8, S, build, simulate, checkEquivalence, describeInputs, loadProgram, host, type Ptr, type Vec, type Mask, KpuError } from "kpu-dsl";
import { createDevice } from "kpu-dsl/runtime";
import "kpu-dsl/vitest";
import { expect } from "vitest";
type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
const is = <T extends true>() => {};
const k = kernel([ptr(f32), ptr(u8), ptr(bool), f32, i32, bool], function k(x, b, m, a, n, flag) {
  is<Eq<typeof x, Ptr<f32>>>(); is<Eq<typeof a, number>>(); is<Eq<typeof flag, boolean>>();
  const v = S.vload(x.at(3)); is<Eq<typeof v, Vec<f32>>>();
  const w = S.vload(b, { lanes: 8 }); is<Eq<typeof w, Vec<u8>>>();
  const q = S.vload(m.at(0)); is<Eq<typeof q, Mask>>();
  const c = S.cast(v, i8); is<Eq<typeof c, Vec<i8>>>();
  const e = S.vceq(v, v); is<Eq<typeof e, Mask>>();
  const g = x.get(0); is<Eq<typeof g, number>>();
  const h = m.get(0); is<Eq<typeof h, boolean>>();
  const buf = S.alloc(f32, [4, 4]); const r = buf.at(1, 2); is<Eq<typeof r, Ptr<f32>>>();
  // @ts-expect-error mixed dtypes
  S.vadd(v, w);
  // @ts-expect-error saturate on floats
  S.vadd(v, v, { saturate: true });
  // @ts-expect-error vload of a number
  S.vload(a);
});
k(new Float32Array(3), new Uint8Array(3), new Uint8Array(3), 1, 2, true);
// @ts-expect-error wrong array
k(new Float64Array(3), new Uint8Array(3), new Uint8Array(3), 1, 2, true);
// @ts-expect-error count
k(new Float32Array(3));
const p = build(k); p.run(new Float32Array(3), new Uint8Array(3), new Uint8Array(3), 1, 2, true);
// @ts-expect-error wrong array
p.run(new Int8Array(3), new Uint8Array(3), new Uint8Array(3), 1, 2, true);
simulate(k, [new Float32Array(3)], { seed: 3 });
describeInputs(k, (g) => { const n = g.size(); return [g.array(f32, n), g.array(u8, n), g.array(bool, n), g.scalar(f32), n, true]; });
checkEquivalence(k, { runs: 3 });
expect(k).toAgree({ runs: 2 });
class Blas { @kernel([ptr(f32), f32]) static scale(x: Ptr<f32>, a: number) { x.set(0, a); } }
host(Blas.scale)(new Float32Array(2), 3);
loadProgram(p.bytes).run(); createDevice({ bytes: 1024 });
