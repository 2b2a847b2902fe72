/** Reductions, permutations, masks and memory access at many lane counts. */
import { describe, expect, it } from "vitest";
import { ALL_DTYPES, DTYPES, type DTypeName, isPacked, NUMERIC } from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";
import { hostArray } from "../../ir/elements.ts";
import { type HostArgument, threeWays } from "./threeway.ts";

const LANES = [1, 2, 3, 5, 8, 16, 17, 31, 35, 64, 100];

function values(d: DTypeName, n: number, step = 7): number[] {
  const edges = edgeValues(d);
  return Array.from({ length: n }, (_, k) => edges[(k * step + 3) % edges.length] as number);
}
const laneType = (d: DTypeName, n: number): string => (d === "bool" ? `mask<${n}>` : `${d}x${n}`);
const scalarOf = (d: DTypeName): string =>
  d === "u32" ? "i64" : DTYPES[d].kind === "float" ? "f32" : d === "bool" ? "bool" : "i32";
const zeros = (d: DTypeName, n: number): HostArgument => hostArray(d, new Array(n).fill(0));

describe("reductions", () => {
  for (const d of NUMERIC) {
    it.each(["radd", "rmin", "rmax"])(`${d} %s`, (op) => {
      for (const n of LANES) {
        for (const step of [1, 5, 11]) {
          threeWays(
            `kir 1, level: virtual
kernel @k(%out: ptr<${d}, global>, %x: ptr<${d}, global>) {
  let %a: ${d}x${n} = load<${d}x${n}> %x
  let %r: ${scalarOf(d)} = ${op}.${d}x${n} %a
  set %out, %r
}
`,
            [zeros(d, 1), hostArray(d, values(d, n, step))],
          );
        }
      }
    });
    it.each(["rmin_idx", "rmax_idx"])(`${d} %s`, (op) => {
      for (const n of LANES) {
        threeWays(
          `kir 1, level: virtual
kernel @k(%out: ptr<i32, global>, %x: ptr<${d}, global>, %m: ptr<bool, global>) {
  let %a: ${d}x${n} = load<${d}x${n}> %x
  let %b: mask<${n}> = load<mask<${n}>> %m
  let %none: mask<${n}> = and.mask<${n}> %b, (not.mask<${n}> %b)
  set %out, (${op} %a, %b)
  set %out[1], (${op} %a, (not.mask<${n}> %b))
  set %out[2], (${op} %a, %none)
  set %out[3], (${op} %a, (or.mask<${n}> %b, (not.mask<${n}> %b)))
}
`,
          [
            zeros("i32", 4),
            hostArray(d, values(d, n)),
            hostArray(
              "bool",
              Array.from({ length: n }, (_, i) => ((i * 5) % 3 === 0 ? 1 : 0)),
            ),
          ],
        );
      }
    });
  }
  it("zeros and NaN decide indices", () => {
    for (const n of [4, 9, 20]) {
      const x = Array.from({ length: n }, (_, i) => (i === 0 ? NaN : i % 2 ? 0 : -0));
      for (const op of ["rmin_idx", "rmax_idx"]) {
        threeWays(
          `kir 1, level: virtual
kernel @k(%out: ptr<i32, global>, %x: ptr<f32, global>) {
  let %a: f32x${n} = load<f32x${n}> %x
  set %out, (${op} %a, (tail_mask<${n}> 100))
  set %out[1], (${op} %a, (tail_mask<${n}> 1))
}
`,
          [zeros("i32", 2), hostArray("f32", x)],
        );
      }
    }
  });
  it("any and all", () => {
    for (const n of LANES) {
      for (const count of [0, 1, n - 1, n]) {
        threeWays(
          `kir 1, level: virtual
kernel @k(%out: ptr<bool, global>, %n: i32, %x: ptr<f32, global>) {
  let %m: mask<${n}> = tail_mask<${n}> %n
  set %out, (any %m)
  set %out[1], (all %m)
  let %a: f32x${n} = load<f32x${n}> %x
  set %out[2], (any (lt.f32x${n} %a, (splat<f32x${n}> 0)))
  set %out[3], (all (lt.f32x${n} %a, (splat<f32x${n}> 0)))
}
`,
          [
            zeros("bool", 4),
            count,
            hostArray(
              "f32",
              Array.from({ length: n }, (_, i) => (i < count ? -1 : 1)),
            ),
          ],
        );
      }
    }
  });
});

/** Lanes of 4-bit elements start at whole bytes. */
const whole = (d: DTypeName, element: number): number => (isPacked(d) ? element + (element % 2) : element);

describe("permutations", () => {
  it.each(ALL_DTYPES)("shuffle %s", (d) => {
    for (const [n, m] of [
      [4, 4],
      [8, 16],
      [16, 5],
      [35, 40],
      [64, 64],
    ] as const) {
      for (const step of [1, 3, 7]) {
        const lanes = Array.from({ length: m }, (_, i) => ((i * step) % (2 * n + 1)) - 1);
        const t = laneType(d, n);
        threeWays(
          `kir 1, level: virtual
kernel @k(%out: ptr<${d}, global>, %x: ptr<${d}, global>) {
  let %a: ${t} = load<${t}> %x
  let %b: ${t} = load<${t}> %x[${whole(d, n)}]
  let %r: ${laneType(d, m)} = shuffle{lanes: [${lanes.join(", ")}]} %a, %b
  store<${laneType(d, m)}> %out, %r
}
`,
          [
            zeros(d, m),
            hostArray(
              d,
              d === "bool" ? Array.from({ length: 2 * n }, (_, i) => (i * i) & 1) : values(d, 2 * n + 1),
            ),
          ],
        );
      }
    }
  });
  it.each(ALL_DTYPES)("extract %s", (d) => {
    for (const n of [3, 8, 35]) {
      const t = laneType(d, n);
      const data = hostArray(d, d === "bool" ? Array.from({ length: n }, (_, i) => i & 1) : values(d, n));
      for (const at of [0, 1, n - 1]) {
        threeWays(
          `kir 1, level: virtual
kernel @k(%out: ptr<${d}, global>, %x: ptr<${d}, global>, %i: i32) {
  let %a: ${t} = load<${t}> %x
  set %out, (extract %a, %i)
  set %out[1], (extract %a, ${at})
}
`,
          [zeros(d, 2), data, at],
        );
      }
    }
  });
  it.each(ALL_DTYPES)("select, sel and splat of %s", (d) => {
    for (const n of [3, 8, 35]) {
      const t = laneType(d, n);
      const data = hostArray(
        d,
        d === "bool" ? Array.from({ length: 2 * n }, (_, i) => i & 1) : values(d, 2 * n + 1),
      );
      for (const c of [true, false]) {
        threeWays(
          `kir 1, level: virtual
kernel @k(%out: ptr<${d}, global>, %x: ptr<${d}, global>, %c: bool) {
  let %a: ${t} = load<${t}> %x
  let %b: ${t} = load<${t}> %x[${whole(d, n)}]
  var %r: ${t} = select %c, %a, %b
  %r = sel (tail_mask<${n}> 2), %r, %a
  store<${t}> %out, %r
  let %s: ${scalarOf(d)} = get %x[1]
  store<${t}> %out[${whole(d, n)}], (splat<${t}> %s)
}
`,
          [zeros(d, 2 * n + 1), data, c],
        );
      }
    }
  });
});

describe("memory", () => {
  for (const d of ALL_DTYPES) {
    it(`${d} masked, strided and indexed`, () => {
      for (const n of [1, 5, 8, 16, 33, 64]) {
        for (const active of [0, 1, n - 1, n, n + 4]) {
          const t = laneType(d, n);
          const total = 3 * n + 8;
          const data = d === "bool" ? Array.from({ length: total }, (_, i) => (i % 3) & 1) : values(d, total);
          const index = Array.from({ length: n }, (_, i) => (i * 7) % (2 * n));
          threeWays(
            `kir 1, level: virtual
kernel @k(%out: ptr<${d}, global>, %x: ptr<${d}, global>, %idx: ptr<u16, global>, %n: i32, %s: i32) {
  let %m: mask<${n}> = tail_mask<${n}> %n
  let %r: ${t} = load<${t}> %x[2]
  let %a: ${t} = load<${t}> %x mask %m else %r
  store<${t}> %out, %a mask %m
  let %b: ${t} = load<${t}> %x stride %s mask %m else %r
  store<${t}> %out[${whole(d, n)}], %b
  store<${t}> %out[${2 * n}], %a stride %s mask %m
  let %i: u16x${n} = load<u16x${n}> %idx
  let %c: ${t} = gather<${t}> %x, %i mask (not.mask<${n}> %m) else %r
  store<${t}> %out[${whole(d, 5 * n)}], %c
  scatter<${t}> %out[${6 * n}], %i, %c mask %m
  let %alt: mask<${n}> = vconst<mask<${n}>> [${Array.from({ length: n }, (_, i) => (i % 3 === 1 ? 1 : 0)).join(", ")}]
  let %e: ${t} = load<${t}> %x[${whole(d, 1)}] mask %alt else %r
  store<${t}> %out[${8 * n}], %e mask (xor.mask<${n}> %alt, %m)
}
`,
            [zeros(d, 10 * n + 1), hostArray(d, data), hostArray("u16", index), active, 2],
          );
        }
      }
    });
  }
  it("masked lanes beyond the buffer touch no memory", () => {
    const x = Float32Array.from({ length: 5 }, (_, i) => i);
    const [out] = threeWays(
      `kir 1, level: virtual
kernel @k(%out: ptr<f32, global>, %x: ptr<f32, global>, %n: i32) {
  let %m: mask<8> = tail_mask<8> %n
  let %a: f32x8 = load<f32x8> %x mask %m else (splat<f32x8> 9)
  store<f32x8> %out, %a mask %m
}
`,
      [new Float32Array(5), x, 5],
    );
    expect(Array.from(out as Float32Array)).toEqual([0, 1, 2, 3, 4]);
  });
  it("buffers of every scope, tables, transfers", () => {
    threeWays(
      `kir 1, level: virtual
table @0: f32 = [1, -0, NaN, 2.5]
kernel @k(%out: ptr<f32, global>, %x: ptr<f32, global>) {
  let %t: ptr<const f32, local> = alloc_const{dtype: f32, table: 0}
  let %a: ptr<f32, local> = alloc{dtype: f32, scope: local, count: 20}
  let %b: ptr<f32, l2> = alloc{dtype: f32, scope: l2, count: 20}
  let %c: ptr<f32, l3> = alloc{dtype: f32, scope: l3, count: 20}
  let %e: event = event_alloc
  dma_copy %a, %x, 4, 5, 4, 3
  dma_copy_async %b, %a, 12, 0, 0, 1, %e
  event_wait %e
  dma_memset %c, 7.25:f32, 20
  dma_memset_async %b[12], 1, 3, %e
  event_wait %e
  event_free %e
  dma_copy %c[3], %b, 15, 0, 0, 1
  dma_copy %out, %c, 20, 0, 0, 1
  dma_copy %out[20], %t, 4, 0, 0, 1
}
`,
      [new Float32Array(24), Float32Array.from({ length: 20 }, (_, i) => i + 1)],
    );
  });
  it("pointers: select, cast, difference, equality, null", () => {
    for (const c of [true, false]) {
      threeWays(
        `kir 1, level: virtual
kernel @k(%out: ptr<i32, global>, %x: ptr<f32, global>, %nothing: ptr<f32, global>, %c: bool) {
  let %p: ptr<f32, global> = select %c, %x[3], %x[1]
  let %q: ptr<i32, global> = ptr_cast{dtype: i32} %p
  let %v: i32 = get %q
  set %out, %v
  set %out[1], (ptr_diff %p, %x)
  set %out[2], (ptr_eq %p, %x[3])
  set %out[3], (ptr_null %nothing[3])
  set %out[4], (ptr_null %x)
  let %h: ptr<u8, global> = ptr_cast{dtype: u8} %p[1]
  let %w: i32 = get %h[3]
  set %out[5], %w
}
`,
        [new Int32Array(6), Float32Array.from([1, 2, 3, 4, 5, 6]), null, c],
      );
    }
  });
  it("prints scalars, vectors and masks", () => {
    threeWays(
      `kir 1, level: virtual
text @0 = "a={} v={} m={}"
kernel @k(%x: ptr<f16, global>, %b: bool) {
  let %v: f16x20 = load<f16x20> %x
  let %s: f32 = get %x[1]
  print{text: 0} %s, %v, (lt.f16x20 %v, (splat<f16x20> 3)), %b, tile_id, %x
}
`,
      [hostArray("f16", values("f16", 20)), true],
      { tiles: 2 },
    );
  });
  it.each([8, 16, 32])("masks of %i-bit origin meet other widths", (bits) => {
    const d = bits === 8 ? "i8" : bits === 16 ? "i16" : "f32";
    for (const n of [8, 20, 64]) {
      threeWays(
        `kir 1, level: virtual
kernel @k(%f: ptr<f32, global>, %h: ptr<f16, global>, %b: ptr<u8, global>, %o: ptr<bool, global>, %x: ptr<${d}, global>) {
  let %v: ${d}x${n} = load<${d}x${n}> %x
  var %m: mask<${n}> = gt.${d}x${n} %v, (splat<${d}x${n}> 1)
  let %a: f32x${n} = load<f32x${n}> %f
  store<f32x${n}> %f, (sel %m, (neg.f32x${n} %a), %a)
  let %c: f16x${n} = load<f16x${n}> %h
  store<f16x${n}> %h, %c mask (not.mask<${n}> %m)
  let %e: u8x${n} = load<u8x${n}> %b
  %m = xor.mask<${n}> %m, (eq.u8x${n} %e, (splat<u8x${n}> 0))
  store<u8x${n}> %b, (sel %m, (splat<u8x${n}> 255), %e)
  store<mask<${n}>> %o, %m
}
`,
        [
          hostArray("f32", values("f32", n)),
          hostArray("f16", values("f16", n)),
          hostArray("u8", values("u8", n)),
          zeros("bool", n),
          hostArray(d, values(d, n, 3)),
        ],
      );
    }
  });
});
