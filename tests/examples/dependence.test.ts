/** The example that finds what correlation misses. */
import { expect, test } from "vitest";
import { correlation, dataSets, findDependences } from "../../examples/dependence/main.ts";
import { scatterPlots } from "../../examples/dependence/plot.ts";

const findings = findDependences(dataSets(1000));
const found = (name: string) => {
  const finding = findings.find((f) => f.name === name);
  if (finding === undefined) throw new TypeError(name);
  return finding;
};

test("correlation sees the line alone, information all dependences and no other", () => {
  expect(found("line").correlation).toBeGreaterThan(0.9);
  for (const name of ["parabola", "circle", "wave", "none"])
    expect(Math.abs(found(name).correlation), name).toBeLessThan(0.1);
  for (const name of ["line", "parabola", "circle", "wave"])
    expect(found(name).information, name).toBeGreaterThan(0.5);
  expect(Math.abs(found("none").information)).toBeLessThan(0.1);
});

test("correlation of what is known", () => {
  expect(correlation(Float32Array.of(1, 2, 3), Float32Array.of(2, 4, 6))).toBeCloseTo(1, 12);
  expect(correlation(Float32Array.of(1, 2, 3), Float32Array.of(1, -2, 1))).toBeCloseTo(0, 12);
});

test("a plot has a picture and both figures for each data set", () => {
  const svg = scatterPlots(findings);
  expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
  for (const f of findings) {
    expect(svg).toContain(`>${f.name}</text>`);
    expect(svg).toContain(`information ${f.information.toFixed(2)} nats`);
  }
  expect(svg.match(/<circle /g)?.length).toBe(5 * 500);
  expect(svg).not.toContain("NaN");
});
