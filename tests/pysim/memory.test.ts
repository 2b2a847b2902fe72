/** Memory of direct execution: dtypes, alignment, masks, aliasing, shared allocations, what a failed run leaves. */
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { f32, i16, i32, u8, u32 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, ptr } from "../../dsl/kernel.ts";
import { S } from "../../dsl/s.ts";
import { direct, faultOf } from "./direct.ts";
import { unchecked } from "./unchecked.ts";

const loose = (k: unknown): Kernel => k as Kernel;
const floats = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);
const ONE = { tiles: 1 } as const;

describe("accesses", () => {
  it("reads and writes through pointers of another dtype and alignment", () => {
    const k = loose(
      kernel([ptr(u8), ptr(u32)], function odd(bytes, words) {
        words.set(0, bytes.at(1).as(u32).get(0));
        bytes.at(5).as(i16).set(0, 300);
        S.vstore(S.vload(bytes.at(3).as(f32), { lanes: 2 }), bytes.at(11).as(f32));
      }),
    );
    const bytes = Uint8Array.from({ length: 20 }, (_, i) => i);
    const words = new Uint32Array(1);
    direct(k, [bytes, words], ONE);
    expect(words[0]).toBe(0x04030201);
    expect([...bytes.subarray(5, 7)]).toEqual([44, 1]);
    expect([...bytes.subarray(11, 19)]).toEqual([...bytes.subarray(3, 11)]);
  });

  it("reads and writes active lanes where the first, inactive one lies before the buffer", () => {
    const x = Float32Array.of(1, 2, 3, 4);
    const y = new Float32Array(4);
    const k = loose(
      kernel([ptr(f32), ptr(f32)], function before(y, x) {
        S.vstore(S.vload(x.at(-1), { mask: "F3T" }), y.at(-1), { mask: "F3T" });
      }),
    );
    direct(k, [y, x], ONE);
    expect([...y]).toEqual([1, 2, 3, 0]);
  });
  it("does not touch masked-off lanes, wherever they are", () => {
    const k = loose(
      kernel([ptr(f32), ptr(f32)], function masked(y, x) {
        const holes = S.constMask("TFTFTFTF");
        S.vstore(S.vload(x.at(1), { mask: holes, r: 9 }), y);
        S.vstore(S.vload(x, { mask: S.constMask("4T4F"), stride: 2 }), y.at(8), {
          mask: S.constMask("FFFT4F"),
          stride: 3,
        });
      }),
    );
    const y = new Float32Array(18);
    direct(k, [y, floats(8)], ONE);
    expect([...y]).toEqual([2, 9, 4, 9, 6, 9, 8, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  });

  it("checks every active lane of a strided access", () => {
    const k = loose(
      kernel([ptr(f32)], function strided(x) {
        S.vload(x, { stride: 3, lanes: 4 });
      }),
    );
    expect(faultOf(() => direct(k, [floats(9)], ONE)).diagnostics[0]?.data).toMatchObject({
      first: 9,
      last: 9,
    });
    expect(() => direct(k, [floats(10)], ONE)).not.toThrow();
  });

  it("stores one kind of NaN", () => {
    const k = loose(
      kernel([ptr(f32), ptr(f32)], function nan(y, x) {
        S.vstore(S.vload(x), y);
        y.set(8, x.get(0) * 0);
      }),
    );
    const x = new Float32Array(new Uint32Array(8).fill(0xffc12345).buffer);
    const y = new Float32Array(9);
    direct(k, [y, x], ONE);
    expect([...new Uint32Array(y.buffer)]).toEqual(new Array(9).fill(0x7fc00000));
  });
});

describe("buffers", () => {
  it("sees overlapping arguments as one memory, each with its own bounds", () => {
    const race = loose(
      kernel([ptr(f32), ptr(f32)], function race(a, b) {
        if (S.tileId() === 0) a.set(4, 1);
        else b.get(0);
      }),
    );
    const all = floats(8);
    const fault = faultOf(() => direct(race, [all.subarray(0, 6), all.subarray(4)]));
    expect(fault.code).toBe("KPU4006");
    expect(fault.diagnostics[0]?.data).toMatchObject({ buffer: "b", first: 0, otherFirst: 4, otherTile: 0 });
    const beyond = loose(
      kernel([ptr(f32), ptr(f32)], function beyond(a, b) {
        a.get(6);
        b.get(0);
      }),
    );
    expect(faultOf(() => direct(beyond, [all.subarray(0, 6), all.subarray(4)])).code).toBe("KPU4001");
  });

  it("gives all tiles one buffer per shared allocation, and each tile its own near one", () => {
    const k = loose(
      kernel([ptr(i32)], function share(y) {
        const id = S.tileId();
        const a = S.alloc(i32, 4, "l3");
        const b = S.alloc(i32, 4, "l3");
        const mine = S.alloc(i32, 1);
        a.set(id, id + 1);
        b.set(id, 10 * id);
        mine.set(0, id);
        S.barrier();
        y.set(id, a.get(3 - id) + b.get(id) + 100 * mine.get(0));
      }),
    );
    const y = new Int32Array(4);
    direct(k, [y], { tiles: 4, target: "embodied" });
    expect([...y]).toEqual([4, 113, 222, 331]);
  });

  it("refuses a shared allocation that differs between tiles", () => {
    const k = loose(
      kernel([], function uneven() {
        S.alloc(i32, S.tileId() + 1, "l3");
      }),
    );
    expect(faultOf(() => direct(k, [])).code).toBe("KPU2007");
    expect(faultOf(() => unchecked(k, [])).code).toBe("KPU4004");
  });

  it("shows itself", () => {
    let shown = "";
    const k = loose(
      kernel([ptr(f32)], function show(x) {
        shown = inspect(x.memory);
      }),
    );
    unchecked(k, [floats(10)]);
    expect(shown).toBe("x (global f32[10]) [1, 2, 3, 4, 5, 6, 7, 8, ...]");
  });
});

describe("refusals", () => {
  it("writes through a const pointer", () => {
    const k = loose(
      kernel([ptr(f32, { const: true })], function constant(x) {
        x.set(0, 1);
      }),
    );
    expect(faultOf(() => direct(k, [floats(1)])).code).toBe("KPU3012");
  });

  it("transfers with impossible numbers", () => {
    const k = loose(
      kernel([ptr(f32), i32, i32], function numbers(x, width, stride) {
        S.dmaCopy(S.alloc(f32, 8), x, width, { srcStride: stride, dstStride: 1, times: 2 });
      }),
    );
    expect(faultOf(() => direct(k, [floats(8), -1, 1])).code).toMatch(/KPU4007|KPU3005/);
    expect(faultOf(() => direct(k, [floats(8), 1, -1])).code).toMatch(/KPU4007|KPU3005/);
    expect(() => direct(k, [floats(8), 1, 0])).not.toThrow();
  });

  it("zero divisors, with the tile", () => {
    const k = loose(
      kernel([ptr(f32), i32], function divides(x, n) {
        x.set(S.tileId(), S.ceildiv(8, n - S.tileId()));
      }),
    );
    const fault = faultOf(() => direct(k, [floats(8), 1]));
    expect(fault.diagnostics[0]).toMatchObject({ code: "KPU3013", data: { tile: 1, kernel: "divides" } });
  });

  it("any access of an empty array, but no transfer of nothing", () => {
    const k = loose(
      kernel([ptr(f32), i32], function empty(x, n) {
        S.dmaCopy(x, x, n);
        S.dmaMemset(x.at(5), 1, n);
        if (n > 0) x.get(0);
      }),
    );
    expect(() => direct(k, [new Float32Array(0), 0])).not.toThrow();
    expect(faultOf(() => direct(k, [new Float32Array(0), 1])).code).toBe("KPU4001");
  });
});

describe("a failed run", () => {
  it("leaves what it had written, also when a replay looked for the earlier access", () => {
    const k = loose(
      kernel([ptr(f32)], function fails(x) {
        x.set(S.tileId() + 1, x.get(S.tileId() + 1) * 2);
        x.get(1);
      }),
    );
    const x = floats(4);
    expect(faultOf(() => direct(k, [x])).code).toBe("KPU4006");
    expect([...x]).toEqual([1, 4, 6, 4]);
  });

  it("keeps an exception of the author as cause", () => {
    const boom = new RangeError("boom");
    const helper = (): never => {
      throw boom;
    };
    const k = loose(
      kernel([], function throws() {
        if (S.tileId() === 1) helper();
      }),
    );
    const fault = faultOf(() => unchecked(k, []));
    expect(fault.code).toBe("KPU5009");
    expect(fault.cause).toBe(boom);
    expect(fault.message).toMatch(/tile 1 of throws threw RangeError: boom/);
  });

  it("reports the intrinsics' own refusals with tile and line", () => {
    const k = loose(
      kernel([ptr(f32)], function refuses(x) {
        if (S.tileId() === 1) S.vadd(S.vload(x, { lanes: 4 }), S.vload(x, { lanes: 8 }));
      }),
    );
    const fault = faultOf(() => unchecked(k, [floats(8)]));
    expect(fault.code).toBe("KPU3002");
    expect(fault.diagnostics[0]).toMatchObject({ data: { tile: 1, seed: 1 } });
    expect(fault.diagnostics[0]?.location?.file).toMatch(/memory\.test\.ts$/);
  });
});
