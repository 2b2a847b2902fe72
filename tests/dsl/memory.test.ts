/** Memory, transfers, events, pointers, loops and output: simulated over a small memory, lowered against the op table. */
import { describe, expect, it } from "vitest";
import {
  bool,
  Event,
  f16,
  f32,
  i8,
  i32,
  intrinsicNamed,
  KpuError,
  Mask,
  Ptr,
  S,
  u8,
  u16,
  Vec,
} from "../../dsl/index.ts";
import type { Expr } from "../../ir/kir.ts";
import { mask, ptrType, scalar, vec } from "../../ir/kir.ts";
import { buffer, FakeLowering, inKernel, param } from "./fake.ts";

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
function code(f: () => unknown): string {
  try {
    f();
  } catch (e) {
    if (e instanceof KpuError) return e.code;
    throw e;
  }
  return "none";
}
/** Lowers one call and gives what it emitted: effects first, then the value. */
function lower(
  name: string,
  args: unknown[],
  b = new FakeLowering(),
): { b: FakeLowering; value: unknown; ops: string[] } {
  const record = intrinsicNamed(name);
  if (record === undefined) throw new TypeError(name);
  const value = (record.lower as unknown as (b: FakeLowering, ...a: unknown[]) => unknown)(b, ...args);
  return { b, value, ops: b.effects.map((e) => e.op) };
}
const bad = S as unknown as Record<string, (...a: unknown[]) => unknown>;

describe("vload and vstore", () => {
  it("default lanes are one register", () => {
    inKernel(() => {
      expect(S.vload(buffer(f32, range(16))).lanes).toBe(8);
      expect(S.vload(buffer(f16, range(16))).lanes).toBe(16);
      expect(S.vload(buffer(i8, range(40))).lanes).toBe(32);
      expect(S.vload(buffer(bool, new Array(40).fill(1)))).toEqual(new Mask(new Array(32).fill(1)));
    });
  });
  it("masks, r, lanes, stride", () => {
    inKernel(() => {
      const x = buffer(f32, range(16));
      expect(S.vload(x, { lanes: 3 }).data).toEqual([0, 1, 2]);
      expect(S.vload(x.at(14), { mask: S.tailMask(2, 4) }).data).toEqual([14, 15, 0, 0]);
      expect(S.vload(x.at(14), { mask: "2T2F", r: 7 }).data).toEqual([14, 15, 7, 7]);
      expect(S.vload(x, { lanes: 4, stride: 5 }).data).toEqual([0, 5, 10, 15]);
      expect(S.vload(x, { mask: "3T1F", stride: 5, r: 9 }).data).toEqual([0, 5, 10, 9]);
      expect(S.vload(x, { mask: "4T" }).data).toEqual([0, 1, 2, 3]);
      expect(code(() => S.vload(x.at(14)))).toBe("KPU4001");
      expect(code(() => S.vload(x, { mask: "4T", lanes: 8 }))).toBe("KPU3002");
      expect(code(() => S.vload(x, { r: 0 }))).toBe("KPU3004");
      expect(code(() => S.vload(x, { stride: 0 }))).toBe("KPU4007");
      expect(code(() => S.vload(x, { stride: 1.5 }))).toBe("KPU3005");
      expect(code(() => S.vload(x, { lanes: 0 }))).toBe("KPU3010");
      expect(code(() => bad["vload"]?.(3))).toBe("KPU3001");
    });
  });
  it("stores", () => {
    inKernel(() => {
      const y = buffer(f32, new Array(8).fill(0));
      S.vstore(new Vec(f32, [1, 2, 3]), y);
      S.vstore(new Vec(f32, [4, 5, 6]), y.at(3), { mask: "TFT" });
      S.vstore(new Vec(f32, [8, 9]), y.at(6), { stride: 1, mask: [true, false] });
      expect(y.cells).toEqual([1, 2, 3, 4, 0, 6, 8, 0]);
      S.vstore(new Vec(f32, [-1, -2]), y, { stride: 7 });
      expect(y.cells[7]).toBe(-2);
      const m = buffer(bool, [0, 0, 0]);
      S.vstore(S.constMask("TFT"), m);
      expect(m.cells).toEqual([1, 0, 1]);
      expect(m.get(2)).toBe(true);
      expect(code(() => bad["vstore"]?.(new Vec(i32, [1]), y))).toBe("KPU3001");
      expect(code(() => bad["vstore"]?.(y, new Vec(f32, [1])))).toBe("KPU3001");
      expect(code(() => S.vstore(new Vec(f32, [1]), buffer(f32, [0], true)))).toBe("KPU3012");
      expect(code(() => S.vstore(new Vec(f32, [1]), y, { mask: "2T" }))).toBe("KPU3002");
    });
  });
  it("gather and scatter", () => {
    inKernel(() => {
      const x = buffer(i8, range(8));
      expect(S.vloadGather(x.at(4), new Vec(i32, [3, -4, 0])).data).toEqual([7, 0, 4]);
      expect(S.vloadGather(x, new Vec(u16, [3, 99]), { mask: "TF", r: 5 }).data).toEqual([3, 5]);
      expect(code(() => S.vloadGather(x, new Vec(i32, [8])))).toBe("KPU4001");
      expect(code(() => bad["vloadGather"]?.(x, new Vec(u8, [1])))).toBe("KPU3001");
      S.vstoreScatter(new Vec(i8, [1, 2, 3]), x, new Vec(i32, [5, 5, 6]));
      expect(x.cells).toEqual([0, 1, 2, 3, 4, 2, 3, 7]);
      expect(code(() => S.vstoreScatter(new Vec(i8, [1]), x, new Vec(i32, [1, 2])))).toBe("KPU3002");
    });
  });
  it("lowers to the fitting op", () => {
    const p = param(ptrType("f32", "global"));
    const m = param(mask(4));
    const v = param(vec("f32", 4));
    expect(lower("vload", [p]).b.effects[0]).toMatchObject({ op: "load", attrs: { lanes: 8 } });
    expect(lower("vload", [p, { mask: m }]).ops).toEqual(["load_masked"]);
    expect(lower("vload", [p, { mask: "4T" }]).b.effects[0]).toMatchObject({
      op: "load",
      attrs: { lanes: 4 },
    });
    expect(lower("vload", [p, { lanes: 4, stride: param(scalar("num")) }]).ops).toEqual(["load_strided"]);
    expect(lower("vload", [param(ptrType("bool", "l3"))]).value).toMatchObject({ type: mask(32) });
    expect(lower("vload", [param(ptrType("bool", "l3")), { mask: m, r: true }]).value).toMatchObject({
      type: mask(4),
    });
    expect(lower("vstore", [v, p]).ops).toEqual(["store"]);
    expect(lower("vstore", [v, p, { mask: m }]).ops).toEqual(["store_masked"]);
    expect(lower("vstore", [v, p, { mask: m, stride: 2 }]).ops).toEqual(["store_strided"]);
    expect(lower("vloadGather", [p, param(vec("i32", 4))]).ops).toEqual(["gather"]);
    expect(lower("vloadGather", [p, param(vec("i32", 4)), { mask: m, r: 1 }]).ops).toEqual(["gather"]);
    expect(lower("vstoreScatter", [v, p, param(vec("u16", 4)), { mask: m }]).ops).toEqual(["scatter"]);
    expect(code(() => lower("vstore", [v, param(ptrType("f32", "global", true))]))).toBe("KPU3012");
    expect(code(() => lower("vload", [p, { lanes: param(scalar("num")) }]))).toBe("KPU2007");
    expect(code(() => lower("vload", [p, { mask: [true, param(scalar("bool"))] }]))).toBe("KPU2007");
  });
});

describe("allocation", () => {
  it("buffers have shapes", () => {
    inKernel(() => {
      const t = S.alloc(f32, [2, 3]);
      t.at(1, 2).set(0, 5);
      expect(t.get(5)).toBe(5);
      expect(S.alloc(i8, 4, "l3").scope).toBe("l3");
      expect(code(() => t.get(0))).toBe("KPU4002");
      for (const shape of [0, -1, 1.5, []]) expect(code(() => S.alloc(f32, shape))).toBe("KPU3010");
      expect(code(() => bad["alloc"]?.(f32, 4, "l4"))).toBe("KPU3001");
      expect(code(() => bad["alloc"]?.("f32", 4))).toBe("KPU3001");
      const v = S.view(buffer(i8, range(6)), [2, 3]);
      expect(v.at(1, 1).get()).toBe(4);
      expect(code(() => v.at(0, 0, 0))).toBe("KPU3009");
    });
  });
  it("constant tables", () => {
    inKernel(() => {
      expect(S.allocConst(f16, [0.1]).get(0)).toBe(0.0999755859375);
      expect(S.allocConst(i8, new Int8Array([-1, 2])).get(0)).toBe(-1);
      expect(S.allocConst(bool, [true, false]).get(0)).toBe(true);
      expect(code(() => S.allocConst(i8, [200]))).toBe("KPU3003");
      expect(code(() => S.allocConst(i8, []))).toBe("KPU3010");
      expect(code(() => bad["allocConst"]?.(i8, ["a"]))).toBe("KPU3001");
    });
  });
  it("lowers", () => {
    const a = lower("alloc", [f32, [2, 8], "l2"]);
    expect(a.b.effects[0]).toMatchObject({ op: "alloc", attrs: { dtype: "f32", scope: "l2", count: 16 } });
    expect(a.value).toMatchObject({ kind: "view", shape: [2, 8] });
    const c = lower("allocConst", [i8, [1, 2]]);
    expect(c.b.tables).toEqual([{ dtype: "i8", values: [1, 2] }]);
    const b = new FakeLowering();
    b.underRuntimeLoop = true;
    expect(code(() => lower("alloc", [f32, 8], b))).toBe("KPU4004");
    expect(code(() => lower("allocConst", [f32, [8]], b))).toBe("KPU4004");
    expect(code(() => lower("allocEvents", [1], b))).toBe("KPU4004");
    expect(code(() => lower("alloc", [f32, param(scalar("num"))]))).toBe("KPU2007");
    expect(code(() => lower("allocConst", [f32, [param(scalar("num"))]]))).toBe("KPU2007");
    const n = param(scalar("num"));
    expect(lower("view", [param(ptrType("f32", "global")), [2, n]]).value).toMatchObject({
      kind: "view",
      shape: [2, n],
    });
  });
});

describe("transfers and events", () => {
  it("copies rows", () => {
    inKernel((sim) => {
      const x = buffer(f32, range(12));
      const y = buffer(f32, new Array(6).fill(0));
      S.dmaCopy(y, x, 2, { srcStride: 4, dstStride: 3, times: 2 });
      expect(y.cells).toEqual([0, 1, 0, 4, 5, 0]);
      S.dmaCopy(y, x, 6);
      expect(sim.log.at(-1)).toEqual(["dmaCopy", 6, 6, 6, 1, undefined]);
      const [e] = S.allocEvents(1);
      S.asyncDmaCopy(y, x, 2, e, { times: 1 });
      expect(sim.log.at(-1)).toEqual(["dmaCopy", 2, 2, 2, 1, 0]);
      expect(S.waitEvents(e)).toEqual(["wait", 0]);
      S.freeEvents([e]);
      expect(sim.log.at(-1)).toEqual(["free", 0]);
      S.dmaMemset(y, 3, 2);
      S.asyncDmaMemset(y, 4, 1, e);
      expect(y.cells.slice(0, 2)).toEqual([4, 3]);
      S.dmaMemset(buffer(bool, [0]), true, 1);
      expect(code(() => bad["dmaCopy"]?.(y, buffer(i8, [1]), 1))).toBe("KPU4007");
      expect(code(() => S.dmaCopy(y, x, -1))).toBe("KPU4007");
      expect(code(() => S.dmaCopy(y, x, 1.5))).toBe("KPU3005");
      expect(code(() => S.dmaCopy(y, x, 1, { times: -1 }))).toBe("KPU4007");
      expect(code(() => bad["dmaCopy"]?.(y, x, 1, { stride: 1 }))).toBe("KPU3004");
      expect(code(() => S.dmaCopy(buffer(f32, [1], true), x, 1))).toBe("KPU3012");
      expect(code(() => bad["asyncDmaCopy"]?.(y, x, 1))).toBe("KPU3009");
      expect(code(() => bad["asyncDmaCopy"]?.(y, x, 1, 5))).toBe("KPU3001");
      expect(code(() => bad["waitEvents"]?.())).toBe("KPU3009");
      expect(code(() => S.allocEvents(17))).toBe("KPU5007");
      expect(code(() => bad["allocEvents"]?.(0))).toBe("KPU3001");
    });
  });
  it("lowers", () => {
    const p = param(ptrType("f32", "global"));
    const q = param(ptrType("f32", "local"));
    const n = param(scalar("i32"));
    const e = param(scalar("event"));
    expect(lower("dmaCopy", [q, p, n, { times: 2 }]).b.effects[0]?.args.length).toBe(6);
    expect(lower("asyncDmaCopy", [q, p, n, e]).b.effects[0]).toMatchObject({ op: "dma_copy_async" });
    expect(lower("dmaMemset", [q, param(scalar("f32")), n]).ops).toEqual(["dma_memset"]);
    expect(lower("asyncDmaMemset", [q, 0, n, e]).ops).toEqual(["dma_memset_async"]);
    expect((lower("allocEvents", [2]).value as Expr[]).length).toBe(2);
    expect(lower("waitEvents", [[e, e], e]).ops).toEqual(["event_wait", "event_wait", "event_wait"]);
    expect(lower("freeEvents", [e]).ops).toEqual(["event_free"]);
    expect(lower("barrier", []).ops).toEqual(["barrier"]);
    expect([lower("tileId", []).value, lower("tileCount", []).value]).toMatchObject([
      { op: "tile_id" },
      { op: "tile_count" },
    ]);
  });
});

describe("pointer methods", () => {
  it("run directly and lower", () => {
    inKernel(() => {
      const x = buffer(f32, range(8));
      expect(x.at(3).at(-1).get()).toBe(2);
      expect(x.at(5).diff(x)).toBe(5);
      expect(x.eq(x.at(0))).toBe(true);
      expect(new Ptr(f32, undefined).isNull).toBe(true);
      x.set(1, 0.1);
      expect(x.get(1)).toBe(Math.fround(0.1));
      expect(S.vload(x).at(2)).toBe(2);
      expect(code(() => S.vload(x).at(8))).toBe("KPU4001");
      expect(code(() => x.at(0.5))).toBe("KPU3005");
    });
    const p = param(ptrType("i16", "global"));
    const i = param(scalar("num"));
    expect(lower("Ptr.at", [p, i]).value).toMatchObject({ op: "ptr_add" });
    expect(lower("Ptr.at", [p, 0]).value).toBe(p);
    expect(lower("Ptr.get", [p]).b.effects[0]).toMatchObject({ op: "get", args: [p] });
    expect(lower("Ptr.set", [p, i, param(scalar("f32"))]).ops).toEqual(["set"]);
    expect(lower("Ptr.as", [p, u8]).value).toMatchObject({ type: ptrType("u8", "global") });
    expect(lower("Ptr.eq", [p, p]).value).toMatchObject({ op: "ptr_eq" });
    expect(lower("Ptr.diff", [p, p]).value).toMatchObject({ op: "ptr_diff" });
    expect(lower("Ptr.isNull", [p]).value).toMatchObject({ op: "ptr_null" });
    expect(lower("Vec.at", [param(vec("i8", 4)), i]).value).toMatchObject({ op: "extract" });
    expect(lower("Mask.at", [param(mask(4)), 3]).value).toMatchObject({
      op: "extract",
      type: scalar("bool"),
    });
    expect(code(() => lower("Mask.at", [param(mask(4)), 4]))).toBe("KPU4001");
    expect(code(() => lower("Ptr.at", [p, 0.5]))).toBe("KPU3005");
    expect(code(() => lower("Ptr.set", [param(ptrType("f32", "global", true)), 0, 1]))).toBe("KPU3012");
    expect(code(() => lower("Ptr.set", [p, 0]))).toBe("KPU3009");
  });
  it("NdBuffer.at folds static extents", () => {
    const p = param(ptrType("f32", "local"));
    const view = { kind: "view", ptr: p, shape: [2, 3] };
    const i = param(scalar("num"));
    expect(lower("NdBuffer.at", [view, 1, 2]).value).toMatchObject({
      op: "ptr_add",
      args: [p, { value: 5 }],
    });
    expect(lower("NdBuffer.at", [view, i]).value).toMatchObject({ op: "ptr_add", args: [p, { op: "mul" }] });
    expect(lower("NdBuffer.at", [view, i, 1]).value).toMatchObject({ args: [p, { op: "add" }] });
    expect(lower("NdBuffer.at", [{ ...view, shape: [2, i] }, 1, 1]).value).toMatchObject({
      args: [p, { op: "add" }],
    });
    expect(code(() => lower("NdBuffer.at", [view, 1, 2, 3]))).toBe("KPU3009");
    expect(lower("vload", [view, { lanes: 3 }]).ops).toEqual(["load"]);
  });
});

describe("loops and output", () => {
  it("ranges", () => {
    expect([...S.range(3)]).toEqual([0, 1, 2]);
    expect([...S.range(2, 8, 3)]).toEqual([2, 5]);
    expect([...S.range(5, 0, -2)]).toEqual([5, 3, 1]);
    expect([...S.range(0, -1)]).toEqual([]);
    expect([...S.grid(2, 2)]).toEqual([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]);
    expect(S.unroll(1, 4)).toEqual([1, 2, 3]);
    expect(code(() => S.range(0, 3, 0))).toBe("KPU3013");
    expect(code(() => S.range(0.5))).toBe("KPU3005");
    expect(code(() => S.unroll(0, 3, 0))).toBe("KPU3013");
    expect(code(() => S.grid(1.5, 1))).toBe("KPU3005");
    expect(code(() => bad["range"]?.())).toBe("KPU3009");
    expect(code(() => lower("range", [3]))).toBe("KPU1013");
    expect(code(() => lower("unroll", [param(scalar("num"))]))).toBe("KPU2008");
  });
  it("print", () => {
    inKernel((sim) => {
      S.print("i={} v={}", 1, new Vec(f32, [1]));
      S.print`i=${1} ${"x"}`;
      S.print("v", 1, f32);
      S.print("", 2);
      expect(sim.log).toEqual([
        ["print", "i={} v={}", 1, new Vec(f32, [1])],
        ["print", "i={} x", 1],
        ["print", "v {} f32", 1],
        ["print", "{}", 2],
      ]);
      expect(code(() => S.print("{} {}", 1))).toBe("KPU3009");
      expect(code(() => bad["print"]?.("{}", {}))).toBe("KPU3001");
      expect(code(() => bad["print"]?.(5))).toBe("KPU3001");
      expect(code(() => bad["print"]?.("{}", new Event(1)))).toBe("KPU3001");
    });
    const l = lower("print", ["i={} {} {}", param(scalar("num")), "static", param(vec("f32", 4))]);
    expect(l.b.texts).toEqual(["i={} static {}"]);
    expect(l.b.effects[0]?.args.length).toBe(2);
  });
  it("assert", () => {
    inKernel(() => {
      S.assert(true, "fine");
      expect(code(() => S.assert(false, "broken"))).toBe("KPU6007");
      expect(code(() => bad["assert"]?.(S.tailMask(1, 2), "m"))).toBe("KPU3001");
    });
    const l = lower("assert", [param(scalar("bool")), "broken"]);
    expect([l.ops, l.b.texts]).toEqual([["assert"], ["broken"]]);
    expect(lower("assert", [param(scalar("num"))]).b.effects[0]?.args[0]).toMatchObject({ op: "truthy" });
    expect(code(() => lower("assert", [true, 5]))).toBe("KPU3001");
  });
  it("outside a kernel memory says so", () => {
    expect(code(() => S.tileId())).toBe("KPU6005");
    expect(code(() => S.alloc(f32, 8))).toBe("KPU6005");
    expect(code(() => new Ptr(f32, undefined).get())).toBe("KPU6005");
  });
});
