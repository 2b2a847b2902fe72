/**
 * Transfers that are more than rows, against loops over plain arrays: boxes of one to five dimensions with padding on
 * every side, transposition, upsampling, rows by an index; each waiting and on an event, with limits and zeros.
 */
import { bf16, bool, f16, f32, i8, i16, i32, kernel, ptr, S, u8, u16, u32 } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { expectNumbers, held, hostArray, NUMERIC, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

const DTYPES = { i8, u8, i16, u16, i32, u32, f16, bf16, f32 };

/** Calls `visit` with every index tuple of a shape, in order. */
function tuples(shape: readonly number[], visit: (index: readonly number[]) => void): void {
  const walk = (index: readonly number[]): void => {
    const n = shape[index.length];
    if (n === undefined) visit(index);
    else for (let i = 0; i < n; i++) walk([...index, i]);
  };
  walk([]);
}
const dot = (index: readonly number[], strides: readonly number[]): number =>
  index.reduce((sum, i, d) => sum + i * (strides[d] as number), 0);

interface BoxCase {
  readonly shape: readonly number[];
  readonly src: readonly number[];
  readonly dst: readonly number[];
  readonly before?: readonly number[];
  readonly after?: readonly number[];
}

/** The elements of the destination after a padded copy, by definition. */
function copied(dst: number[], src: readonly number[], c: BoxCase, value: number): number[] {
  const out = [...dst];
  const before = c.before ?? c.shape.map(() => 0);
  const after = c.after ?? c.shape.map(() => 0);
  tuples(
    c.shape.map((n, d) => (before[d] as number) + n + (after[d] as number)),
    (index) => {
      const inner = index.map((i, d) => i - (before[d] as number));
      const inside = inner.every((i, d) => i >= 0 && i < (c.shape[d] as number));
      out[dot(index, c.dst)] = inside ? (src[dot(inner, c.src)] as number) : value;
    },
  );
  return out;
}

const BOXES: readonly BoxCase[] = [
  { shape: [7], src: [3], dst: [2] },
  { shape: [1], src: [0], dst: [0] },
  { shape: [4, 5], src: [6, 1], dst: [5, 1] },
  { shape: [4, 5], src: [6, 1], dst: [1, 4] },
  { shape: [3, 4], src: [0, 1], dst: [4, 1] },
  { shape: [5, 6], src: [2, 1], dst: [6, 1] },
  { shape: [2, 3, 4], src: [20, 5, 1], dst: [12, 4, 1] },
  { shape: [2, 3, 4], src: [20, 5, 1], dst: [1, 8, 2] },
  { shape: [2, 2, 3, 2, 3], src: [30, 15, 4, 2, 1], dst: [40, 20, 6, 3, 1] },
  { shape: [2, 1, 3, 1, 2], src: [7, 100, 2, 100, 1], dst: [6, 1, 2, 1, 1] },
];
const PADDED: readonly BoxCase[] = [
  { shape: [5], src: [1], dst: [1], before: [2], after: [3] },
  { shape: [3, 4], src: [9, 1], dst: [7, 1], before: [0, 1], after: [0, 2] },
  { shape: [3, 4], src: [9, 1], dst: [4, 1], before: [2, 0], after: [1, 0] },
  { shape: [3, 4], src: [9, 1], dst: [9, 1], before: [1, 2], after: [2, 1] },
  { shape: [3, 4], src: [9, 2], dst: [1, 6], before: [1, 1], after: [1, 1] },
  { shape: [0, 4], src: [9, 1], dst: [6, 1], before: [2, 1], after: [1, 1] },
  { shape: [3, 0], src: [9, 1], dst: [3, 1], before: [1, 2], after: [1, 1] },
  { shape: [2, 2, 2], src: [9, 3, 1], dst: [20, 5, 1], before: [1, 1, 1], after: [1, 0, 2] },
  {
    shape: [1, 2, 2, 1, 3],
    src: [0, 20, 8, 0, 1],
    dst: [90, 30, 10, 5, 1],
    before: [0, 0, 1, 1, 1],
    after: [1, 1, 0, 0, 1],
  },
];

const SIZE = 320;
const start = (name: (typeof NUMERIC)[number]): number[] =>
  new Array<number>(SIZE).fill(0).map((_, i) => held(name, i % 50));

// What is moved are bytes: one dtype per size.
describe.each(["u8", "f16", "f32"] as const)("%s", (name) => {
  const dtype = DTYPES[name];
  const x = samples(name, SIZE);

  test.each(BOXES)("box $shape, $src to $dst", (c) => {
    const dims = c.shape.length;
    const k = kernel([ptr(dtype), ptr(dtype), ptr(i32)], function box(out, src, n) {
      if (S.tileId() !== 0) return;
      const list = [];
      for (const d of S.unroll(3 * dims)) list.push(n.get(d));
      S.dmaCopy(out, src, {
        shape: list.slice(0, dims),
        srcStrides: list.slice(dims, 2 * dims),
        dstStrides: list.slice(2 * dims),
      });
    });
    const out = hostArray(name, start(name));
    execute(k, [out, hostArray(name, x), Int32Array.from([...c.shape, ...c.src, ...c.dst])]);
    expectNumbers(name, out, copied(start(name), x, c, 0));
  });

  test.each(PADDED)("padded box $shape in $before $after", (c) => {
    const { shape, src: srcStrides, dst: dstStrides } = c;
    const padding = { before: c.before as number[], after: c.after as number[], value: 3 };
    const k = kernel([ptr(dtype), ptr(dtype)], function padded(out, src) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.asyncDmaCopy(out, src, { shape, srcStrides, dstStrides, padding }, e);
      S.waitEvents(e);
      S.freeEvents(e);
    });
    const out = hostArray(name, start(name));
    execute(k, [out, hostArray(name, x)]);
    expectNumbers(name, out, copied(start(name), x, c, held(name, 3)));
  });

  test.each([
    [3, 5, 5, 3],
    [4, 4, 7, 6],
    [1, 9, 9, 1],
    [9, 1, 2, 9],
    [1, 1, 0, 1],
    [0, 5, 5, 1],
    [5, 0, 1, 5],
  ])("transposition of %i by %i, strides %i and %i", (rows, cols, srcStride, dstStride) => {
    const k = kernel([ptr(dtype), ptr(dtype), i32, i32, i32, i32], function transpose(out, src, r, c, s, d) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.dmaTranspose2d(out, src, r, c);
      S.asyncDmaTranspose2d(out.at(SIZE), src.at(1), r, c, e, { srcStride: s, dstStride: d });
      S.waitEvents(e);
      S.freeEvents(e);
    });
    const out = hostArray(name, [...start(name), ...start(name)]);
    execute(k, [out, hostArray(name, x), rows, cols, srcStride, dstStride]);
    const want = [...start(name), ...start(name)];
    tuples([rows, cols], ([r, c]) => {
      want[(c as number) * rows + (r as number)] = x[(r as number) * cols + (c as number)] as number;
      want[SIZE + (c as number) * dstStride + (r as number)] = x[
        1 + (r as number) * srcStride + (c as number)
      ] as number;
    });
    expectNumbers(name, out, want);
  });

  test.each([
    { h: 2, w: 3, c: 1, sh: 2, sw: 2 },
    { h: 3, w: 2, c: 4, sh: 1, sw: 3 },
    { h: 2, w: 2, c: 3, sh: 3, sw: 1 },
    { h: 1, w: 1, c: 1, sh: 5, sw: 7 },
    { h: 2, w: 0, c: 3, sh: 2, sw: 2 },
    { h: 2, w: 2, c: 3, sh: 0, sw: 2 },
  ])("upsampling $h x $w x $c by $sh and $sw", ({ h, w, c, sh, sw }) => {
    const k = kernel(
      [ptr(dtype), ptr(dtype), i32, i32, i32, i32, i32],
      function up(out, src, h, w, c, sh, sw) {
        if (S.tileId() !== 0) return;
        const [e] = S.allocEvents(1);
        S.dmaUpsample(out, src, h, w, { channels: c, scaleH: sh, scaleW: sw });
        S.asyncDmaUpsample(out.at(SIZE), src, h, w, e, {
          channels: c,
          scaleH: sh,
          scaleW: sw,
          srcPixel: c + 1,
          dstPixel: c + 2,
          srcStride: 20,
          dstStride: 50,
        });
        S.waitEvents(e);
        S.freeEvents(e);
      },
    );
    const room = 2 * SIZE + 400;
    const before = Array.from({ length: room }, (_, i) => held(name, i % 50));
    const out = hostArray(name, before);
    execute(k, [out, hostArray(name, x), h, w, c, sh, sw]);
    const want = [...before];
    tuples([h * sh, w * sw, c], ([y, z, q]) => {
      const [row, col, ch] = [y as number, z as number, q as number];
      const [sy, sx] = [Math.floor(row / sh), Math.floor(col / sw)];
      want[(row * w * sw + col) * c + ch] = x[(sy * w + sx) * c + ch] as number;
      want[SIZE + row * 50 + col * (c + 2) + ch] = x[sy * 20 + sx * (c + 1) + ch] as number;
    });
    expectNumbers(name, out, want);
  });

  test.each([i16, u16, i32, u32])("rows by an index of %s", (d) => {
    const k = kernel([ptr(dtype), ptr(dtype), ptr(d), i32, i32], function rows(out, src, index, n, w) {
      if (S.tileId() !== 0) return;
      const [e] = S.allocEvents(1);
      S.dmaGather(out, src, index, n);
      S.asyncDmaGather(out.at(20), src, index, n, e, { width: w, srcStride: 7, dstStride: 9 });
      S.waitEvents(e);
      S.freeEvents(e);
    });
    const index = [9, 0, 0, 21, 5];
    for (const [n, w] of [
      [5, 7],
      [5, 1],
      [0, 3],
      [2, 0],
      [1, 9],
    ] as const) {
      const out = hostArray(name, start(name));
      execute(k, [out, hostArray(name, x), hostArray(d.name, index), n, w]);
      const want = start(name);
      for (let i = 0; i < n; i++) {
        want[i] = x[index[i] as number] as number;
        for (let j = 0; j < w; j++) want[20 + 9 * i + j] = x[7 * (index[i] as number) + j] as number;
      }
      expectNumbers(name, out, want);
    }
  });
});

test.each(NUMERIC)("padding of %s by its store rule", (name) => {
  const k = kernel([ptr(DTYPES[name]), ptr(DTYPES[name]), f32], function pad(out, src, value) {
    if (S.tileId() !== 0) return;
    S.dmaCopy(out, src, { shape: [3, 2], padding: { before: [1, 0], after: [0, 1], value } });
  });
  for (const value of [0, 1, 100, 0.5]) {
    const out = hostArray(name, new Array(12).fill(9));
    const x = samples(name, 6);
    execute(k, [out, hostArray(name, x), value]);
    const v = held(name, value);
    const want = [v, v, v, x[0], x[1], v, x[2], x[3], v, x[4], x[5], v] as number[];
    expectNumbers(name, out, want);
  }
});

test("halos: the window of a tile, clipped to the image and padded to full size", () => {
  const k = kernel([ptr(f32), ptr(f32), i32, i32], function halo(out, image, h, w) {
    const t = S.alloc(f32, [5, 5]);
    for (const [y, x] of S.grid(h, w)) {
      if ((y * w + x) % S.tileCount() !== S.tileId()) continue;
      const top = S.max(0, 2 - y);
      const left = S.max(0, 2 - x);
      const bottom = S.max(0, y + 3 - h);
      const right = S.max(0, x + 3 - w);
      S.dmaCopy(t, image.at((y - 2 + top) * w + x - 2 + left), {
        shape: [5 - top - bottom, 5 - left - right],
        srcStrides: [w, 1],
        padding: { before: [top, left], after: [bottom, right], value: -1 },
      });
      let sum = 0;
      for (let i = 0; i < 25; i++) sum += t.get(i);
      out.set(y * w + x, sum);
    }
  });
  for (const [h, w] of [
    [5, 6],
    [5, 5],
    [9, 7],
  ] as const) {
    const image = Float32Array.from({ length: h * w }, (_, i) => ((i * 37) % 23) - 5);
    const out = new Float32Array(h * w);
    execute(k, [out, image, h, w]);
    tuples([h, w], ([y, x]) => {
      let sum = 0;
      for (let dy = -2; dy <= 2; dy++)
        for (let dx = -2; dx <= 2; dx++) {
          const [r, c] = [(y as number) + dy, (x as number) + dx];
          sum += r < 0 || c < 0 || r >= h || c >= w ? -1 : (image[r * w + c] as number);
        }
      expect(out[(y as number) * w + (x as number)]).toBe(sum);
    });
  }
});

test("im2col: overlapping source windows become rows", () => {
  const [h, w, kh, kw] = [6, 7, 3, 2];
  const [oh, ow] = [h - kh + 1, w - kw + 1];
  const k = kernel([ptr(i16), ptr(i16)], function im2col(out, image) {
    if (S.tileId() === 0) S.dmaCopy(out, image, { shape: [oh, ow, kh, kw], srcStrides: [w, 1, w, 1] });
  });
  const image = Int16Array.from({ length: h * w }, (_, i) => i * 3);
  const out = new Int16Array(oh * ow * kh * kw);
  execute(k, [out, image]);
  let at = 0;
  tuples([oh, ow, kh, kw], ([y, x, r, c]) => {
    const place = ((y as number) + (r as number)) * w + (x as number) + (c as number);
    expect(out[at++]).toBe(image[place]);
  });
});

test("padding of bool memory, and values that wrap and round", () => {
  const k = kernel([ptr(bool), ptr(bool), ptr(u8), ptr(f16), f32], function pads(b, from, u, f, x) {
    if (S.tileId() !== 0) return;
    S.dmaCopy(b, from, { shape: [2], padding: { before: [1], after: [1], value: true } });
    S.dmaCopy(b.at(4), from, { shape: [2], padding: { after: [2] } });
    S.dmaCopy(u, u.at(4), { shape: [1], padding: { before: [2], after: [1], value: 511.7 } });
    S.dmaCopy(f, f.at(4), { shape: [0], padding: { before: [2], value: x } });
  });
  const b = new Uint8Array(8).fill(9);
  const u = Uint8Array.of(0, 0, 0, 0, 7);
  const f = new Uint16Array(5);
  execute(k, [b, Uint8Array.of(0, 1), u, f, 1 / 3]);
  expect([...b]).toEqual([1, 0, 1, 1, 0, 1, 0, 0]);
  expect([...u]).toEqual([255, 255, 7, 255, 7]);
  expect([...f]).toEqual([0x3555, 0x3555, 0, 0, 0]);
});

test("every length of a short and a long row, aligned and not", () => {
  const k = kernel([ptr(u8), ptr(u8), i32, i32], function lengths(out, src, n, pad) {
    if (S.tileId() !== 0) return;
    const padding = { before: [1, pad], after: [0, 1], value: 77 };
    S.dmaCopy(out.at(1), src.at(1), { shape: [2, n], srcStrides: [n + 1, 1], padding });
  });
  for (let n = 0; n < 40; n++) {
    const src = Uint8Array.from({ length: 100 }, (_, i) => i + 100);
    const out = new Uint8Array(200);
    execute(k, [out, src, n, n % 4]);
    const width = (n % 4) + n + 1;
    const want = new Uint8Array(200);
    for (let r = 0; r < 3; r++)
      for (let c = 0; c < width; c++) {
        const inside = r > 0 && c >= n % 4 && c < (n % 4) + n;
        want[1 + r * width + c] = inside ? (src[1 + (r - 1) * (n + 1) + c - (n % 4)] as number) : 77;
      }
    expect([...out]).toEqual([...want]);
  }
});

test("hints change nothing", () => {
  const k = kernel([ptr(f32), ptr(f32), i32], function hints(y, x, n) {
    S.prefetch(x, n);
    S.prefetch(S.alloc(f32, 8), 8);
    if (S.tileId() === 0) S.dmaCopy(y, x, n);
    S.flushCache(y, n);
    S.flushCache();
  });
  const y = new Float32Array(8);
  execute(k, [y, Float32Array.of(1, 2, 3), 3]);
  expect([...y]).toEqual([1, 2, 3, 0, 0, 0, 0, 0]);
});

test("a barrier waits for events that it is given", () => {
  const k = kernel([ptr(f32), ptr(f32)], function exchange(y, x) {
    const shared = S.alloc(f32, 16, "l3");
    const id = S.tileId();
    const events = S.allocEvents(2);
    S.asyncDmaCopy(shared.at(8 * id), x.at(8 * id), 4, events[0]);
    S.asyncDmaMemset(shared.at(8 * id + 4), id, 4, events[1]);
    S.barrier({ events });
    S.dmaCopy(y.at(8 * id), shared.at(8 * (1 - id)), 8);
    S.asyncDmaMemset(y.at(16 + id), 5, 1, events[0]);
    S.barrier({ events: events[0] });
    S.freeEvents(events);
  });
  const y = new Float32Array(18);
  execute(k, [y, Float32Array.from({ length: 16 }, (_, i) => i + 10)], { tiles: 2 });
  expect([...y]).toEqual([18, 19, 20, 21, 1, 1, 1, 1, 10, 11, 12, 13, 0, 0, 0, 0, 5, 5]);
});
