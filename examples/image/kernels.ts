/** Three kernels over 8-bit images: grey, a 5x5 blur, a histogram. */
import { describeInputs, i32, kernel, ptr, S, u8, u16, u32 } from "kpu-dsl";

const LANES = 16;

/** Luma of packed RGB pixels, (77 R + 150 G + 29 B) / 256 rounded: the weights of BT.601 in 8-bit fractions. */
export const grey = kernel([ptr(u8), ptr(u8, { const: true }), i32], function grey(out, rgb, pixels) {
  for (let i = S.tileId() * LANES; i < pixels; i += S.tileCount() * LANES) {
    const mask = S.tailMask(pixels - i, LANES);
    const r = S.cast(S.vload(rgb.at(3 * i), { mask, stride: 3 }), u16);
    const g = S.cast(S.vload(rgb.at(3 * i + 1), { mask, stride: 3 }), u16);
    const b = S.cast(S.vload(rgb.at(3 * i + 2), { mask, stride: 3 }), u16);
    const luma = S.vadd(S.vadd(S.vmul(r, 77), S.vmul(g, 150)), S.vmul(b, 29));
    S.vstore(S.cast(S.vsr(S.vadd(luma, 128), 8), u8), out.at(i), { mask });
  }
});

const MAX_WIDTH = 4096;

/**
 * 5x5 binomial blur (1 4 6 4 1 in both directions, over 256, rounded), edges repeated. A row is summed down its five
 * source rows into scratch memory first, then along it. All sums fit 16 bits: 255 * 256 + 128.
 */
export const blur = kernel(
  [ptr(u8), ptr(u8, { const: true }), i32, i32],
  function blur(out, image, height, width) {
    S.assert(width <= MAX_WIDTH, "blur: at most 4096 pixels per row");
    /** Two pixels of padding on either side. */
    const columns = S.alloc(u16, MAX_WIDTH + 4);
    for (let y = S.tileId(); y < height; y += S.tileCount()) {
      const r0 = image.at(Math.max(y - 2, 0) * width);
      const r1 = image.at(Math.max(y - 1, 0) * width);
      const r2 = image.at(y * width);
      const r3 = image.at(Math.min(y + 1, height - 1) * width);
      const r4 = image.at(Math.min(y + 2, height - 1) * width);
      for (let x = 0; x < width; x += LANES) {
        const mask = S.tailMask(width - x, LANES);
        const outer = S.vadd(
          S.cast(S.vload(r0.at(x), { mask }), u16),
          S.cast(S.vload(r4.at(x), { mask }), u16),
        );
        const inner = S.vadd(
          S.cast(S.vload(r1.at(x), { mask }), u16),
          S.cast(S.vload(r3.at(x), { mask }), u16),
        );
        const centre = S.cast(S.vload(r2.at(x), { mask }), u16);
        S.vstore(S.vadd(S.vadd(outer, S.vmul(inner, 4)), S.vmul(centre, 6)), columns.at(x + 2), { mask });
      }
      if (width > 0) {
        for (const pad of S.unroll(2)) {
          columns.set(pad, columns.get(2));
          columns.set(width + 2 + pad, columns.get(width + 1));
        }
      }
      for (let x = 0; x < width; x += LANES) {
        const mask = S.tailMask(width - x, LANES);
        const outer = S.vadd(S.vload(columns.at(x), { mask }), S.vload(columns.at(x + 4), { mask }));
        const inner = S.vadd(S.vload(columns.at(x + 1), { mask }), S.vload(columns.at(x + 3), { mask }));
        const sum = S.vadd(S.vadd(outer, S.vmul(inner, 4)), S.vmul(S.vload(columns.at(x + 2), { mask }), 6));
        S.vstore(S.cast(S.vsr(S.vadd(sum, 128), 8), u8), out.at(y * width + x), { mask });
      }
    }
  },
);

const BINS = 256;
const MAX_TILES = 64;

/** Counts of the 256 grey levels: private counts per tile, shared through l3, merged bin by bin after a barrier. */
export const histogram = kernel(
  [ptr(u32), ptr(u8, { const: true }), i32],
  function histogram(counts, image, pixels) {
    S.assert(S.tileCount() <= MAX_TILES, "histogram: at most 64 tiles");
    const own = S.alloc(u32, BINS);
    const all = S.alloc(u32, [MAX_TILES, BINS], "l3");
    S.dmaMemset(own, 0, BINS);
    for (let i = S.tileId(); i < pixels; i += S.tileCount()) {
      const level = image.get(i);
      own.set(level, own.get(level) + 1);
    }
    S.dmaCopy(all.at(S.tileId()), own, BINS);
    S.barrier();
    for (let bin = S.tileId() * 8; bin < BINS; bin += S.tileCount() * 8) {
      let sum = S.vbcast(0, u32, 8);
      for (let t = 0; t < S.tileCount(); t++) sum = S.vadd(sum, S.vload(all.at(t, bin), { lanes: 8 }));
      S.vstore(sum, counts.at(bin));
    }
  },
);

describeInputs(grey, (g) => {
  const pixels = g.size();
  return [g.array(u8, pixels), g.array(u8, 3 * pixels), pixels];
});
describeInputs(blur, (g) => {
  const height = g.size(0, 9);
  const width = g.size(0, 40);
  return [g.array(u8, height * width), g.array(u8, height * width), height, width];
});
describeInputs(histogram, (g) => {
  const pixels = g.size();
  return [g.array(u32, BINS), g.array(u8, pixels), pixels];
});
