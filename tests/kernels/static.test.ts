/** Compile time in kernels: S.comptime and S.target, in both executions. */
import {
  type AnyKernel,
  bf16,
  build,
  check,
  f32,
  i8,
  i32,
  kernel,
  ptr,
  S,
  simulate,
  TARGETS,
  type TargetName,
} from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { execute } from "../harness/execute.ts";

const RADIUS = 2;
/** Uses what kernels do not have: while with try, Map, Math.exp. */
function gauss(radius: number): number[] {
  const seen = new Map<number, number>();
  let sum = 0;
  try {
    for (let i = -radius; i <= radius; i++) {
      seen.set(i, Math.exp((-i * i) / 2));
      sum += seen.get(i) ?? 0;
    }
  } finally {
    seen.set(99, 0);
  }
  return [...seen.values()].slice(0, 2 * radius + 1).map((v) => Math.fround(v / sum));
}

describe("S.comptime", () => {
  test("builds tables from captured values, with all of JavaScript", () => {
    const k = kernel([ptr(f32), ptr(f32), i32], function blur(out, x, n) {
      if (S.tileId() !== 0) return;
      const scale = 2;
      const taps = S.comptime(() => gauss(RADIUS).map((v) => v * scale));
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (const t of S.unroll(taps.length)) sum = S.f32(sum + S.f32(x.get(i + t) * taps[t]!));
        out.set(i, sum);
      }
    });
    const x = Float32Array.from({ length: 12 }, (_, i) => Math.fround(Math.sin(i)));
    const out = new Float32Array(8);
    execute(k, [out, x, 8]);
    const taps = gauss(RADIUS).map((v) => v * 2);
    const want = out.map((_, i) => {
      let sum = 0;
      taps.forEach((t, j) => {
        sum = Math.fround(sum + Math.fround(x[i + j]! * t));
      });
      return sum;
    });
    expect([...out]).toEqual([...want]);
  });

  test("a helper, a let that is static here, a function of the kernel, lanes of a permutation", () => {
    const k = kernel([ptr(f32), ptr(i32)], function kinds(x, out) {
      if (S.tileId() !== 0) return;
      let width = 4;
      width *= 2;
      function double(v: number): number {
        return v * 2;
      }
      const table = S.allocConst(
        i32,
        S.comptime(() => Array.from({ length: width }, (_, i) => double(i) + width)),
      );
      S.vstore(S.vload(table), out);
      out.set(0, S.comptime(tenth));
      x.set(
        0,
        S.comptime(() => (width > 4 ? 1 : 2)),
      );
    });
    const out = new Int32Array(8);
    const x = new Float32Array(1);
    execute(k, [x, out]);
    expect([...out]).toEqual([10, 10, 12, 14, 16, 18, 20, 22]);
    expect(x[0]).toBe(1);
  });

  test("outside a kernel it is the call", () => {
    expect(S.comptime(() => 3 + 4)).toBe(7);
  });

  test("refuses values of run time, assignments, results that change, and what is no function", () => {
    const refusal = (k: AnyKernel): string =>
      check(k)
        .map((d) => `${d.code} ${d.location?.column} ${d.message}`)
        .join("; ");
    const runtime = kernel([ptr(i32), i32], function runtime(out, n) {
      out.set(
        0,
        S.comptime(() => 2 * n),
      );
    });
    expect(refusal(runtime)).toBe(
      "KPU2007 30 expected static values in S.comptime, but n is a runtime number",
    );
    const assigns = kernel([ptr(i32)], function assigns(out) {
      let count = 0;
      out.set(
        0,
        S.comptime(() => ++count),
      );
    });
    expect(refusal(assigns)).toContain("KPU2002 28 expected a function that only reads");
    const pushes = kernel([ptr(i32)], function pushes(out) {
      out.set(
        0,
        S.comptime(() => LIST.push(1)),
      );
    });
    expect(refusal(pushes)).toContain("it changes LIST");
    expect(LIST).toEqual([]);
    const random = kernel([ptr(f32)], function random(out) {
      out.set(
        0,
        S.comptime(() => Math.random()),
      );
    });
    expect(refusal(random)).toContain("KPU2004");
    const memory = kernel([ptr(f32)], function memory(out) {
      out.set(
        0,
        S.comptime(() => S.tileId()),
      );
    });
    expect(refusal(memory)).toContain("KPU6005");
    const thrown = kernel([ptr(f32)], function thrown(out) {
      out.set(
        0,
        S.comptime((): number => JSON.parse("{")),
      );
    });
    expect(refusal(thrown)).toContain("KPU2011");
    const none = kernel([ptr(f32)], function none(out) {
      // @ts-expect-error: the diagnostic under test
      out.set(0, S.comptime(3));
    });
    expect(refusal(none)).toContain("KPU3001");
  });

  test("what it reads is frozen", () => {
    const list = [1, 2];
    const k = kernel([ptr(i32)], function frozen(out) {
      out.set(
        0,
        S.comptime(() => list.reduce((a, b) => a + b)),
      );
    });
    const out = new Int32Array(1);
    simulate(k, [out], { tiles: 1 });
    expect(out[0]).toBe(3);
    list[1] = 5;
    expect(() => simulate(k, [out], { tiles: 1 })).toThrow(/KPU2003/);
    expect(() => build(k)).toThrow(/KPU2003/);
  });
});
const LIST: number[] = [];
const tenth = (): number => 10;

describe("S.target", () => {
  const k = kernel([ptr(i32)], function facts(out) {
    if (S.tileId() !== 0) return;
    const { registerBits, lanes } = S.target;
    out.set(0, registerBits);
    out.set(1, lanes(f32));
    out.set(2, S.target.lanes(i8));
    out.set(3, S.target.lanes(bf16));
    out.set(4, S.target.capacity.local);
    out.set(5, S.target.events);
    out.set(6, S.target.tiles);
    out.set(7, S.target.name.length);
    // Static: it may choose code and shapes.
    if (S.target.name === "t64") out.set(8, 64);
    const half = S.alloc(f32, [S.target.lanes(f32) / 2]);
    out.set(
      9,
      S.comptime(() => S.target.lanes(f32) * 3),
    );
    out.set(10, half.shape[0]!);
  });
  test.each(Object.keys(TARGETS) as TargetName[])("of %s", (target) => {
    const t = TARGETS[target];
    const out = new Int32Array(11);
    execute(k, [out], { target });
    expect([...out]).toEqual([
      t.registerBits,
      t.registerBits / 32,
      t.registerBits / 8,
      t.registerBits / 16,
      t.capacity.local,
      t.events,
      t.tiles,
      target.length,
      target === "t64" ? 64 : 0,
      24,
      4,
    ]);
  });
  test("a target of one's own", () => {
    const wide = { ...TARGETS.edge, name: "wide", registerBits: 512 };
    const direct = new Int32Array(11);
    simulate(k, [direct], { target: wide });
    const compiled = new Int32Array(11);
    build(k, { target: wide }).run(compiled);
    expect(direct[1]).toBe(16);
    expect([...compiled]).toEqual([...direct]);
  });
  test("needs a kernel", () => {
    expect(() => S.target.name).toThrow(/KPU6005/);
    const wrong = kernel([ptr(i32)], function wrong(out) {
      // @ts-expect-error: the diagnostic under test
      out.set(0, S.target.lanes(8));
    });
    expect(check(wrong)[0]).toMatchObject({ code: "KPU3001" });
  });
});

test("S.print shows every kind of value, as a format and as a template", () => {
  const k = kernel([ptr(f32), ptr(i8), i32], function prints(x, missing, n) {
    if (S.tileId() !== 0) return;
    const v = S.vload(x, { lanes: 4 });
    S.print("n={}, half={}, {} {}", n, n / 2, n > 3, f32);
    S.print`v=${v} m=${S.vcgt(v, 0)} zero=${-n * 0} nan=${(n * 0) / 0}`;
    S.print("pointers", x, x.at(1), missing, missing.at(2), S.alloc(i32, [2, 2]), "text");
    S.print("", S.cast(v, i8), S.tailMask(n, 35));
  });
  const lines: string[] = [];
  execute(k, [Float32Array.of(1, 2.5, Number.NaN, -0), null, 5], { print: (l) => void lines.push(l) });
  expect(lines).toEqual([
    "tile 0: n=5, half=2.5, true f32",
    "tile 0: v=f32x4 [1, 2.5, NaN, -0] m=TTFF zero=-0 nan=NaN",
    "tile 0: pointers ptr<f32, global> ptr<f32, global> null ptr<i8, global> null ptr<i8, global> ptr<i32, local> text",
    `tile 0: i8x4 [1, 2, 0, 0] ${"T".repeat(5)}${"F".repeat(30)}`,
  ]);
});

describe("S.func", () => {
  const weighted = S.func((x: number, w = 3): number => {
    if (x < 0) return -x;
    return x * w;
  });
  test("marks a helper, and changes nothing", () => {
    expect(weighted(2)).toBe(6);
    const k = kernel([ptr(i32), i32], function marked(out, n) {
      if (S.tileId() !== 0) return;
      const twice = S.func((v: number) => weighted(v, 2) + n);
      out.set(0, weighted(n));
      out.set(1, twice(n + 1));
      out.set(2, twice(-9));
    });
    const out = new Int32Array(3);
    execute(k, [out, 5]);
    expect([...out]).toEqual([15, 17, 14]);
  });
  test("refuses what is no helper", () => {
    for (const wrong of [3, S.vadd, kernel([], () => {})])
      expect(() => S.func(wrong as unknown as () => void)).toThrow(/KPU3001/);
  });
});
