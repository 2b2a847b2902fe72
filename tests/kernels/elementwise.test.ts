/** Conformance 1 to 9: elementwise kernels over tiles, scratch memory, strides, any size and dtype. */
import {
  bf16,
  type DTypeName,
  f16,
  f32,
  i8,
  i16,
  i32,
  kernel,
  type NumD,
  ptr,
  S,
  u8,
  u16,
  u32,
} from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { expectNumbers, held, hostArray, NUMERIC, SIZES, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

const DTYPES = { i8, u8, i16, u16, i32, u32, f16, bf16, f32 };

describe.each(NUMERIC)("add of %s", (name) => {
  const dtype: NumD = DTYPES[name];
  const lanes = 256 / dtype.bits;

  /** 1: one element after the other. */
  const scalarLoop = kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function scalarLoop(out, x, y, n) {
    if (S.tileId() !== 0) return;
    for (let i = 0; i < n; i++) out.set(i, x.get(i) + y.get(i));
  });
  /** 3: parts by ceildiv and clip, early return of tiles without work. */
  const parts = kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function parts(out, x, y, n) {
    const part = S.ceildiv(n, S.tileCount());
    const begin = S.tileId() * part;
    const end = S.clip(begin + part, 0, n);
    if (begin >= end) return;
    for (let i = begin; i < end; i += lanes) {
      const mask = S.tailMask(end - i, lanes);
      S.vstore(S.vadd(S.vload(x.at(i), { mask }), S.vload(y.at(i), { mask })), out.at(i), { mask });
    }
  });
  /** 4: registers go round the tiles. */
  const gridStride = kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function gridStride(out, x, y, n) {
    for (let i = S.tileId() * lanes; i < n; i += S.tileCount() * lanes) {
      const mask = S.tailMask(n - i, lanes);
      S.vstore(S.vadd(S.vload(x.at(i), { mask }), S.vload(y.at(i), { mask })), out.at(i), { mask });
    }
  });
  /** 2: through scratch memory, whole registers and a scalar tail. */
  const scratch = kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function scratch(out, x, y, n) {
    const a = S.alloc(dtype, 128);
    const b = S.alloc(dtype, 128);
    for (let start = S.tileId() * 128; start < n; start += S.tileCount() * 128) {
      const length = Math.min(128, n - start);
      S.dmaCopy(a, x.at(start), length);
      S.dmaCopy(b, y.at(start), length);
      let i = 0;
      for (; i + lanes <= length; i += lanes) S.vstore(S.vadd(S.vload(a.at(i)), S.vload(b.at(i))), a.at(i));
      for (; i < length; i++) a.set(i, a.get(i) + b.get(i));
      S.dmaCopy(out.at(start), a, length);
    }
  });

  test.each([
    { kernel: scalarLoop, name: "scalar loop" },
    { kernel: parts, name: "parts per tile" },
    { kernel: gridStride, name: "grid stride" },
    { kernel: scratch, name: "through scratch" },
  ])("$name", ({ kernel: k }) => {
    for (const n of SIZES) {
      const x = samples(name, n);
      const y = samples(name, n, 1);
      const out = hostArray(name, new Array(n).fill(0));
      execute(k, [out, hostArray(name, x), hostArray(name, y), n]);
      expectNumbers(
        name,
        out,
        x.map((v, i) => held(name, v + (y[i] as number))),
      );
    }
  });
});

test("more tiles than elements", () => {
  const k = kernel([ptr(i32), i32], function addTileId(x, n) {
    const part = S.ceildiv(n, S.tileCount());
    const begin = S.tileId() * part;
    if (begin >= n) return;
    for (let i = begin; i < Math.min(begin + part, n); i++) x.set(i, x.get(i) + S.tileId());
  });
  const x = new Int32Array(5);
  execute(k, [x, 5], { target: "t64", tiles: 32 });
  expect([...x]).toEqual([0, 1, 2, 3, 4]);
});

test("5: non-contiguous input by nested loops", () => {
  const k = kernel([ptr(f32), ptr(f32), i32, i32, i32], function gatherRows(out, x, rows, columns, stride) {
    for (let r = S.tileId(); r < rows; r += S.tileCount()) {
      for (const c of S.range(0, columns)) out.set(r * columns + c, 2 * x.get(r * stride + 3 * c));
    }
  });
  const [rows, columns, stride] = [5, 7, 40];
  const x = Float32Array.from({ length: rows * stride }, (_, i) => i / 4);
  const out = new Float32Array(rows * columns);
  execute(k, [out, x, rows, columns, stride]);
  expect([...out]).toEqual(
    Array.from(
      { length: rows * columns },
      (_, i) => 2 * (x[Math.floor(i / columns) * stride + 3 * (i % columns)] as number),
    ),
  );
});

test("6: stepped and descending loops", () => {
  const k = kernel([ptr(i32), i32], function visits(out, n) {
    if (S.tileId() > 0) return;
    let at = 0;
    for (let i = n; i > 0; i -= 3) out.set(at++, i);
    for (let i = n - 1; i >= 0; i--) out.set(at++, i);
    for (const i of S.range(n, 0, -2)) out.set(at++, i);
    for (const i of S.range(n)) out.set(at++, i);
    for (const [y, x] of S.grid(2, 3)) out.set(at++, 10 * y + x);
    out.set(at, -1);
  });
  for (const n of [0, 1, 2, 3, 7]) {
    const want: number[] = [];
    for (let i = n; i > 0; i -= 3) want.push(i);
    for (let i = n - 1; i >= 0; i--) want.push(i);
    for (let i = n; i > 0; i -= 2) want.push(i);
    for (let i = 0; i < n; i++) want.push(i);
    want.push(0, 1, 2, 10, 11, 12, -1);
    const out = new Int32Array(want.length);
    execute(k, [out, n]);
    expect([...out]).toEqual(want);
  }
});

test("7: tiled copy of any size, every dtype", () => {
  for (const name of [...NUMERIC] as DTypeName[]) {
    const dtype = DTYPES[name as keyof typeof DTYPES];
    const k = kernel([ptr(dtype), ptr(dtype, { const: true }), i32], function tiledCopy(out, x, n) {
      const part = S.ceildiv(n, S.tileCount());
      const begin = Math.min(S.tileId() * part, n);
      S.dmaCopy(out.at(begin), x.at(begin), Math.min(part, n - begin));
    });
    for (const n of [0, 1, 2, 3, 64, 997]) {
      const x = samples(name, n);
      const out = hostArray(name, new Array(n).fill(0));
      execute(k, [out, hostArray(name, x), n]);
      expectNumbers(name, out, x);
    }
  }
});

test("8: exp over scratch tiles, f16: within one step of the exact value", () => {
  const k = kernel([ptr(f16), ptr(f16), i32], function expTiles(out, x, n) {
    const tile = S.alloc(f16, 64);
    for (let start = S.tileId() * 64; start < n; start += S.tileCount() * 64) {
      const length = Math.min(64, n - start);
      S.dmaCopy(tile, x.at(start), length);
      for (let i = 0; i < length; i += 16) {
        const mask = S.tailMask(length - i, 16);
        S.vstore(S.vexp(S.vload(tile.at(i), { mask })), tile.at(i), { mask });
      }
      S.dmaCopy(out.at(start), tile, length);
    }
  });
  const x = samples("f16", 997).map((v) => held("f16", v / 2));
  const out = hostArray("f16", new Array(997).fill(0));
  execute(k, [out, hostArray("f16", x), 997]);
  // Math.exp is within an ulp of double, so its rounding to f16 is right except where it falls on a midpoint.
  expectNumbers(
    "f16",
    out,
    x.map((v) => held("f16", Math.exp(v))),
  );
});

test("9: templates over operation and unroll factor by closure", () => {
  const make = (operation: "add" | "multiply" | "larger", unroll: number) => {
    const step = 8 * unroll;
    return kernel([ptr(f32), ptr(f32), ptr(f32), i32], function template(out, x, y, n) {
      for (let i = S.tileId() * step; i < n; i += S.tileCount() * step) {
        for (const u of S.unroll(unroll)) {
          const mask = S.tailMask(n - i - 8 * u, 8);
          const a = S.vload(x.at(i + 8 * u), { mask });
          const b = S.vload(y.at(i + 8 * u), { mask });
          const result =
            operation === "add" ? S.vadd(a, b) : operation === "multiply" ? S.vmul(a, b) : S.vmax(a, b);
          S.vstore(result, out.at(i + 8 * u), { mask });
        }
      }
    });
  };
  const truth = {
    add: (a: number, b: number) => a + b,
    multiply: (a: number, b: number) => a * b,
    larger: (a: number, b: number) => Math.max(a, b),
  };
  for (const operation of ["add", "multiply", "larger"] as const) {
    for (const unroll of [1, 2, 3]) {
      const k = make(operation, unroll);
      for (const n of SIZES) {
        const x = samples("f32", n);
        const y = samples("f32", n, 5);
        const out = new Float32Array(n);
        execute(k, [out, hostArray("f32", x), hostArray("f32", y), n]);
        expectNumbers(
          "f32",
          out,
          x.map((v, i) => Math.fround(truth[operation](v, y[i] as number))),
        );
      }
    }
  }
});
