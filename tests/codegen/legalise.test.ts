import { describe, expect, it } from "vitest";
import { legalise } from "../../codegen/index.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import { TARGETS } from "../../ir/target.ts";
import { kernelOf } from "./threeway.ts";

describe("legalise", () => {
  it("splits vectors and masks, places buffers", () => {
    const k = kernelOf(`kir 1, level: virtual
kernel @k(%x: ptr<f32, global>, %n: i32) {
  let %b: ptr<f32, local> = alloc{dtype: f32, scope: local, count: 20}
  let %c: ptr<i8, local> = alloc{dtype: i8, scope: local, count: 3}
  let %m: mask<20> = tail_mask<20> %n
  let %v: f32x20 = load<f32x20> %x mask %m else (splat<f32x20> 0)
  store<f32x20> %b, (add.f32x20 %v, %v)
  store<i8x20> (ptr_cast{dtype: i8} %x), (cast.f32x20{dtype: i8} %v)
  set %x, (radd.f32x20 %v)
}
`);
    const machine = legalise(k, TARGETS.edge);
    const text = printKernel(machine);
    expect(printKernel(parseKernel(text))).toBe(text);
    expect(text).toMatchInlineSnapshot(`
      "kir 1, level: machine, register: 256
      kernel @k(%x: ptr<f32, global>, %n: i32) {
        let %b: ptr<f32, local> = alloc{dtype: f32, scope: local, count: 20, offset: 0}
        let %c: ptr<i8, local> = alloc{dtype: i8, scope: local, count: 3, offset: 128}
        let %t: i32 = max.i32 %n, 0
        let %m_0: mask<8> = tail_mask<8> %t
        let %m_1: mask<8> = tail_mask<8> (sub.i32 %t, 8)
        let %m_2: mask<4> = tail_mask<4> (sub.i32 %t, 16)
        let %v_0: f32x8 = load<f32x8> %x mask %m_0 else (splat<f32x8> 0)
        let %v_1: f32x8 = load<f32x8> %x[8] mask %m_1 else (splat<f32x8> 0)
        let %v_2: f32x4 = load<f32x4> %x[16] mask %m_2 else (splat<f32x4> 0)
        store<f32x8> %b, (add.f32x8 %v_0, %v_0)
        store<f32x8> %b[8], (add.f32x8 %v_1, %v_1)
        store<f32x4> %b[16], (add.f32x4 %v_2, %v_2)
        let %t.1: i8x8 = cast.f32x8{dtype: i8} %v_0
        let %t.2: i8x8 = cast.f32x8{dtype: i8} %v_1
        let %t.3: i8x4 = cast.f32x4{dtype: i8} %v_2
        store<i8x20> (ptr_cast{dtype: i8} %x), (shuffle{lanes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]} %t.1, %t.2, %t.3)
        let %t.4: f32x8 = add.f32x8 %v_0, (shuffle{lanes: [2, 3, 4, 5, 6, 7, 8, 9]} %v_1, %v_2)
        let %t.5: f32x2 = add.f32x2 (shuffle{lanes: [0, 1]} %v_1), (shuffle{lanes: [2, 3]} %v_2)
        let %t.6: f32x5 = add.f32x5 (shuffle{lanes: [0, 1, 2, 3, 4]} %t.4), (shuffle{lanes: [5, 6, 7, 8, 9]} %t.4, %t.5)
        set %x, (radd.f32x5 %t.6)
      }
      "
    `);
  });
});
