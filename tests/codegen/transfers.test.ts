/** Random boxes, gathers and fills as KIR: interpreted, compiled with and without checks, and moved by plain loops. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { threeWays } from "./threeway.ts";

const SIZE = 512;

interface BoxPlan {
  readonly counts: readonly number[];
  readonly src: readonly number[];
  readonly dst: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly padded: boolean;
  readonly value: number;
}

/** Boxes within SIZE elements whose destination elements are distinct: dimensions get strides in any order. */
const boxes: fc.Arbitrary<BoxPlan> = fc.integer({ min: 1, max: 5 }).chain((dims) => {
  const list = (max: number) => fc.array(fc.nat(max), { minLength: dims, maxLength: dims });
  return fc
    .record({
      counts: list(dims > 3 ? 2 : 4),
      before: list(1),
      after: list(1),
      gaps: list(2),
      src: list(dims > 3 ? 12 : 24),
      order: fc.shuffledSubarray([...new Array(dims).keys()], { minLength: dims, maxLength: dims }),
      padded: fc.boolean(),
      value: fc.integer({ min: -5, max: 5 }),
    })
    .map(({ order, gaps, ...p }) => {
      const dst = new Array<number>(dims).fill(0);
      let stride = 1;
      for (const d of order) {
        stride += gaps[d] as number;
        dst[d] = stride;
        stride *= Math.max(
          1,
          (p.counts[d] as number) + (p.padded ? (p.before[d] as number) + (p.after[d] as number) : 0),
        );
      }
      return { ...p, dst };
    })
    .filter(
      ({ dst, src, counts, before, after }) =>
        dst.reduce(
          (s, x, d) => s + x * ((counts[d] as number) + (before[d] as number) + (after[d] as number)),
          1,
        ) < SIZE && src.reduce((s, x, d) => s + x * (counts[d] as number), 1) < SIZE,
    );
});

function moved(out: number[], x: ArrayLike<number>, p: BoxPlan): number[] {
  const walk = (index: number[]): void => {
    const d = index.length;
    if (d === p.counts.length) {
      const inner = index.map((i, k) => i - (p.padded ? (p.before[k] as number) : 0));
      const inside = inner.every((i, k) => i >= 0 && i < (p.counts[k] as number));
      const at = index.reduce((s, i, k) => s + i * (p.dst[k] as number), 0);
      const from = inner.reduce((s, i, k) => s + i * (p.src[k] as number), 0);
      out[at] = inside ? (x[from] as number) : p.value;
      return;
    }
    const pad = p.padded ? (p.before[d] as number) + (p.after[d] as number) : 0;
    for (let i = 0; i < (p.counts[d] as number) + pad; i++) walk([...index, i]);
  };
  walk([]);
  return out;
}

const ARRAYS = { i8: Int8Array, i16: Int16Array, f32: Float32Array };

test.each(["i8", "i16", "f32"] as const)("boxes of %s", (d) => {
  const x = new ARRAYS[d](Array.from({ length: SIZE }, (_, i) => (i * 37) % 101));
  fc.assert(
    fc.property(boxes, (p) => {
      const lists = [p.counts, p.src, p.dst, ...(p.padded ? [p.before, p.after] : [])].flat();
      const value = p.padded ? `, ${d === "f32" ? `${p.value}:f32` : p.value}` : "";
      const attrs = `{dims: ${p.counts.length}${p.padded ? ", padded" : ""}}`;
      const text = `kir 1, level: virtual
kernel @k(%y: ptr<${d}, global>, %x: ptr<${d}, global>) {
  dma_nd ${attrs} %y, %x, ${lists.join(", ")}${value}
}
`;
      const [y] = threeWays(text, [new ARRAYS[d](SIZE), x]);
      expect([...(y as unknown as Iterable<number>)]).toEqual(moved(new Array<number>(SIZE).fill(0), x, p));
    }),
    { numRuns: 40, seed: 5 },
  );
});
