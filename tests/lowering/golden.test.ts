/** KIR of small kernels, to be read from input to output. `npx vitest run tests/lowering/golden -u` rewrites it. */
import { bf16, f32, i32, kernel, ptr, recordOf, S, u8, u32 } from "kpu-dsl";
import { expect, it } from "vitest";
import { printKernel } from "../../ir/print.ts";
import { lowerKernel } from "../../lowering/index.ts";

function kir(k: unknown): string {
  return printKernel(lowerKernel(recordOf(k) as NonNullable<ReturnType<typeof recordOf>>).kernel);
}

it("saxpy: counters are integers because nobody sees their sign of zero", () => {
  const k = kernel([ptr(f32), ptr(f32), f32, i32], function saxpy(x, y, a, n) {
    const per = S.ceildiv(n, S.tileCount());
    const begin = S.tileId() * per;
    const end = Math.min(begin + per, n);
    for (let i = begin; i < end; i += 8) {
      const m = S.tailMask(end - i, 8);
      S.vstore(S.vfma(S.vload(y.at(i), { mask: m }), S.vload(x.at(i), { mask: m }), a), y.at(i), { mask: m });
    }
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @saxpy(%x: ptr<f32, global>, %y: ptr<f32, global>, %a: f32, %n: i32) {
      let %per: i32 = ceildiv.i32 %n, tile_count
      let %begin: i64 = mul.i64 (cast_scalar.i32{to: i64} tile_id), (cast_scalar.i32{to: i64} %per)
      let %end: i64 = min.i64 (add.i64 %begin, (cast_scalar.i32{to: i64} %per)), (cast_scalar.i32{to: i64} %n)
      loop: for %i: i64 = %begin to %end step 8 {
        let %m: mask<8> = tail_mask<8> (sub.i64 %end, %i)
        let %t: f32x8 = load<f32x8> %y[%i] mask %m else (splat<f32x8> 0:f32)
        let %t.1: f32x8 = load<f32x8> %x[%i] mask %m else (splat<f32x8> 0:f32)
        store<f32x8> %y[%i], (fma.f32x8 %t, %t.1, (splat<f32x8> %a)) mask %m
      }
    }
    "
  `);
});

it("a stored -0 keeps its multiplication in f64", () => {
  const k = kernel([ptr(f32), i32, i32], function zeros(x, a, b) {
    x.set(0, a * b);
    x.set(a * b, 1);
    x.set(1, -a);
    x.set(2, 1 / a);
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @zeros(%x: ptr<f32, global>, %a: i32, %b: i32) {
      set %x, (mul.f64 (cast_scalar.i32{to: f64} %a), (cast_scalar.i32{to: f64} %b))
      set %x[mul.i64 (cast_scalar.i32{to: i64} %a), (cast_scalar.i32{to: i64} %b)], 1:f32
      set %x[1], (neg.f64 (cast_scalar.i32{to: f64} %a))
      set %x[2], (div.f64 1, (cast_scalar.i32{to: f64} %a))
    }
    "
  `);
});

it("f32 chains are f32 operations, anything else is f64", () => {
  const k = kernel([ptr(f32), f32, i32], function chain(x, a, n) {
    let rounded = 0;
    let exact = 0;
    for (let i = 0; i < n; i++) {
      rounded = S.f32(rounded + S.f32(x.get(i) * a));
      exact += x.get(i) * a;
    }
    x.set(0, rounded);
    x.set(1, exact);
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @chain(%x: ptr<f32, global>, %a: f32, %n: i32) {
      var %rounded: f32 = 0
      var %exact: f64 = 0
      loop: for %i: i32 = 0 to %n step 1 {
        let %t: f32 = get %x[%i]
        %rounded = add.f32 %rounded, (mul.f32 %t, %a)
        let %t.1: f32 = get %x[%i]
        %exact = add.f64 %exact, (mul.f64 (cast_scalar.f32{to: f64} %t.1), (cast_scalar.f32{to: f64} %a))
      }
      set %x, %rounded
      set %x[1], %exact
    }
    "
  `);
});

it("register blocking: an unrolled array of accumulators in a loop", () => {
  const k = kernel([ptr(f32), ptr(f32), i32], function block(x, y, n) {
    const acc = [S.vbcast(0, f32, 8), S.vbcast(0, f32, 8)];
    for (let i = 0; i < n; i += 16)
      for (const k of S.unroll(2)) acc[k] = S.vadd(acc[k]!, S.vload(x.at(i + k * 8)));
    for (const k of S.unroll(2)) S.vstore(acc[k]!, y.at(k * 8));
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @block(%x: ptr<f32, global>, %y: ptr<f32, global>, %n: i32) {
      let %e0: f32x8 = splat<f32x8> 0:f32
      let %e1: f32x8 = splat<f32x8> 0:f32
      var %e0.1: f32x8 = %e0
      var %e1.1: f32x8 = %e1
      loop: for %i: i64 = 0 to cast_scalar.i32{to: i64} %n step 16 {
        let %t: f32x8 = load<f32x8> %x[cast_scalar.i64{to: i32} %i]
        %e0.1 = add.f32x8 %e0.1, %t
        let %t.1: f32x8 = load<f32x8> %x[add.i64 %i, 8]
        %e1.1 = add.f32x8 %e1.1, %t.1
      }
      store<f32x8> %y, %e0.1
      store<f32x8> %y[8], %e1.1
    }
    "
  `);
});

const clamp = (v: number, low = 0): number => {
  if (v < low) return low;
  return v;
};
it("early returns of a helper are breaks out of a block", () => {
  const k = kernel([ptr(f32), i32], function early(x, n) {
    x.set(0, clamp(n, 3));
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @early(%x: ptr<f32, global>, %n: i32) {
      var %clamp: i32 = 0
      ret: block {
        if lt.i32 %n, 3 {
          %clamp = 3
          break ret
        }
        %clamp = %n
      }
      set %x, (cast_scalar.i32{to: f64} %clamp)
    }
    "
  `);
});

it("a histogram: counters bounded by their loop conditions, byte indices", () => {
  const k = kernel([ptr(i32), ptr(u8), i32], function histogram(h, x, n) {
    let high = 0;
    for (let i = 0; i < n; i++) {
      const v = x.get(i);
      h.set(v, h.get(v) + 1);
      if (v > 127) high++;
    }
    h.set(256, high);
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @histogram(%h: ptr<i32, global>, %x: ptr<u8, global>, %n: i32) {
      var %high: i64 = 0
      loop: for %i: i32 = 0 to %n step 1 {
        let %v: i32 = get %x[%i]
        let %t: i32 = get %h[%v]
        set %h[%v], (add.i64 (cast_scalar.i32{to: i64} %t), 1)
        if gt.i32 %v, 127 {
          %high = add.i64 %high, 1
        }
      }
      set %h[256], %high
    }
    "
  `);
});

const options = { relu: true, scale: 2, taps: [1, 2, 1] };
it("static choices and captured arrays disappear", () => {
  const k = kernel([ptr(f32), i32], function template(x, n) {
    for (let i = 1; i < n; i++) {
      let sum = 0;
      for (const [j, t] of options.taps.entries()) sum += t * x.get(i + j - 1);
      x.set(i, options.relu ? Math.max(0, sum) * options.scale : sum);
    }
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @template(%x: ptr<f32, global>, %n: i32) {
      loop: for %i: i32 = 1 to %n step 1 {
        let %t: f32 = get %x[sub.i32 %i, 1]
        let %sum: f64 = add.f64 0, (cast_scalar.f32{to: f64} %t)
        let %t.1: f32 = get %x[sub.i32 (add.i32 %i, 1), 1]
        let %sum.1: f64 = add.f64 %sum, (mul.f64 2, (cast_scalar.f32{to: f64} %t.1))
        let %t.2: f32 = get %x[sub.i64 (add.i64 (cast_scalar.i32{to: i64} %i), 2), 1]
        let %sum.2: f64 = add.f64 %sum.1, (cast_scalar.f32{to: f64} %t.2)
        set %x[%i], (mul.f64 (max.f64 0, %sum.2), 2)
      }
    }
    "
  `);
});

it("short circuits: select where both sides are pure, if where the right side reads memory", () => {
  const k = kernel([ptr(f32), i32, i32], function circuits(x, a, b) {
    x.set(0, a || b);
    x.set(1, a > 0 && b > 0 ? 1 : 2);
    if (a < 8 && x.get(a) > 0) x.set(2, a);
    x.set(3, a > 5 ? x.get(a) : 0);
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @circuits(%x: ptr<f32, global>, %a: i32, %b: i32) {
      set %x, (cast_scalar.i32{to: f64} (select.i32 (truthy.i32 %a), %a, %b))
      set %x[1], (cast_scalar.i32{to: f64} (select.i32 (and.bool (gt.i32 %a, 0), (gt.i32 %b, 0)), 1, 2))
      var %c: bool = lt.i32 %a, 8
      if %c {
        let %t: f32 = get %x[%a]
        %c = gt.f32 %t, 0
      }
      if %c {
        set %x[2], (cast_scalar.i32{to: f64} %a)
      }
      let %t.1: bool = gt.i32 %a, 5
      var %v: f32 = 0
      if %t.1 {
        %v = get %x[%a]
      }
      set %x[3], %v
    }
    "
  `);
});

it("switch with and without fall-through", () => {
  const k = kernel([ptr(f32), i32], function switches(x, n) {
    switch (n) {
      case 1:
      case 2:
        x.set(0, 1);
        break;
      default:
        x.set(0, 2);
    }
    switch (n & 3) {
      // @ts-expect-error: falls through
      // biome-ignore lint/suspicious/noFallthroughSwitchClause: what is tested
      case 0:
        x.set(1, 1);
      case 1:
        x.set(2, 1);
    }
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @switches(%x: ptr<f32, global>, %n: i32) {
      if or.bool (eq.i32 %n, 1), (eq.i32 %n, 2) {
        set %x, 1:f32
      } else {
        set %x, 2:f32
      }
      let %s: i32 = and.i32 %n, 3
      var %on: bool = false
      %on = or.bool %on, (eq.i32 %s, 0)
      if %on {
        set %x[1], 1:f32
      }
      %on = or.bool %on, (eq.i32 %s, 1)
      if %on {
        set %x[2], 1:f32
      }
    }
    "
  `);
});

it("bit operators and u32", () => {
  const k = kernel([ptr(u32), u32, i32], function bits(x, u, a) {
    x.set(0, u >>> 3);
    x.set(1, (a << 2) | (a & 255));
    x.set(2, u + 1);
    x.set(3, ~a ^ a);
    x.set(4, a >>> a);
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @bits(%x: ptr<u32, global>, %u: u32, %a: i32) {
      set %x, (and.i32 (js_shr.i32 (to_int32.i64 %u), 3), 536870911)
      set %x[1], (or.i32 (js_shl.i32 %a, 2), (and.i32 %a, 255))
      set %x[2], (add.i64 %u, 1)
      set %x[3], (xor.i32 (not.i32 %a), %a)
      let %t: i32 = and.i32 %a, 31
      set %x[4], (select.i64 (eq.i32 %t, 0), (to_uint32.i32 %a), (cast_scalar.i32{to: i64} (and.i32 (js_shr.i32 %a, %t), (js_shr.i32 2147483647, (sub.i32 %t, 1)))))
    }
    "
  `);
});

it("scratch, events and barriers", () => {
  const k = kernel([ptr(bf16), ptr(bf16), i32], function transfer(x, y, n) {
    const t = S.alloc(bf16, [2, 64]);
    const [e] = S.allocEvents(1);
    S.asyncDmaCopy(t, x, n, e);
    S.waitEvents(e);
    S.barrier();
    S.vstore(S.vadd(S.vload(t), S.vload(t.at(1, 16))), y);
    S.freeEvents(e);
    S.assert(n > 0, "some");
    S.print`n=${n}`;
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    text @0 = "some"
    text @1 = "n={}"
    kernel @transfer(%x: ptr<bf16, global>, %y: ptr<bf16, global>, %n: i32) {
      let %t: ptr<bf16, local> = alloc{dtype: bf16, scope: local, count: 128}
      let %e0: event = event_alloc
      dma_copy_async %t, %x, %n, %n, %n, 1, %e0
      event_wait %e0
      barrier
      let %t.1: bf16x16 = load<bf16x16> %t
      let %t.2: bf16x16 = load<bf16x16> %t[80]
      store<bf16x16> %y, (add.bf16x16 %t.1, %t.2)
      event_free %e0
      assert{text: 0} (gt.i32 %n, 0)
      print{text: 1} %n
    }
    "
  `);
});

it("loops: ranges, grids, labels, counters that are no integers", () => {
  const k = kernel([ptr(f32), i32], function loops(x, n) {
    for (const i of S.range(0, n, 4)) x.set(i, 0);
    for (const [r, c] of S.grid(n, 3)) {
      if (c > r) continue;
      if (x.get(r) < 0) break;
    }
    for (let t = 0.5; t < n; t++) x.set(0, t);
    for (let i = n; i >= 0; i -= 2) x.set(i, i);
  });
  expect(kir(k)).toMatchInlineSnapshot(`
    "kir 1, level: virtual
    kernel @loops(%x: ptr<f32, global>, %n: i32) {
      loop: for %i: i64 = 0 to cast_scalar.i32{to: i64} %n step 4 {
        set %x[%i], 0:f32
      }
      loop1: for %y: i32 = 0 to %n step 1 {
        loop2: for %x.1: i32 = 0 to 3 step 1 {
          if gt.i32 %x.1, %y {
            continue loop2
          }
          let %t: f32 = get %x[%y]
          if lt.f32 %t, 0 {
            break loop1
          }
        }
      }
      var %t.1: f64 = 0.5
      let %limit: f64 = cast_scalar.i32{to: f64} %n
      loop3: loop while lt.f64 %t.1, %limit {
        set %x, %t.1
      }
      update {
        %t.1 = add.f64 %t.1, 1
      }
      loop4: for %i.1: i32 = %n to -1 step -2 {
        set %x[%i.1], (cast_scalar.i32{to: f64} %i.1)
      }
    }
    "
  `);
});
