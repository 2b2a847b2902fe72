/** The encoder against wabt: what we write, others read. */
import { describe, expect, it } from "vitest";
import wabt from "wabt";
import { compileKernel } from "../../codegen/index.ts";
import { ModuleBuilder } from "../../codegen/wasm/encoder.ts";
import {
  ACCESS,
  NUMERIC,
  SATURATING,
  SIMD,
  SIMD_ACCESS,
  SIMD_LANE,
  SIMD_LANE_ACCESS,
} from "../../codegen/wasm/opcodes.ts";
import { TARGETS } from "../../ir/target.ts";
import { kernelOf } from "./threeway.ts";

const tools = await wabt();

function disassemble(bytes: Uint8Array): string {
  const module = tools.readWasm(bytes, { readDebugNames: false });
  const text = module.toText({});
  module.destroy();
  return text;
}

describe("encoder", () => {
  it("opcodes have wabt's names", () => {
    const m = new ModuleBuilder();
    m.importMemory("kpu", "memory", 1);
    const { code: c } = m.define([], []);
    // Unreachable code may have any operands, so every instruction can stand alone.
    const names: string[] = [];
    const each = <K extends string>(table: Readonly<Record<K, unknown>>, write: (name: K) => void): void => {
      for (const name of Object.keys(table) as K[]) {
        if (name === "return" || name === "unreachable") continue;
        names.push(name);
        c.op("unreachable");
        write(name);
      }
    };
    each(NUMERIC, (n) => c.op(n));
    each(SATURATING, (n) => c.sat(n));
    each(ACCESS, (n) => c.access(n, 8));
    each(SIMD, (n) => c.v(n));
    each(SIMD_ACCESS, (n) => c.vaccess(n, 8));
    each(SIMD_LANE, (n) => c.vlane(n, 1));
    each(SIMD_LANE_ACCESS, (n) => c.vlaneAccess(n, 1, 8));
    c.op("unreachable");
    const text = disassemble(m.encode());
    const found = text.split("\n").map((l) => l.trim().replace(/^\(?/u, "").split(/[ )]/u)[0]);
    const body = found.slice(found.indexOf("unreachable")).filter((n) => n !== "unreachable" && n !== "");
    expect(body).toEqual(names);
  });

  it("numbers", () => {
    const m = new ModuleBuilder();
    const { code: c } = m.define([], []);
    const i32 = [0, 63, 64, -64, -65, 127, 128, 2147483647, -2147483648, 8191, 8192, -8193];
    const i64 = [0n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -1n, 64n, -65n];
    for (const x of i32) c.i32(x).op("drop");
    for (const x of i64) c.i64(x).op("drop");
    c.f32(-0).op("drop").f64(0.1).op("drop").v32(0x01020304).op("drop");
    const text = disassemble(m.encode());
    expect([...text.matchAll(/i32\.const (\S+)/gu)].map((x) => Number(x[1]))).toEqual(i32);
    expect(
      [...text.matchAll(/i64\.const (\S+)/gu)].map((x) => BigInt(x[1]!.replaceAll(/[()]/gu, ""))),
    ).toEqual(i64);
    expect(text).toContain("f32.const -0x0p+0");
    expect(text).toContain("f64.const 0x1.999999999999ap-4");
    expect(text.toLowerCase()).toContain("v128.const i32x4 0x01020304 0x01020304 0x01020304 0x01020304");
  });

  it("a compiled kernel validates", () => {
    const k = kernelOf(`kir 1, level: virtual
kernel @k(%x: ptr<f16, global>, %n: i32) {
  for %i: i32 = 0 to %n step 1 {
    let %v: f16x33 = load<f16x33> %x[%i]
    store<f16x33> %x[%i], (exp.f16x33 (fma.f16x33 %v, %v, %v))
    barrier
  }
}
`);
    for (const checks of [true, false]) {
      const { wasm } = compileKernel(k, { target: TARGETS.edge, checks }).emitted;
      const module = tools.readWasm(wasm, { readDebugNames: false });
      module.validate();
      module.destroy();
    }
  });
});
