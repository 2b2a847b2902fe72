/** e^x over scratch tiles: every f16 and bf16 value, and many of f32, against Math.exp rounded once. */
import { f32, i32, kernel, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  DTYPES,
  expectNumbers,
  FLOATS,
  type FloatName,
  held,
  hostArray,
  numbersOf,
  sizesAround,
  TILES,
  zeros,
} from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** Every value of a 16-bit format; of f32 one bit pattern in 65537, which is coprime to the rest. */
function everyValue(name: FloatName): number[] {
  const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
  if (name !== "f32") return numbersOf(name, bits);
  return [...new Float32Array(Uint32Array.from({ length: 65537 }, (_, i) => i * 65535).buffer)];
}

group(8, () => {
  describe.each(FLOATS)("%s", (name) => {
    const dtype = DTYPES[name];
    const lanes = 256 / dtype.bits;
    const TILE = 64;
    const params = [ptr(dtype), ptr(dtype, { const: true }), i32] as const;

    const inScratch = kernel(params, function inScratch(out, x, n) {
      const tile = S.alloc(dtype, TILE);
      for (let start = S.tileId() * TILE; start < n; start += S.tileCount() * TILE) {
        const length = Math.min(TILE, n - start);
        S.dmaCopy(tile, x.at(start), length);
        for (let i = 0; i < length; i += lanes) {
          const mask = S.tailMask(length - i, lanes);
          S.vstore(S.vexp(S.vload(tile.at(i), { mask })), tile.at(i), { mask });
        }
        S.dmaCopy(out.at(start), tile, length);
      }
    });
    /** Narrow data, arithmetic in f32: two registers of results make one. */
    const widened = kernel(params, function widened(out, x, n) {
      for (let i = S.tileId() * 16; i < n; i += S.tileCount() * 16) {
        const mask = S.tailMask(n - i, 16);
        const v = S.vload(x.at(i), { mask, r: 0 });
        const low = S.vexp(S.cast(v, f32, { part: "low" }));
        const high = S.vexp(S.cast(v, f32, { part: "high" }));
        if (dtype.bits === 16) S.vstore(S.cast([low, high], dtype), out.at(i), { mask });
        else S.vstore(S.vexp(v), out.at(i), { mask });
      }
    });

    test("any size, any number of tiles", () => {
      for (const n of sizesAround(lanes)) {
        const x = Array.from({ length: n }, (_, i) => held(name, ((i * 37) % 401) / 16 - 12));
        for (const machine of TILES) {
          const out = zeros(name, n);
          execute(inScratch, [out, hostArray(name, x), n], machine);
          const want = x.map((v) => held(name, Math.exp(v)));
          expectNumbers(name, out, want);
        }
      }
    });
    test("all values", () => {
      const x = everyValue(name);
      const out = zeros(name, x.length);
      execute(inScratch, [out, hostArray(name, x), x.length]);
      const want = x.map((v) => held(name, Math.exp(v)));
      expectNumbers(name, out, want);
    });
    test("through f32", () => {
      const x = everyValue(name).filter((_, i) => i % 31 === 0);
      const out = zeros(name, x.length);
      execute(widened, [out, hostArray(name, x), x.length]);
      const want = x.map((v) => held(name, Math.fround(Math.exp(v))));
      expectNumbers(name, out, want);
    });
  });
});
