/** What TypeScript accepts in a kernel body, and what it refuses. `npm run types` is the test; nothing here runs. */
import { expectTypeOf } from "vitest";
import {
  bf16,
  bool,
  type Event,
  type f8e4m3,
  f8e5m2,
  f16,
  f32,
  type i4,
  i8,
  i16,
  i32,
  kernel,
  type Mask,
  type NdBuffer,
  type NumD,
  type Ptr,
  ptr,
  S,
  u4,
  u8,
  u16,
  u32,
  type Vec,
} from "../../dsl/index.ts";

export function bits(x: Vec<f32>, h: Vec<u16>, w: Vec<i32>, m: Mask): void {
  expectTypeOf(S.vrol(h, 3)).toEqualTypeOf<Vec<u16>>();
  expectTypeOf(S.vror(w, w, { mask: m, r: 0 })).toEqualTypeOf<Vec<i32>>();
  expectTypeOf(S.vclz(w)).toEqualTypeOf<Vec<i32>>();
  expectTypeOf(S.vnsr(h, 3)).toEqualTypeOf<Vec<u8>>();
  expectTypeOf(S.vnsr(w, w, { withRound: true, saturate: true })).toEqualTypeOf<Vec<i8>>();
  expectTypeOf(S.vnsr(w, 2, { toH: true })).toEqualTypeOf<Vec<i16>>();
  expectTypeOf(S.vnsrsr(w, 2, { toH: true, outSign: "unsigned" })).toEqualTypeOf<Vec<u16>>();

  // @ts-expect-error integers only
  S.vpcnt(x);
  // @ts-expect-error integers only
  S.vrol(x, 1);
  // @ts-expect-error 16-bit lanes narrow to 8 bits only
  S.vnsr(h, 1, { toH: true });
  // @ts-expect-error vnsrsr saturates always
  S.vnsrsr(w, 1, { saturate: true });
  // @ts-expect-error 8-bit lanes have nothing narrower
  S.vnsr(S.cast(w, i8), 1);
}

export function permutations(x: Vec<f32>, h: Vec<f16>, i: Vec<i32>, m: Mask): void {
  expectTypeOf(S.vconcat([x, x, 0])).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vconcat([m, m], { part: "low" })).toEqualTypeOf<Mask>();
  expectTypeOf(S.vsplit(x)).toEqualTypeOf<Vec<f32>[]>();
  expectTypeOf(S.vsplit(x, 2)).toEqualTypeOf<[Vec<f32>, Vec<f32>]>();
  expectTypeOf(S.vsplit(m, 3)).toEqualTypeOf<[Mask, Mask, Mask]>();
  expectTypeOf(S.vunzip(h)).toEqualTypeOf<[even: Vec<f16>, odd: Vec<f16>]>();
  expectTypeOf(S.vzip(m, true)).toEqualTypeOf<Mask>();
  expectTypeOf(S.vtbl(x, i)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vtbl([h, h], S.cast(i, u16), { mask: m, r: h })).toEqualTypeOf<Vec<f16>>();
  expectTypeOf(S.vcompt(x, "4T4F", { r: x })).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vcompc(m, m, m)).toEqualTypeOf<Mask>();

  // @ts-expect-error dtypes differ
  S.vconcat([x, i]);
  // @ts-expect-error vectors and masks do not mix
  S.vzip(x, m);
  // @ts-expect-error quarters are for cast
  S.vzip(x, x, { part: "ll" });
  // @ts-expect-error indices are as wide as the table
  S.vtbl(h, i);
  // @ts-expect-error indices are integers
  S.vtbl(x, x);
  // @ts-expect-error r has another dtype
  S.vexpand(x, m, { r: i });
  // @ts-expect-error a vector is no mask
  S.vcompt(x, x);
}

export function storage(q: Vec<i4>, e: Vec<f8e4m3>, b: Vec<u8>, m: Mask, p: Ptr<i4>): void {
  expectTypeOf(S.vload(p)).toEqualTypeOf<Vec<i4>>();
  expectTypeOf(S.cast(q, f32)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.cast(S.cast(q, f32), f8e5m2, { saturate: true })).toEqualTypeOf<Vec<f8e5m2>>();
  expectTypeOf(S.cast([e, e], u4)).toEqualTypeOf<Vec<u4>>();
  expectTypeOf(S.vsel(q, 3, m)).toEqualTypeOf<Vec<i4>>();
  expectTypeOf(S.vconcat([e, e])).toEqualTypeOf<Vec<f8e4m3>>();
  expectTypeOf(S.vzip(q, q, { part: "low" })).toEqualTypeOf<Vec<i4>>();
  expectTypeOf(S.vtbl(q, b)).toEqualTypeOf<Vec<i4>>();
  expectTypeOf(S.vcompt(e, m, { r: e })).toEqualTypeOf<Vec<f8e4m3>>();
  expectTypeOf(S.f8e4m3(0.3)).toEqualTypeOf<number>();

  // @ts-expect-error arithmetic is for other dtypes: cast first
  S.vadd(q, q);
  // @ts-expect-error arithmetic is for other dtypes
  S.vmul(e, 2);
  // @ts-expect-error nor are there bits
  S.vand(q, 3);
  // @ts-expect-error nor comparisons
  S.vclt(e, e);
  // @ts-expect-error nor sums
  S.vrpadd(q);
  // @ts-expect-error nor functions
  S.vexp(e);
  // @ts-expect-error dtypes differ
  S.vsel(q, e, m);
  // @ts-expect-error indices are as wide as a lane
  S.vtbl(q, q);
}

export function bitsAsLanes(x: Vec<f32>, b: Vec<i8>, h: Vec<f16>, w: Vec<i32>): void {
  expectTypeOf(S.vxtl(b)).toEqualTypeOf<Vec<i16>>();
  expectTypeOf(S.vxth(h)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.asUnsigned(b)).toEqualTypeOf<Vec<u8>>();
  expectTypeOf(S.reinterpret(x, i32)).toEqualTypeOf<Vec<i32>>();
  expectTypeOf(S.quantize(h, 0.5, 3, u8)).toEqualTypeOf<Vec<u8>>();
  expectTypeOf(S.dequantize(b, x, b, f16)).toEqualTypeOf<Vec<f16>>();

  // @ts-expect-error 32-bit lanes have nothing wider
  S.vxtl(w);
  // @ts-expect-error floats have one sign
  S.asSigned(x);
  // @ts-expect-error quantised values are integers
  S.quantize(x, 1, 0, f16);
}

export function arithmetic(x: Vec<f32>, i: Vec<i8>, w: Vec<i32>, m: Mask): void {
  expectTypeOf(S.vadd(x, x)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vadd(x, 1)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vsub(1, x)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vadd(i, 1, { saturate: true })).toEqualTypeOf<Vec<i8>>();
  expectTypeOf(S.vadd(i, i, { outSign: "unsigned" })).toEqualTypeOf<Vec<u8>>();
  expectTypeOf(S.vmul(i, i, { outSign: "signed", saturate: true, mask: m, r: i })).toEqualTypeOf<Vec<i8>>();
  expectTypeOf(S.vadd(x, x, { mask: m, r: 0 })).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vadd(x, x, { mask: "4T4F", r: x })).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vfma(x, x, 2)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vfma(0, x, x)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vexp(x)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vexp(1)).toEqualTypeOf<number>();
  expectTypeOf(S.vgelu(x, { mask: "T", r: 0 })).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vround(2.5)).toEqualTypeOf<number>();
  expectTypeOf(S.vpow(x, 2)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vpow(2, x)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vpow(2, 3)).toEqualTypeOf<number>();
  expectTypeOf(S.vcgt(x, 0)).toEqualTypeOf<Mask>();
  expectTypeOf(S.vand(m, true)).toEqualTypeOf<Mask>();
  expectTypeOf(S.vand(i, 3)).toEqualTypeOf<Vec<i8>>();
  expectTypeOf(S.vinv(m)).toEqualTypeOf<Mask>();
  expectTypeOf(S.vsel(x, 0, m)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vsel(m, false, m)).toEqualTypeOf<Mask>();
  expectTypeOf(S.vrpadd(x, { mask: m })).toEqualTypeOf<number>();
  expectTypeOf(S.vrpmax(x, { returnIdx: true })).toEqualTypeOf<number>();
  expectTypeOf(S.vsr(w, 3, { withRound: true })).toEqualTypeOf<Vec<i32>>();
  expectTypeOf(S.vany(m)).toEqualTypeOf<boolean>();

  // @ts-expect-error dtypes differ
  S.vadd(x, i);
  // @ts-expect-error an argument is missing
  S.vadd(x);
  // @ts-expect-error needs a vector
  S.vadd(1, 2);
  // @ts-expect-error a string is no operand
  S.vadd(x, "1");
  // @ts-expect-error floats have no saturate
  S.vadd(x, x, { saturate: true });
  // @ts-expect-error floats have no outSign
  S.vadd(x, x, { outSign: "signed" });
  // @ts-expect-error outSign is a word
  S.vadd(i, i, { outSign: "positive" });
  // @ts-expect-error vmin has no saturate
  S.vmin(i, i, { saturate: true });
  // @ts-expect-error r has another dtype
  S.vadd(x, x, { mask: m, r: i });
  // @ts-expect-error a number is no mask
  S.vadd(x, x, { mask: 3 });
  // @ts-expect-error a vector is no mask
  S.vsel(x, x, x);
  // @ts-expect-error unknown option
  S.vadd(x, x, { masks: m });
  // @ts-expect-error fma is for floats
  S.vfma(i, i, i);
  // @ts-expect-error exp is for floats
  S.vexp(i);
  // @ts-expect-error floats only
  S.vpow(i, 2);
  // @ts-expect-error and is for integers and masks
  S.vand(x, x);
  // @ts-expect-error vectors and masks do not mix
  S.vand(i, m);
  // @ts-expect-error a mask is not added
  S.vadd(m, m);
  // @ts-expect-error a vector is not a condition
  S.vany(x);
  // @ts-expect-error sums have no index
  S.vrpadd(x, { returnIdx: true });
}

export function memory(p: Ptr<f32>, b: Ptr<bool>, q: Ptr<i8>, x: Vec<f32>, i: Vec<i32>, m: Mask): void {
  expectTypeOf(S.vload(p)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vload(b)).toEqualTypeOf<Mask>();
  expectTypeOf(S.vload(p, { mask: m, r: x, lanes: 8, stride: 2 })).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vload(b, { mask: m, r: true })).toEqualTypeOf<Mask>();
  expectTypeOf(S.vloadGather(p, i)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.alloc(f16, [2, 8])).toEqualTypeOf<NdBuffer<f16>>();
  expectTypeOf(S.view(p, [2, 4]).at(1)).toEqualTypeOf<Ptr<f32>>();
  expectTypeOf(p.get(1)).toEqualTypeOf<number>();
  expectTypeOf(b.get()).toEqualTypeOf<boolean>();
  expectTypeOf(p.as(u16)).toEqualTypeOf<Ptr<u16>>();
  S.vstore(x, p, { mask: m });
  S.vstore(m, b);
  S.vstoreScatter(x, p, i);
  S.dmaCopy(p, p, 8, { times: 2 });
  const [e, f] = S.allocEvents(2);
  expectTypeOf(e).toEqualTypeOf<Event>();
  S.asyncDmaCopy(p, p, 8, e);
  S.waitEvents(e, [f]);

  // @ts-expect-error stores another dtype
  S.vstore(x, q);
  // @ts-expect-error the value comes first
  S.vstore(p, x);
  // @ts-expect-error a number is stored by p.set
  S.vstore(1, p);
  // @ts-expect-error unknown scope
  S.alloc(f32, 8, "l4");
  // @ts-expect-error a dtype, not its name
  S.alloc("f32", 8);
  // @ts-expect-error indices are integers
  S.vloadGather(p, x);
  // @ts-expect-error dtypes differ
  S.dmaCopy(p, q, 8);
  // @ts-expect-error the event is missing
  S.asyncDmaCopy(p, p, 8);
  // @ts-expect-error only two events
  S.waitEvents(S.allocEvents(2)[2]);
}

export function conversion(x: Vec<f32>, w: Vec<i32>): void {
  expectTypeOf(S.cast(x, i8)).toEqualTypeOf<Vec<i8>>();
  expectTypeOf(S.cast([w, w], i16, { saturate: true })).toEqualTypeOf<Vec<i16>>();
  expectTypeOf(S.vbcast(1, bf16)).toEqualTypeOf<Vec<bf16>>();
  expectTypeOf(S.vbcast(true, bool)).toEqualTypeOf<Mask>();
  expectTypeOf(S.u32(1.5, { wrap: true })).toEqualTypeOf<number>();
  expectTypeOf(S.bool(1)).toEqualTypeOf<boolean>();
  expectTypeOf(S.f32(true)).toEqualTypeOf<number>();
  // @ts-expect-error no such part
  S.cast(x, i8, { part: "middle" });
  // @ts-expect-error there are no vectors of bool
  S.cast(x, bool);
  // @ts-expect-error dtypes of a list differ
  S.cast([x, w], i8);
  // @ts-expect-error vectors are cast
  S.i8(x);
  // @ts-expect-error floats do not wrap
  S.f32(1, { wrap: true });
}

/** A template over dtype keeps its types. */
export function template<D extends NumD>(d: D): void {
  kernel([ptr(d), ptr(d), i32], (x, y, n) => {
    expectTypeOf(n).toEqualTypeOf<number>();
    for (const i of S.range(0, n, 8)) {
      expectTypeOf(i).toEqualTypeOf<number>();
      S.vstore(S.vadd(S.vload(x.at(i)), 1), y.at(i));
    }
  });
}

export const bodies = kernel(
  [ptr(f32), ptr(u8, { const: true }), f32, bool, u32],
  function typed(x, y, a, b, n) {
    expectTypeOf(x).toEqualTypeOf<Ptr<f32>>();
    expectTypeOf(y).toEqualTypeOf<Ptr<u8>>();
    expectTypeOf(a).toEqualTypeOf<number>();
    expectTypeOf(b).toEqualTypeOf<boolean>();
    expectTypeOf(n).toEqualTypeOf<number>();
    for (const [r, c] of S.grid(2, 3)) expectTypeOf(r + c).toEqualTypeOf<number>();
    S.print("n={}", n);
    S.print`n=${n}`;
    S.assert(n > 0, "n");
  },
);

export function calls(): void {
  bodies(new Float32Array(8), new Uint8Array(8), 1, true, 8);
  bodies(null, new Uint8Array(8), 1, true, 8);
  // @ts-expect-error another TypedArray
  bodies(new Int8Array(8), new Uint8Array(8), 1, true, 8);
  // @ts-expect-error an argument is missing
  bodies(new Float32Array(8), new Uint8Array(8), 1, true);
  // @ts-expect-error a boolean is declared
  bodies(new Float32Array(8), new Uint8Array(8), 1, 1, 8);
}

export function products(
  a: Vec<i8>,
  b: Vec<u8>,
  w: Vec<i32>,
  v: Vec<u32>,
  h: Vec<f16>,
  g: Vec<bf16>,
  x: Vec<f32>,
  m: Mask,
): void {
  expectTypeOf(S.vaddh(a, a)).toEqualTypeOf<Vec<i8>>();
  expectTypeOf(S.vmaxh(x, 1, { mask: m, r: x })).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vmaxnan(x, 0)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vsign(b)).toEqualTypeOf<Vec<u8>>();
  expectTypeOf(S.visnan(h, { mask: m, r: true })).toEqualTypeOf<Mask>();
  expectTypeOf(S.vmull(a, a)).toEqualTypeOf<Vec<i16>>();
  expectTypeOf(S.vmull(b, b)).toEqualTypeOf<Vec<u16>>();
  expectTypeOf(S.vmulh(b, a, { mask: m, r: S.vmull(a, a) })).toEqualTypeOf<Vec<i16>>();
  expectTypeOf(S.vmull(v, v)).toEqualTypeOf<Vec<u32>>();
  expectTypeOf(S.vmull(v, w)).toEqualTypeOf<Vec<i32>>();
  expectTypeOf(S.vmulhi(a, b)).toEqualTypeOf<Vec<i8>>();
  expectTypeOf(S.vmulhi(v, v)).toEqualTypeOf<Vec<u32>>();
  expectTypeOf(S.vfmae(x, h, g)).toEqualTypeOf<Vec<f32>>();

  expectTypeOf(S.vdot(a, b)).toEqualTypeOf<Vec<i16>>();
  expectTypeOf(S.vdot(b, b, { mask: m, r: 0 })).toEqualTypeOf<Vec<u16>>();
  expectTypeOf(S.vqdot(a, b)).toEqualTypeOf<Vec<i32>>();
  expectTypeOf(S.vqdot(b, b)).toEqualTypeOf<Vec<u32>>();
  expectTypeOf(S.vqdot(h, h)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vdpa(S.vdot(a, a), a, b)).toEqualTypeOf<Vec<i16>>();
  expectTypeOf(S.vqdpa(v, b, a)).toEqualTypeOf<Vec<u32>>();
  expectTypeOf(S.vqdpa(x, g, g)).toEqualTypeOf<Vec<f32>>();
  expectTypeOf(S.vmml(a, a)).toEqualTypeOf<Vec<i32>>();
  expectTypeOf(S.vmma(x, h, h)).toEqualTypeOf<Vec<f32>>();

  // @ts-expect-error 32-bit factors have no wider sum
  S.vdot(w, w);
  // @ts-expect-error four products are of 8-bit integers
  S.vqdpa(w, S.vmull(a, a), S.vmull(a, a));
  // @ts-expect-error matrices of f32 are the fabric's
  S.vmml(x, x);
  // @ts-expect-error widths differ
  S.vmull(a, w);
  // @ts-expect-error floats have no high word
  S.vmulhi(x, x);
  // @ts-expect-error the accumulator is f32
  S.vfmae(h, h, h);
  // @ts-expect-error integers are never NaN
  S.visnan(w);
}
