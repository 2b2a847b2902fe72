/** A sample of `npm run test:accuracy`, and what it stands on. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FLOATS } from "../../ir/dtype.ts";
import { nearest } from "../ir/exact.ts";
import { random, strata } from "./inputs.ts";
import { NAMES } from "./measure.ts";
import { PRECISE } from "./precise.ts";
import { correct, FAST, TRUST } from "./reference.ts";
import { accuracy, SAMPLE } from "./sets.ts";
import { broken, document, rowsOf } from "./table.ts";

describe("a sample of the inputs", () => {
  for (const name of NAMES) {
    test(name, () => {
      for (const d of FLOATS) {
        const row = accuracy(name, d, SAMPLE);
        expect(broken(row), row.worst.join("\n")).toBe(false);
        // All but a few in a thousand f32 are the nearest too.
        expect(row.notNearest, row.worst.join("\n")).toBeLessThan(row.inputs / 1000);
      }
    });
  }
});

test("what the reference takes from float64 is as good as it trusts", () => {
  const next = random(9);
  const values = strata(1, 7).filter((x) => Number.isFinite(x) && x !== 0);
  for (const name of Object.keys(FAST)) {
    const [fast, precise] = [FAST[name], PRECISE[name]] as [(typeof FAST)[string], (typeof PRECISE)[string]];
    for (let i = 0; i < 40; i++) {
      const x = values[next(values.length)] as number;
      const y = Math.fround(next(400) / 8 - 25);
      const v = fast(x, y);
      // Where it is finite in every dtype, and no constant.
      if (!(Math.abs(v) >= 2 ** -152) || Math.abs(v) > 2 ** 128 || Math.abs(v) === 1) continue;
      const exact = nearest("f64", precise(x, y));
      expect(Math.abs(v - exact) / Math.abs(exact), `${name}(${x}, ${y})`).toBeLessThan(TRUST / 4);
    }
  }
});

test("the reference decides half-way cases exactly", () => {
  // 1.5^7 lies in the middle of two f16; gelu is near the middle of two subnormals.
  expect(correct("pow", "f16", 1.5, 7)).toBe(17.09375);
  expect(correct("gelu", "bf16", 5 * 2 ** -133, 0)).toBe(3 * 2 ** -133);
  expect(correct("gelu", "bf16", -5 * 2 ** -133, 0)).toBe(-2 * 2 ** -133);
});

test("docs/accuracy.md has a row for every function and dtype, and keeps the promises", () => {
  const text = readFileSync(new URL("../../docs/accuracy.md", import.meta.url), "utf8");
  const rows = rowsOf(text);
  expect(text).toBe(document(rows));
  expect(rows.map(([name, d]) => `${name} ${d}`)).toEqual(
    NAMES.flatMap((name) => FLOATS.map((d) => `\`${name}\` ${d}`)),
  );
  for (const [name, d, inputs, error, wrong] of rows) {
    expect(Number(inputs), `${name} ${d}`).toBeGreaterThanOrEqual(d === "f32" ? 1_000_000 : 65536);
    expect(Number(error)).toBeLessThanOrEqual(d === "f32" ? 1 : 0.5);
    if (d !== "f32") expect(wrong).toBe("0");
  }
});
