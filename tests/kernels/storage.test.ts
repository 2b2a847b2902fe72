/** Storage dtypes: quantised weights in memory, converted in registers. Ground truth: the formats of tests/harness. */
import {
  bf16,
  type DTypeName,
  f8e4m3,
  f8e5m2,
  f16,
  f32,
  i4,
  i8,
  i16,
  i32,
  kernel,
  ptr,
  S,
  u4,
  u8,
  u16,
  u32,
} from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { expectNumbers, held, hostArray, numbersOf } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { BF16, E4M3, E5M2, F16 } from "../harness/floats.ts";

const PACKED = { i4, u4 } as const;
const FLOATS8 = { f8e4m3, f8e5m2 } as const;
const FORMAT = { f8e4m3: E4M3, f8e5m2: E5M2 } as const;
const ARITHMETIC = { i8, u8, i16, u16, i32, u32, f16, bf16, f32 } as const;
const STORAGE = { ...PACKED, ...FLOATS8 } as const;
const names = <T extends object>(table: T): (keyof T)[] => Object.keys(table) as (keyof T)[];

/** Values of a 4-bit dtype, all 16 in some order. */
const nibbles = (d: DTypeName, n: number, salt = 0): number[] =>
  Array.from({ length: n }, (_, i) => held(d, i * 7 + salt + (i >> 4)));

test("int4 weights, dequantised by groups of 32 with f32 scales", () => {
  const GROUP = 32;
  const dequantise = kernel(
    [ptr(f32), ptr(i4, { const: true }), ptr(f32), i32],
    function dequantise(y, w, s, n) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < n; i += GROUP) {
        const mask = S.tailMask(n - i, GROUP);
        const q = S.vload(w.at(i), { mask });
        S.vstore(S.vmul(S.cast(q, f32), s.get(S.floordiv(i, GROUP))), y.at(i), { mask });
      }
    },
  );
  for (const n of [0, 1, 2, 31, 32, 33, 64, 97, 997]) {
    const w = nibbles("i4", n);
    const scales = Float32Array.from({ length: Math.ceil(n / GROUP) }, (_, g) => 0.1 * (g + 1));
    const y = new Float32Array(n);
    execute(dequantise, [y, hostArray("i4", w), scales, n]);
    expect([...y]).toEqual(w.map((q, i) => Math.fround(q * (scales[Math.floor(i / GROUP)] as number)) + 0));
  }
});

test("u4 weights with a zero point, times f16 activations", () => {
  const k = kernel([ptr(f32), ptr(u4), ptr(f16)], function dot(out, w, x) {
    if (S.tileId() !== 0) return;
    let sum = 0;
    for (let i = 0; i < 64; i += 16) {
      const q = S.vsub(S.cast(S.vload(w.at(i), { lanes: 16 }), i8), 8);
      sum = S.f32(sum + S.vrpadd(S.vmul(S.cast(q, f32), S.cast(S.vload(x.at(i), { lanes: 16 }), f32))));
    }
    out.set(0, sum);
  });
  const w = nibbles("u4", 64);
  const x = Array.from({ length: 64 }, (_, i) => (i % 5) - 2);
  const out = new Float32Array(1);
  execute(k, [out, hostArray("u4", w), hostArray("f16", x)]);
  expect(out[0]).toBe(w.reduce((sum, q, i) => sum + (q - 8) * (x[i] as number), 0));
});

describe.each(names(PACKED))("%s in memory", (name) => {
  const d = PACKED[name];

  test("single elements at every offset; the other half of a byte stays", () => {
    const k = kernel([ptr(d), ptr(i32), i32], function elements(p, out, n) {
      if (S.tileId() !== 0) return;
      const q = p.at(1);
      for (let i = 0; i < n; i++) out.set(i, p.get(i) * 100 + q.at(i).get(-1));
      q.set(0, 21);
      p.at(4).set(0, -3);
      out.set(n, q.at(2).diff(p));
      out.set(n + 1, q.at(-1).eq(p) ? 1 : 0);
      out.set(n + 2, q.eq(p) ? 1 : 0);
      // The byte that holds element 3.
      out.set(n + 3, p.at(3).as(u8).get());
      out.set(n + 4, p.at(3).as(u8).as(d).diff(p));
    });
    const n = 7;
    const values = nibbles(name, n + 1);
    const p = hostArray(name, values);
    const out = new Int32Array(n + 5);
    execute(k, [p, out, n]);
    const after = values.map((x, i) => (i === 1 ? held(name, 21) : i === 4 ? held(name, -3) : x));
    expect(numbersOf(name, p)).toEqual(after);
    expect([...out]).toEqual([...values.slice(0, n).map((x) => x * 101), 3, 1, 0, p[1], 2]);
  });

  test.each([1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 35, 100])(
    "%i lanes: plain, masked, strided, indexed",
    (lanes) => {
      const k = kernel([ptr(d), ptr(d), ptr(u16), i32], function forms(out, x, idx, active) {
        if (S.tileId() !== 0) return;
        const room = 2 * lanes + 2;
        const m = S.tailMask(active, lanes);
        const a = S.vload(x.at(2), { lanes });
        S.vstore(a, out);
        S.vstore(S.vload(x.at(4), { mask: m, r: 2 }), out.at(room), { mask: m });
        S.vstore(S.vload(x.at(1), { lanes, stride: 2 }), out.at(2 * room + 1), { stride: 1 + 1 });
        const i = S.vload(idx, { lanes });
        S.vstoreScatter(S.vloadGather(x.at(3), i, { mask: m, r: 3 }), out.at(3 * room), i, {
          mask: S.vinv(m),
        });
        S.vstore(S.vsel(a, 1, m), out.at(4 * room));
      });
      const size = 4 * lanes + 10;
      const x = nibbles(name, size, 5);
      const index = Array.from({ length: lanes }, (_, i) => (i * 3) % (2 * lanes));
      for (const active of new Set([0, 1, lanes - 1, lanes])) {
        const room = 2 * lanes + 2;
        const before = nibbles(name, 6 * room, 9);
        const out = hostArray(name, before);
        execute(k, [out, hostArray(name, x), hostArray("u16", index), active]);
        const want = [...before];
        for (let i = 0; i < lanes; i++) want[i] = x[2 + i] as number;
        for (let i = 0; i < Math.min(active, lanes); i++) want[room + i] = x[4 + i] as number;
        for (let i = 0; i < lanes; i++) want[2 * room + 1 + 2 * i] = x[1 + 2 * i] as number;
        for (let i = active; i < lanes; i++) want[3 * room + (index[i] as number)] = 3;
        for (let i = 0; i < lanes; i++) want[4 * room + i] = i < active ? (x[2 + i] as number) : 1;
        expectNumbers(name, out, want);
      }
    },
  );

  test("buffers, tables, views, fills and copies", () => {
    const k = kernel([ptr(d)], function buffers(out) {
      if (S.tileId() !== 0) return;
      const t = S.allocConst(d, [1, 2, 3, 4, 5, 6, 7]);
      const a = S.alloc(d, 7);
      S.dmaMemset(a.as(u8), 0x33, 4);
      for (let i = 0; i < 5; i++) a.set(i, t.get(6 - i));
      S.dmaCopy(out.as(u8), a.as(u8), 4);
      const rows = S.view(out.at(8), [2, 3]);
      rows.at(1, 2).set(0, 5);
      rows.at(0, 1).set(0, 6);
      S.dmaCopy(out.at(14).as(u8), t.as(u8), 1, { srcStride: 2, dstStride: 1, times: 2 });
    });
    const out = hostArray(name, new Array(18).fill(0));
    execute(k, [out]);
    expectNumbers(name, out, [7, 6, 5, 4, 3, 3, 3, 3, 0, 6, 0, 0, 0, 5, 1, 2, 5, 6]);
  });
});

describe.each(names(FLOATS8))("%s", (name) => {
  const d = FLOATS8[name];
  const format = FORMAT[name];
  const clamped = (x: number): number => {
    const max = format.value(format.infinity - 1);
    return Number.isNaN(x) ? x : Math.min(max, Math.max(-max, x));
  };

  test("every code to f32, f16 and bf16, and back", () => {
    const k = kernel([ptr(d), ptr(d), ptr(f32), ptr(f16), ptr(bf16)], function codes(out, x, a, b, c) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < 256; i += 16) {
        const v = S.vload(x.at(i), { lanes: 16 });
        S.vstore(S.cast(v, f32), a.at(i));
        S.vstore(S.cast(v, f16), b.at(i));
        S.vstore(S.cast(v, bf16), c.at(i));
        S.vstore(v, out.at(i));
        for (let j = 0; j < 8; j++) out.set(i + 2 * j, x.get(i + 2 * j));
      }
    });
    const x = Uint8Array.from({ length: 256 }, (_, i) => i);
    const want = Array.from(x, (code) => format.value(code));
    const [out, a, b, c] = [
      new Uint8Array(256),
      new Float32Array(256),
      new Uint16Array(256),
      new Uint16Array(256),
    ];
    execute(k, [out, x, a, b, c]);
    expectNumbers("f32", a, want);
    expectNumbers("f16", b, want);
    expectNumbers("bf16", c, want);
    // Every NaN is stored as one.
    expect([...out]).toEqual(want.map((v) => format.bits(v)));
  });

  test.each(["f16", "bf16"] as const)("all 65,536 numbers of %s", (from) => {
    const source = { f16, bf16 }[from];
    const k = kernel([ptr(d), ptr(d), ptr(source)], function narrow(out, sat, x) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < 65536; i += 16) {
        const v = S.vload(x.at(i), { lanes: 16 });
        S.vstore(S.cast(v, d), out.at(i));
        S.vstore(S.cast(v, d, { saturate: true }), sat.at(i));
      }
    });
    const x = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const [out, sat] = [new Uint8Array(65536), new Uint8Array(65536)];
    execute(k, [out, sat, x]);
    const values = Array.from(x, { f16: F16, bf16: BF16 }[from].value.bind({ f16: F16, bf16: BF16 }[from]));
    expect(values.findIndex((v, i) => format.bits(v) !== out[i])).toBe(-1);
    expect(values.findIndex((v, i) => format.bits(clamped(v)) !== sat[i])).toBe(-1);
  });

  test("dense f32 and i32, vectors and scalars", () => {
    const N = 32768;
    const k = kernel([ptr(d), ptr(d), ptr(d), ptr(f32), ptr(i32)], function narrow(out, one, ints, x, n) {
      if (S.tileId() !== 0) return;
      for (let i = 0; i < N; i += 16) {
        S.vstore(S.cast(S.vload(x.at(i), { lanes: 16 }), d), out.at(i));
        S.vstore(S.cast(S.vload(n.at(i), { lanes: 16 }), d), ints.at(i));
      }
      for (let i = 0; i < N; i++) one.set(i, x.get(i) * 1.0000000001);
    });
    const x = new Float32Array(
      Uint32Array.from({ length: N }, (_, i) => (i * 131072 + ((i * 7919) & 0x1ffff)) >>> 0).buffer,
    );
    const n = Int32Array.from({ length: N }, (_, i) => ((i - N / 2) * 2 ** (i % 18)) | 0);
    const [out, one, ints] = [new Uint8Array(N), new Uint8Array(N), new Uint8Array(N)];
    execute(k, [out, one, ints, x, n]);
    expect(x.findIndex((v, i) => format.bits(v) !== out[i])).toBe(-1);
    expect(x.findIndex((v, i) => format.bits(v * 1.0000000001) !== one[i])).toBe(-1);
    expect(n.findIndex((v, i) => format.bits(v) !== ints[i])).toBe(-1);
  });
});

/** Where conversions go wrong, for either kind. */
const HARD = [
  0,
  1,
  -1,
  7,
  8,
  -8,
  -9,
  15,
  16,
  17,
  100,
  -100,
  127,
  200,
  255,
  300,
  448,
  464,
  500,
  70000,
  2 ** 31 - 1,
];
const HARD_FLOATS = [...HARD, 0.5, -0.5, 7.9, -8.9, 15.9, 1e9, -1e9, Infinity, -Infinity, NaN, -0, 2 ** -10];

/** One lane of a cast between number dtypes: the decided rules, written once more. */
function castTruth(from: DTypeName, to: DTypeName, x: number, saturate: boolean): number {
  const floats = (d: DTypeName): boolean => d.includes("f");
  const signed = to.startsWith("i");
  const bits = Number(/\d+/.exec(to)?.[0]);
  const [min, max] = signed ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
  if (floats(to)) {
    const largest = { f8e4m3: 448, f8e5m2: 57344 }[to as "f8e4m3"];
    return held(to, saturate && largest ? Math.min(largest, Math.max(-largest, x)) : x);
  }
  if (floats(from) || saturate) return Number.isNaN(x) ? 0 : Math.min(max, Math.max(min, Math.trunc(x))) + 0;
  const low = ((x % 2 ** bits) + 2 ** bits) % 2 ** bits;
  return low > max ? low - 2 ** bits : low;
}

const ALL = { ...ARITHMETIC, ...STORAGE } as const;
const PAIRS = names(ALL).flatMap((from) =>
  names(ALL)
    .filter((to) => from in STORAGE || to in STORAGE)
    .map((to) => [from, to] as const),
);
test.each(PAIRS)("cast %s to %s", (from, to) => {
  const saturates = !["f16", "bf16", "f32"].includes(to);
  const [source, target] = [ALL[from], ALL[to]];
  const N = 36;
  const k = kernel([ptr(target), ptr(source)], function convert(out, x) {
    if (S.tileId() !== 0) return;
    const v = S.vload(x, { lanes: N });
    S.vstore(S.cast(v, target), out);
    S.vstore(S.cast(v, target, { part: "odd" }), out.at(N));
    S.vstore(S.cast(v, target, { part: "hl", saturate: saturates }), out.at(2 * N));
    S.vstore(S.cast(v, target, { saturate: saturates }), out.at(3 * N));
  });
  const list = (/^[iu]/.test(from) ? HARD : HARD_FLOATS).map((x) => held(from, x));
  const x = Array.from({ length: N }, (_, i) => list[i % list.length] as number);
  const out = hostArray(to, new Array(4 * N).fill(0));
  execute(k, [out, hostArray(from, x)]);
  const cast = (saturate: boolean) => (v: number) => castTruth(from, to, v, saturate);
  const want: number[] = new Array(4 * N).fill(0);
  const put = (at: number, values: readonly number[]): void =>
    values.forEach((v, i) => void (want[at + i] = v));
  put(0, x.map(cast(false)));
  put(N, x.filter((_, i) => i % 2 === 1).map(cast(false)));
  put(2 * N, x.slice(N / 2, (3 * N) / 4).map(cast(saturates)));
  put(3 * N, x.map(cast(saturates)));
  expectNumbers(to, out, want);
});

describe.each(names(STORAGE))("%s lanes are moved", (name) => {
  const d = STORAGE[name];
  test.each([2, 6, 32, 34, 140])("%i of them, by masks and numbers of the run", (lanes) => {
    const k = kernel([ptr(d), ptr(d), ptr(u8), i32, i32], function moves(out, x, idx, active, by) {
      if (S.tileId() !== 0) return;
      const m = S.tailMask(active, lanes);
      const a = S.vload(x, { lanes });
      const b = S.vload(x.at(lanes), { lanes });
      const odd = S.vcneq(S.vand(S.vload(idx, { lanes }), 1), 0);
      const values = [
        S.vcompt(a, odd, { r: b }),
        S.vexpand(a, odd, { r: 2 }),
        S.vcompc(a, b, odd),
        S.vshfl(a, by, { mask: m, r: 1 }),
        S.vreplic(a, by),
        S.vtbl(a, S.vload(idx, { lanes })),
        S.vtbl([a, b], S.vload(idx, { lanes }), { mask: m, r: a }),
        S.vrevs(a),
        S.vsldl(a, b, 1),
        S.vtranspose(a, 2),
        S.vzip(a, b, { part: "low" }),
        S.vconcat(S.vunzip(a)),
        S.vconcat(S.vsplit(a, 2)),
        S.vsel(a, b, odd),
      ];
      for (const i of S.unroll(values.length)) S.vstore(values[i]!, out.at(i * lanes));
    });
    const n = Array.from({ length: lanes }, (_, i) => i);
    const x = Array.from({ length: 2 * lanes }, (_, i) =>
      held(name, ((i * 7) % 16) - (name === "u4" ? 0 : 8)),
    );
    const idx = n.map((i) => (i * 11 + (i >> 2)) % 256);
    const [a, b] = [x.slice(0, lanes), x.slice(lanes)] as [number[], number[]];
    const isOdd = (i: number): boolean => (idx[i] as number) % 2 === 1;
    const chosen = a.filter((_, i) => isOdd(i));
    const before = (i: number): number => n.filter((j) => j < i && isOdd(j)).length;
    const [active, by] = [lanes - 1, 1];
    const masked = (v: readonly number[], r: (i: number) => number): number[] =>
      n.map((i) => (i < active ? (v[i] as number) : r(i)));
    const half = lanes / 2;
    const want = [
      n.map((i) => chosen[i] ?? (b[i] as number)),
      n.map((i) => (isOdd(i) ? (a[before(i)] as number) : 2)),
      [...chosen, ...b].slice(0, lanes),
      masked([...a.slice(by), ...a.slice(0, by)], () => 1),
      n.map(() => a[by] as number),
      idx.map((i) => a[i] ?? 0),
      masked(
        idx.map((i) => x[i] ?? 0),
        (i) => a[i] as number,
      ),
      [...a].reverse(),
      x.slice(1, lanes + 1),
      n.map((i) => a[(i % 2) * half + (i >> 1)] as number),
      n.map((i) => (i % 2 === 0 ? a : b)[i >> 1] as number),
      [...a.filter((_, i) => i % 2 === 0), ...a.filter((_, i) => i % 2 === 1)],
      a,
      n.map((i) => (isOdd(i) ? a : b)[i] as number),
    ];
    const out = hostArray(name, new Array(want.length * lanes).fill(0));
    execute(k, [out, hostArray(name, x), Uint8Array.from(idx), active, by]);
    expectNumbers(name, out, want.flat());
  });
});

test("scalar conversions, parameters and prints", () => {
  const k = kernel([ptr(f32), ptr(f32), i4, f8e4m3], function scalars(out, x, a, b) {
    if (S.tileId() !== 0) return;
    for (let i = 0; i < 8; i++) {
      const v = x.get(i);
      out.set(6 * i, S.i4(v));
      out.set(6 * i + 1, S.u4(v));
      out.set(6 * i + 2, S.i4(v, { wrap: true }));
      out.set(6 * i + 3, S.f8e4m3(v));
      out.set(6 * i + 4, S.f8e5m2(v));
      out.set(6 * i + 5, S.f8e4m3(i * 100) + S.u4(i * 3, { wrap: true }));
    }
    S.print("{} {} {} {}", a, b, S.vbcast(-3, i4, 3), S.vbcast(500, f8e4m3, 2));
  });
  const x = [0.3, -0.3, 9.7, -9.7, 1000, NaN, -Infinity, 17.5];
  const lines: string[] = [];
  const out = new Float32Array(48);
  execute(k, [out, Float32Array.from(x), -8, 0.3], { print: (line) => void lines.push(line) });
  const clip = (v: number, min: number, max: number): number =>
    Number.isNaN(v) ? 0 : Math.min(max, Math.max(min, Math.trunc(v))) + 0;
  const want = x.flatMap((given, i) => {
    const v = Math.fround(given);
    const low = Number.isFinite(v) ? held("i4", Math.trunc(v)) + 0 : 0;
    return [
      clip(v, -8, 7),
      clip(v, 0, 15),
      low,
      E4M3.round(v),
      E5M2.round(v),
      Math.fround(E4M3.round(i * 100) + ((i * 3) % 16)),
    ];
  });
  expectNumbers("f32", out, want);
  expect(lines).toEqual(["tile 0: -8 0.3125 i4x3 [-3, -3, -3] f8e4m3x2 [NaN, NaN]"]);
});
