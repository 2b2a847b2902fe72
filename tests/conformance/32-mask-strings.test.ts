/** Mask strings: counts, runs, separators, against an expansion by regular expressions; everywhere that a mask may stand; malformed ones. */
import { bool, KpuError, kernel, type NumD, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { DTYPES, expectNumbers, hostArray, NUMERIC, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

/** A count repeats the letters that follow it, up to the next digit. */
function expanded(text: string): string {
  return text
    .replaceAll("_", "")
    .replace(/(\d+)([TF]+)/g, (_, n: string, run: string) => run.repeat(Number(n)));
}

const STRINGS: readonly string[] = [
  "T",
  "F",
  "8T",
  "2FFFT3T",
  "4T1F",
  "T_F_T",
  "2TF",
  "16F",
  "1T",
  "12TF",
  "TTFF",
  "T2F3T",
  "2T_3F_2T",
  "10TFF",
  "3TFT2FF",
  "100F",
  "31FT",
  "F7T",
  ...Array.from({ length: 24 }, (_, k) => {
    const h = Math.imul(k + 1, 0x9e3779b1) >>> 0;
    const run = (bits: number): string =>
      [...(bits & 7).toString(2)].map((b) => (b === "1" ? "T" : "F")).join("");
    return `${run(h)}${(h >>> 4) % 5 || 1}${run(h >>> 8)}${h & 0x1000 ? "_" : ""}${(h >>> 13) % 12 || 2}${run(h >>> 17)}`;
  }),
];

group(32, () => {
  test.each(STRINGS)("%s", (text) => {
    const want = [...expanded(text)].map((c) => c === "T");
    const lanes = want.length;
    const k = kernel([ptr(bool), ptr(bool)], function strings(out, p) {
      if (S.tileId() !== 0) return;
      S.vstore(S.constMask(text), out);
      S.vstore(S.vbcast(true, bool, { lanes, mask: text }), out.at(lanes));
      S.vstore(S.vand(S.vload(p, { lanes }), S.constMask(text)), out.at(2 * lanes));
      S.vstore(S.vbcast(true, bool, lanes), out.at(3 * lanes), { mask: text });
    });
    const p = want.map((_, i) => i % 3 !== 0);
    const out = new Uint8Array(4 * lanes);
    execute(k, [out, Uint8Array.from(p, Number)]);
    expect([...out]).toEqual([...want, ...want, ...want.map((b, i) => b && p[i]), ...want].map(Number));
  });

  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    test("wherever a mask may stand, beside arrays of booleans and masks", () => {
      const text = "3TF_2FT5T";
      const want = [...expanded(text)].map((c) => c === "T");
      const lanes = want.length;
      const k = kernel([ptr(dtype), ptr(dtype)], function everywhere(out, p) {
        if (S.tileId() !== 0) return;
        const x = S.vload(p, { lanes });
        S.vstore(S.vload(p, { mask: text }), out);
        S.vstore(S.vload(p, { mask: want, r: 2 }), out.at(lanes));
        S.vstore(S.vmin(x, 1, { mask: text, r: 3 }), out.at(2 * lanes));
        S.vstore(S.vmin(x, 1, { mask: want, r: 3 }), out.at(3 * lanes));
        S.vstore(S.vsel(x, 4, S.constMask(text)), out.at(4 * lanes));
        S.vstore(x, out.at(5 * lanes), { mask: text });
        S.vstore(x, out.at(6 * lanes), { mask: want });
        S.vstore(S.vcompt(x, S.constMask(text)), out.at(7 * lanes));
        out.set(8 * lanes, S.vrpmax(x, { mask: text }));
      });
      const x = samples(name, lanes);
      const out = hostArray(name, new Array<number>(8 * lanes + 1).fill(9));
      execute(k, [out, hostArray(name, x)]);
      const pick = (f: (v: number) => number, r: number): number[] => x.map((v, i) => (want[i] ? f(v) : r));
      const active = x.filter((_, i) => want[i]);
      const least = pick((v) => Math.min(v, 1), 3);
      expectNumbers(name, out, [
        ...pick((v) => v, 0),
        ...pick((v) => v, 2),
        ...least,
        ...least,
        ...pick((v) => v, 4),
        ...pick((v) => v, 9),
        ...pick((v) => v, 9),
        ...x.map((_, i) => active[i] ?? 0),
        Math.max(...active),
      ]);
    });
  });

  test.each(["", "X", "T3", "3", "T F", "t", "TT-F", "0T", "3_"])("%j is refused", (text) => {
    const k = kernel([ptr(bool)], function malformed(out) {
      S.vstore(S.constMask(text), out);
    });
    let error: unknown;
    try {
      execute(k, [new Uint8Array(64)]);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(KpuError);
    expect((error as KpuError).code).toBe("KPU3008");
    expect((error as KpuError).diagnostics[0]?.location?.line).toBeGreaterThan(0);
  });
});
