/** Lengths known when the kernel is made: blocks move into scratch memory, are added there, and move out. */
import { kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import { DTYPES, NUMERIC } from "../harness/arrays.ts";
import { expectAdds } from "./adding.ts";
import { group } from "./group.ts";

type Scratch = "local" | "l2" | "private";

/** Adds `n` elements in blocks of `block`; the last one may be shorter. All numbers are static. */
function adder(dtype: NumD, n: number, block: number, scope: Scratch) {
  const lanes = 256 / dtype.bits;
  const blocks = Math.ceil(n / block);
  return kernel([ptr(dtype), ptr(dtype), ptr(dtype)], function staticAdd(out, x, y) {
    const a = S.alloc(dtype, block, scope);
    const b = S.alloc(dtype, block, scope);
    for (let k = S.tileId(); k < blocks; k += S.tileCount()) {
      const length = Math.min(block, n - k * block);
      S.dmaCopy(a, x.at(k * block), length);
      S.dmaCopy(b, y.at(k * block), length);
      let i = 0;
      for (; i + lanes <= length; i += lanes) S.vstore(S.vadd(S.vload(a.at(i)), S.vload(b.at(i))), a.at(i));
      for (; i < length; i++) a.set(i, a.get(i) + b.get(i));
      S.dmaCopy(out.at(k * block), a, length);
    }
  });
}

group(2, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const none = (): readonly unknown[] => [];

    test.each([0, 1, lanes - 1, lanes, lanes + 1, 128, 997])("%i elements in blocks of 128", (n) => {
      expectAdds(name, adder(dtype, n, 128, "local"), { sizes: [n], rest: none });
    });
    test.each(["local", "l2", "private"] as const)("scratch in %s", (scope) => {
      expectAdds(name, adder(dtype, 300, 64, scope), { sizes: [300], rest: none });
    });
    test.each([1, lanes - 1, lanes + 1])("blocks of %i elements", (block) => {
      expectAdds(name, adder(dtype, 101, block, "local"), { sizes: [101], rest: none });
    });
    test("one block per tile, all loops unrolled", () => {
      const add = kernel([ptr(dtype), ptr(dtype), ptr(dtype)], function unrolled(out, x, y) {
        const a = S.alloc(dtype, [2, 2 * lanes]);
        const at = S.tileId() * 2 * lanes;
        S.dmaCopy(a.at(0), x.at(at), 2 * lanes);
        S.dmaCopy(a.at(1), y.at(at), 2 * lanes);
        for (const u of S.unroll(2))
          S.vstore(S.vadd(S.vload(a.at(0, u * lanes)), S.vload(a.at(1, u * lanes))), out.at(at + u * lanes));
      });
      for (const tiles of [1, 2, 32])
        expectAdds(name, add, {
          sizes: [tiles * 2 * lanes],
          machines: [{ target: "t64", tiles }],
          rest: none,
        });
    });
  });
});
