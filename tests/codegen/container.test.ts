/** The program file: round trip, and refusal of everything else. */
import { describe, expect, it } from "vitest";
import { compileKernel, readProgram } from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { TARGETS } from "../../ir/target.ts";
import { KpuProgram, loadProgram } from "../../runtime/index.ts";
import { kernelOf } from "./threeway.ts";

const TEXT = `kir 1, level: virtual
table @0: f32 = [1, -0, NaN, Infinity]
text @0 = "x = {}"
location @1 = "/a/k.ts" 7:9
kernel @scale(%x: noalias ptr<f32, global>, %n: i32, %a: f32) {
  let %t: ptr<const f32, local> = alloc_const{dtype: f32, table: 0}
  #1 let %v: f32x20 = load<f32x20> %x
  let %one: f32 = get %t
  #1 store<f32x20> %x, (mul.f32x20 %v, (splat<f32x20> (mul.f32 %a, %one))) mask (tail_mask<20> %n)
}
`;
const build = (checks: boolean): KpuProgram =>
  new KpuProgram(compileKernel(kernelOf(TEXT), { target: TARGETS.minimal, checks }));

function refusal(bytes: Uint8Array): string {
  try {
    readProgram(bytes);
  } catch (error) {
    if (error instanceof KpuError) return error.code;
    throw error;
  }
  return "accepted";
}

describe(".kpubin", () => {
  it.each([true, false])("round trip, checks %s", (checks) => {
    const program = build(checks);
    const loaded = loadProgram(program.bytes);
    expect(loaded.asm).toBe(program.asm);
    expect(loaded.kir).toBe(program.kir);
    expect(loaded.name).toBe("scale");
    expect(loaded.params).toEqual(program.params);
    expect(Buffer.from(loaded.bytes).equals(Buffer.from(program.bytes))).toBe(true);
    const x = Float32Array.from({ length: 20 }, (_, i) => i);
    loaded.run(x, 19, 3);
    expect(Array.from(x)).toEqual(Array.from({ length: 20 }, (_, i) => (i < 19 ? 3 * i : i)));
    if (checks) {
      expect(() => loaded.run(new Float32Array(4), 5, 1)).toThrow("k.ts:7");
    }
  });
  it("every single-byte damage is refused", () => {
    const good = build(true).bytes;
    expect(refusal(good)).toBe("accepted");
    for (let at = 0; at < good.length; at++) {
      const bad = new Uint8Array(good);
      bad[at] = bad[at]! ^ (1 << (at % 8));
      expect(["KPU7003", "KPU7004"]).toContain(refusal(bad));
    }
  });
  it("every truncation and extension is refused", () => {
    const good = build(true).bytes;
    for (let n = 0; n < good.length; n++) expect(refusal(good.subarray(0, n))).toBe("KPU7003");
    expect(refusal(new Uint8Array([...good, 0]))).toBe("KPU7003");
    expect(refusal(new Uint8Array(0))).toBe("KPU7003");
  });
  it("a newer version is refused as such", () => {
    const newer = new Uint8Array(build(false).bytes);
    new DataView(newer.buffer).setUint32(8, 2, true);
    expect(refusal(newer)).toBe("KPU7004");
  });
  it("sections are 64-byte aligned", () => {
    const { bytes } = build(false);
    const view = new DataView(bytes.buffer);
    expect(bytes.length % 64).toBe(0);
    for (let i = 0; i < view.getUint32(12, true); i++)
      expect(view.getUint32(64 + 16 * i + 4, true) % 64).toBe(0);
  });
});
