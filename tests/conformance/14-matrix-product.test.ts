/** C = A B: in register blocks of 4 rows, and in blocks that all tiles load together into shared scratch memory. */
import {
  type AnyKernel,
  bf16,
  f16,
  f32,
  i8,
  i16,
  i32,
  kernel,
  type Mask,
  type NumD,
  type Ptr,
  ptr,
  S,
  u8,
  u32,
  type Vec,
} from "kpu-dsl";
import { describe, test } from "vitest";
import {
  expectNumbers,
  held,
  hostArray,
  type NumericName,
  samples,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const LANES = 8;
const ROWS = 4;

/** m, n, depth: nothing, one, block edges, primes. */
const SHAPES = [
  [0, 3, 4],
  [1, 1, 1],
  [2, 3, 0],
  [3, 7, 5],
  [4, 8, 16],
  [5, 9, 17],
  [16, 16, 16],
  [17, 33, 15],
  [31, 29, 37],
] as const;

/** One product more in every sum. */
type Step<A extends NumD> = (sum: Vec<A>, row: Vec<A>, x: number) => Vec<A>;
const fused: Step<f32> = (sum, row, x) => S.vfma(sum, row, x);
const wrapping: Step<i32> = (sum, row, x) => S.vadd(sum, S.vmul(row, x));
const unsigned: Step<u32> = (sum, row, x) => S.vadd(sum, S.vmul(row, x));

function registerBlocked<A extends NumD>(data: NumD, acc: A, step: Step<A>) {
  const block = (
    rows: number,
    c: Ptr<A>,
    a: Ptr<NumD>,
    b: Ptr<NumD>,
    n: number,
    depth: number,
    mask: Mask,
  ): void => {
    const zero = S.vbcast(0, acc, LANES);
    const sums = [zero, zero, zero, zero];
    for (let k = 0; k < depth; k++) {
      const row = S.cast(S.vload(b.at(k * n), { mask }), acc);
      for (const r of S.unroll(rows)) sums[r] = step(sums[r]!, row, a.get(r * depth + k));
    }
    for (const r of S.unroll(rows)) S.vstore(sums[r]!, c.at(r * n), { mask });
  };
  return kernel(
    [ptr(acc), ptr(data), ptr(data), i32, i32, i32],
    function registerBlocked(c, a, b, m, n, depth) {
      for (let i = S.tileId() * ROWS; i < m; i += S.tileCount() * ROWS) {
        for (let j = 0; j < n; j += LANES) {
          const mask = S.tailMask(n - j, LANES);
          if (m - i >= ROWS) block(ROWS, c.at(i * n + j), a.at(i * depth), b.at(j), n, depth, mask);
          else
            for (let r = i; r < m; r++) block(1, c.at(r * n + j), a.at(r * depth), b.at(j), n, depth, mask);
        }
      }
    },
  );
}

const SIDE = 16;

/** Blocks of 16 x 16; the rows of a block of A and B go round the tiles, then all wait for each other. */
function shared<A extends NumD>(data: NumD, acc: A, step: Step<A>) {
  return kernel([ptr(acc), ptr(data), ptr(data), i32, i32, i32], function shared(c, a, b, m, n, depth) {
    const blockA = S.alloc(data, [SIDE, SIDE], "l3");
    const blockB = S.alloc(data, [SIDE, SIDE], "l3");
    const sums = S.alloc(acc, [SIDE, SIDE]);
    for (let i = 0; i < m; i += SIDE) {
      for (let j = 0; j < n; j += SIDE) {
        const columns = Math.min(SIDE, n - j);
        S.dmaMemset(sums, 0, SIDE * SIDE);
        for (let k = 0; k < depth; k += SIDE) {
          const length = Math.min(SIDE, depth - k);
          for (let r = S.tileId(); r < SIDE; r += S.tileCount()) {
            if (i + r < m) S.dmaCopy(blockA.at(r), a.at((i + r) * depth + k), length);
            if (k + r < depth) S.dmaCopy(blockB.at(r), b.at((k + r) * n + j), columns);
          }
          S.barrier();
          for (let r = S.tileId(); r < Math.min(SIDE, m - i); r += S.tileCount()) {
            for (let v = 0; v < columns; v += LANES) {
              const mask = S.tailMask(columns - v, LANES);
              let sum = S.vload(sums.at(r, v), { lanes: LANES });
              for (let t = 0; t < length; t++) {
                const row = S.cast(S.vload(blockB.at(t, v), { mask }), acc);
                sum = step(sum, row, blockA.at(r, t).get());
              }
              S.vstore(sum, sums.at(r, v));
            }
          }
          S.barrier();
        }
        for (let r = S.tileId(); r < Math.min(SIDE, m - i); r += S.tileCount())
          S.dmaCopy(c.at((i + r) * n + j), sums.at(r), columns);
      }
    }
  });
}

function truth(
  acc: NumericName,
  a: readonly number[],
  b: readonly number[],
  m: number,
  n: number,
  depth: number,
) {
  const out: number[] = [];
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < depth; k++)
        sum = held(acc, sum + (a[i * depth + k] as number) * (b[k * n + j] as number));
      out.push(sum);
    }
  return out;
}

const both = <A extends NumD>(data: NumD, acc: A, step: Step<A>) => ({
  data: data.name,
  acc: acc.name,
  kernels: [registerBlocked(data, acc, step), shared(data, acc, step)] as readonly AnyKernel[],
});

const VARIANTS = [
  both(f32, f32, fused),
  both(f16, f32, fused),
  both(bf16, f32, fused),
  both(i32, i32, wrapping),
  both(u32, u32, unsigned),
  both(i16, i32, wrapping),
  both(i8, i32, wrapping),
  both(u8, i32, wrapping),
];

group(14, () => {
  describe.each(VARIANTS)("$data, sums in $acc", ({ data, acc, kernels }) => {
    test.each(kernels)("%o", (product) => {
      for (const [m, n, depth] of SHAPES) {
        const a = samples(data, m * depth);
        const b = samples(data, depth * n, 1);
        const want = truth(acc, a, b, m, n, depth);
        for (const machine of TILES.filter((t) => t.tiles !== 2)) {
          const c = zeros(acc, m * n);
          execute(product, [c, hostArray(data, a), hostArray(data, b), m, n, depth], machine);
          expectNumbers(acc, c, want);
        }
      }
    });
  });
});
