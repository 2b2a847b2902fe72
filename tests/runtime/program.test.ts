import { describe, expect, it } from "vitest";
import { compileKernel } from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { TARGETS } from "../../ir/target.ts";
import { createDevice, KpuProgram } from "../../runtime/index.ts";
import { kernelOf } from "../codegen/threeway.ts";

const HEAD = "kir 1, level: virtual\n";
const program = (text: string, checks = true): KpuProgram =>
  new KpuProgram(compileKernel(kernelOf(HEAD + text), { target: TARGETS.edge, checks }));

const SHIFT = `kernel @shift(%z: ptr<i32, global>, %x: ptr<const i32, global>, %n: i32) {
  for %i: i32 = 0 to %n step 1 {
    let %v: i32 = get %x[%i]
    set %z[%i], (add.i32 %v, 1)
  }
}
`;

function refusal(f: () => void): string {
  try {
    f();
  } catch (error) {
    if (error instanceof KpuError) return error.code;
    throw error;
  }
  return "none";
}

describe("arguments", () => {
  it("arrays that share bytes share them in the program", () => {
    const all = new Int32Array(9);
    // z is one element ahead of x: each step reads what the last one wrote.
    program(SHIFT).runWith({ tiles: 1 }, all.subarray(1), all.subarray(0, 8), 8);
    expect(Array.from(all)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const same = new Int32Array([5, 6]);
    program(SHIFT).runWith({ tiles: 1 }, same, same, 2);
    expect(Array.from(same)).toEqual([6, 7]);
  });
  it("only what may be written is copied back, and only the array's own bytes", () => {
    const all = new Int32Array([7, 7, 7, 7, 7, 7]);
    program(SHIFT).runWith({ tiles: 1 }, all.subarray(2, 4), new Int32Array([1, 2]), 2);
    expect(Array.from(all)).toEqual([7, 7, 2, 3, 7, 7]);
    const frozen = Object.freeze([1]);
    expect(frozen).toEqual([1]);
  });
  it("views at odd offsets, empty arrays, large arrays", () => {
    const bytes = new Uint8Array(1 + 64);
    program(`kernel @k(%x: ptr<u8, global>, %n: i32) {
  for %i: i32 = 0 to %n step 1 {
    set %x[%i], %i
  }
}
`).runWith({ tiles: 1 }, bytes.subarray(1), 64);
    expect(Array.from(bytes.subarray(1))).toEqual(Array.from({ length: 64 }, (_, i) => i));
    program(SHIFT).run(new Int32Array(0), new Int32Array(0), 0);
    const n = 3_000_000;
    const z = new Int32Array(n);
    const p = program(SHIFT, false);
    p.runWith({ tiles: 1 }, z, new Int32Array(n).fill(4), n);
    expect(z[n - 1]).toBe(5);
    p.runWith({ tiles: 1 }, z, new Int32Array(8).fill(8), 8);
    expect(z[7]).toBe(9);
    expect(z[8]).toBe(5);
  });
  it("scalars of every dtype arrive exact", () => {
    const p =
      program(`kernel @k(%out: ptr<f32, global>, %a: i8, %b: u8, %c: i16, %d: u16, %e: i32, %f: u32, %g: f16, %h: bf16, %i: f32, %j: bool) {
  set %out[0], %a
  set %out[1], %b
  set %out[2], %c
  set %out[3], %d
  set %out[4], %e
  set %out[5], %f
  set %out[6], %g
  set %out[7], %h
  set %out[8], %i
  set %out[9], (cast_scalar.bool{to: i32} %j)
}
`);
    const out = new Float32Array(10);
    p.run(out, -128, 255, -32768, 65535, -(2 ** 31), 4294967295, 0.1, 0.1, 0.1, true);
    expect(Array.from(out)).toEqual([
      -128,
      255,
      -32768,
      65535,
      -(2 ** 31),
      4294967296,
      0.0999755859375,
      0.10009765625,
      Math.fround(0.1),
      1,
    ]);
  });
  it("wrong arguments and options are refused", () => {
    const p = program(SHIFT);
    expect(refusal(() => p.run(new Int32Array(1)))).toBe("KPU6004");
    expect(refusal(() => p.run(new Float32Array(1), new Int32Array(1), 1))).toBe("KPU6001");
    expect(refusal(() => p.run(new Int32Array(1), new Int32Array(1), 2 ** 31))).toBe("KPU6003");
    expect(refusal(() => p.runWith({ tiles: 0 }, new Int32Array(1), new Int32Array(1), 1))).toBe("KPU6006");
    expect(refusal(() => p.runWith({ tile: 1 } as object, new Int32Array(1), new Int32Array(1), 1))).toBe(
      "KPU6006",
    );
  });
});

describe("devices", () => {
  it("arrays of a device are used in place, beside host arrays", () => {
    const device = createDevice({ bytes: 1 << 20 });
    const z = device.alloc("i32", [2, 4]);
    const x = device.alloc("i32", 8);
    x.set([1, 2, 3, 4, 5, 6, 7, 8]);
    const p = program(SHIFT);
    p.runWith({ tiles: 1 }, z, x, 8);
    expect(Array.from(z)).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    p.runWith({ tiles: 1 }, z, new Int32Array(8).fill(1), 8);
    expect(Array.from(z)).toEqual(new Array(8).fill(2));
    p.runWith({ tiles: 1 }, x.subarray(1), x, 7);
    expect(Array.from(x)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
  it("two programs on one device do not disturb each other", () => {
    const device = createDevice({ bytes: 1 << 16 });
    const text = (name: string, value: number): string => `table @0: i32 = [${value}]
kernel @${name}(%z: ptr<i32, global>) {
  let %t: ptr<const i32, local> = alloc_const{dtype: i32, table: 0}
  let %v: i32 = get %t
  set %z, %v
}
`;
    const [a, b] = [program(text("a", 1)), program(text("b", 2))];
    const z = device.alloc("i32", [1]);
    for (const [p, value] of [
      [a, 1],
      [b, 2],
      [a, 1],
    ] as const) {
      p.run(z);
      expect(z[0]).toBe(value);
    }
  });
  it("a full device says so", () => {
    const device = createDevice({ bytes: 1024 });
    expect(refusal(() => device.alloc("f32", [2 ** 28]))).toBe("KPU7006");
    expect(
      refusal(() =>
        program(SHIFT).runWith({ device, tiles: 1 }, new Int32Array(2 ** 22), new Int32Array(2 ** 22), 1),
      ),
    ).toBe("KPU7006");
  });
  it("checks know the bounds of a device array", () => {
    const device = createDevice({ bytes: 1024 });
    const x = device.alloc("i32", 4);
    device.alloc("i32", 4);
    expect(refusal(() => program(SHIFT).runWith({ tiles: 1 }, x, x, 5))).toBe("KPU4001");
  });
});

describe("a run that fails", () => {
  it("leaves host arrays as they were, and the program usable", () => {
    const p = program(SHIFT);
    const z = new Int32Array(4);
    expect(refusal(() => p.runWith({ tiles: 1 }, z, new Int32Array(4).fill(1), 5))).toBe("KPU4001");
    expect(Array.from(z)).toEqual([0, 0, 0, 0]);
    p.runWith({ tiles: 1 }, z, new Int32Array(4).fill(1), 4);
    expect(Array.from(z)).toEqual([2, 2, 2, 2]);
  });
});
