/** The table of intrinsics is complete, and what is derived from it is current. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { INTRINSICS, intrinsicOf, intrinsicsMarkdown, S } from "../../dsl/index.ts";

const WANTED =
  `comptime func target tileId tileCount barrier range grid unroll ceildiv floordiv min max clip abs
  i8 u8 i16 u16 i32 u32 f16 bf16 f32 bool alloc allocConst view vload vstore vloadGather vstoreScatter
  vdot vqdot vdpa vqdpa vmml vmma
  vmull vmulh vmulhi vfmae vfmao vaddh vsubh vmaxh vminh vmaxnan vminnan visnan visinf visfinite vsign
  dmaCopy asyncDmaCopy dmaMemset asyncDmaMemset dmaTranspose2d asyncDmaTranspose2d dmaUpsample asyncDmaUpsample
  dmaGather asyncDmaGather prefetch flushCache perfBegin perfEnd
  allocEvents waitEvents freeEvents constMask tailMask
  vadd vsub vmul vdiv vmod vabs vneg vfma vmax vmin vclip vceq vcneq vcgt vcge vclt vcle vsel vany vall
  vand vor vxor vinv vsl vsr vrol vror vclz vcls vctz vpcnt vbrevs vnsr vnsrsr
  vconcat vsplit vzip vunzip vrevs vshfl vsldl vreplic vtranspose vcompt vcompc vexpand vtbl vxtl vxth asSigned asUnsigned reinterpret quantize dequantize cast vbcast vrpadd vrpmax vrpmin vexp vexp2 vlog vlog2 vsqrt vrsqrt vrecip vsin vcos vtan vtanh vsigmoid verf vgelu vsilu vpow vfloor vceil vtrunc vround vrint
  print assert`.split(/\s+/);

describe("records", () => {
  it("S has exactly the intrinsics of the issue, each with its record", () => {
    expect(Object.keys(S).sort()).toEqual([...WANTED].sort());
    for (const [name, f] of Object.entries(S)) if (name !== "target") expect(intrinsicOf(f)?.name).toBe(name);
  });
  it("names are unique and every record is documented", () => {
    expect(new Set(INTRINSICS.map((r) => r.name)).size).toBe(INTRINSICS.length);
    for (const r of INTRINSICS) {
      expect(r.doc.length, r.name).toBeGreaterThan(10);
      expect(r.doc, r.name).toMatch(/[.]$/);
      expect(r.example, r.name).toMatch(/;$|^if|^for/);
    }
  });
  it("what depends on the tile or the memory is never a value", () => {
    for (const name of [
      "tileId",
      "tileCount",
      "vload",
      "alloc",
      "print",
      "barrier",
      "waitEvents",
      "Ptr.get",
    ]) {
      expect(INTRINSICS.find((r) => r.name === name)?.value, name).toBe(false);
    }
  });
  it("docs/intrinsics.md is current (kpu intrinsics --md writes it)", () => {
    expect(readFileSync(new URL("../../docs/intrinsics.md", import.meta.url), "utf8")).toBe(
      intrinsicsMarkdown(),
    );
  });
});
