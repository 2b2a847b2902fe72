/** 4-bit elements under the checkers of direct execution: each kernel with the bug, and a twin without it. */
import { build, f32, i4, i32, kernel, type Ptr, ptr, S, simulate, u4, u8 } from "kpu-dsl";
import { describe, expect, it } from "vitest";
import { faultOf } from "./direct.ts";

const codeOf = (run: () => unknown): string | undefined => faultOf(run).code;
const ONE = { tiles: 1 };
const out = (): Int32Array => new Int32Array(8);

describe("4-bit memory", () => {
  it("the half of a byte that was not written is not initialised", () => {
    const make = (first: number) =>
      kernel([ptr(i32)], function halves(y) {
        const a = S.alloc(u4, 8);
        a.set(first, 5);
        y.set(0, a.get(3));
      });
    expect(codeOf(() => simulate(make(2), [out()], ONE))).toBe("KPU4002");
    expect(simulate(make(3), [out()], ONE).tiles).toBe(1);
  });

  it("a byte with one written half is not a written byte, until the other one is", () => {
    const make = (both: boolean) =>
      kernel([ptr(i32)], function bytes(y) {
        const a = S.alloc(u4, 8);
        a.set(2, 5);
        if (both) a.set(3, 1);
        y.set(0, a.as(u8).get(1));
      });
    expect(codeOf(() => simulate(make(false), [out()], ONE))).toBe("KPU4002");
    const y = out();
    simulate(make(true), [y], ONE);
    expect(y[0]).toBe(0x15);
  });

  it("a vector store that ends inside a byte writes one half of it", () => {
    const make = (lanes: number) =>
      kernel([ptr(i32)], function tail(y) {
        const a = S.alloc(i4, 8);
        S.vstore(S.vbcast(-1, i4, 5), a);
        y.set(0, S.vrpadd(S.cast(S.vload(a, { lanes }), i32)));
      });
    const fault = faultOf(() => simulate(make(6), [out()], ONE));
    expect(fault.code).toBe("KPU4002");
    expect(fault.diagnostics[0]?.message).toContain("[5] was never written");
    const y = out();
    simulate(make(5), [y], ONE);
    expect(y[0]).toBe(-5);
  });

  it("two tiles that write the halves of one byte race", () => {
    const make = (step: number) =>
      kernel([ptr(u4)], function race(p) {
        p.set(S.tileId() * step, 1);
      });
    const fault = faultOf(() => simulate(make(1), [new Uint8Array(4)], { tiles: 2 }));
    expect(fault.code).toBe("KPU4006");
    const p = new Uint8Array(4);
    simulate(make(2), [p], { tiles: 2 });
    expect([...p]).toEqual([1, 1, 0, 0]);
  });

  it("bounds count elements", () => {
    const k = kernel([ptr(u4), i32], function bounds(p, i) {
      if (S.tileId() === 0) p.set(i, 1);
    });
    const fault = faultOf(() => simulate(k, [new Uint8Array(4), 8], ONE));
    expect(fault.code).toBe("KPU4001");
    expect(fault.diagnostics[0]?.message).toContain("p[8], outside p (global u4[8])");
    const p = new Uint8Array(4);
    simulate(k, [p, 7], ONE);
    expect(p[3]).toBe(0x10);
  });

  it("lanes start at a whole byte, in both executions", () => {
    const k = kernel([ptr(f32), ptr(i4), i32], function lanes(y, p, at) {
      if (S.tileId() === 0) S.vstore(S.cast(S.vload(p.at(at), { lanes: 4 }), f32), y);
    });
    const args = (at: number): [Float32Array, Uint8Array, number] => [
      new Float32Array(4),
      Uint8Array.of(0x21, 0x43, 0x65),
      at,
    ];
    const direct = faultOf(() => simulate(k, args(1), ONE));
    const compiled = faultOf(() => build(k).runWith(ONE, ...args(1)));
    expect([direct.code, compiled.code]).toEqual(["KPU4013", "KPU4013"]);
    expect(compiled.diagnostics[0]?.message).toBe(direct.diagnostics[0]?.message);
    const good = args(2);
    simulate(k, good, ONE);
    expect([...good[0]]).toEqual([3, 4, 5, 6]);
  });

  it("transfers move whole bytes: they take no 4-bit pointers", () => {
    const copy = (y: Ptr<u4>, x: Ptr<u4>): void => S.dmaCopy(y, x, 4);
    const refused = kernel([ptr(u4), ptr(u4)], function refused(y, x) {
      if (S.tileId() === 0) copy(y, x);
    });
    const bytes = kernel([ptr(u4), ptr(u4)], function bytes(y, x) {
      if (S.tileId() === 0) S.dmaCopy(y.as(u8), x.as(u8), 2);
    });
    const args = (): [Uint8Array, Uint8Array] => [new Uint8Array(2), Uint8Array.of(0x21, 0x43)];
    expect(codeOf(() => simulate(refused, args(), ONE))).toBe("KPU4007");
    expect(codeOf(() => build(refused))).toBe("KPU4007");
    const good = args();
    simulate(bytes, good, ONE);
    expect([...good[0]]).toEqual([0x21, 0x43]);
  });
});
