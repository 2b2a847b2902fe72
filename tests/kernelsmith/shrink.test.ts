/** A planted miscompilation, found and shrunk to the lines that show it. */
import { expect, test } from "vitest";
import type { Expr } from "../../ir/kir.ts";
import { mapExprs } from "../../ir/walk.ts";
import {
  evaluate,
  type Finding,
  findingText,
  generate,
  type Program,
  printProgram,
  regressionTest,
  runProgram,
  shrink,
  shrinkBy,
  type Tamper,
} from "../../kernelsmith/index.ts";

/** Compiles vector additions of 32-bit integers as subtractions. */
const wrongAdd: Tamper = (k) => {
  const wrong = (e: Expr): Expr => {
    if (e.kind !== "apply" || e.op !== "add" || e.type.kind !== "vec" || e.type.dtype !== "i32") return e;
    return { ...e, op: "sub" };
  };
  return { ...k, body: mapExprs(k.body, wrong) };
};

test("shrinks to a few lines, prints a test, and keeps the difference", () => {
  let found = 0;
  for (let seed = 1; found < 1 && seed < 3000; seed++) {
    const program = generate(seed, { size: 5 });
    if (
      !/S\.vadd\(/.test(printProgram(program, { types: false })) ||
      !program.params.some((p) => p.dtype === "i32")
    )
      continue;
    const [kernel] = evaluate([program]);
    const finding = runProgram(program, kernel!, { tamper: wrongAdd });
    if (finding === undefined) continue;
    found++;
    expect(finding.kind).toBe("differs");
    const small = shrink(program, finding, { tamper: wrongAdd });
    const source = printProgram(small.program, { types: true });
    expect(source.trim().split("\n").length).toBeLessThanOrEqual(14);
    expect(source).toContain("S.vadd");
    expect(findingText(small.finding)).toMatch(/^KIR of level machine|^compiled/);
    const text = regressionTest(small.program, small.finding);
    expect(text).toContain(`seed ${seed}`);
    expect(text).toContain("expectAgreement(k, [hostArray(");
    // Without the miscompilation the small kernel is right.
    const [again] = evaluate([small.program]);
    expect(runProgram(small.program, again!)).toBeUndefined();
  }
  expect(found).toBe(1);
});

test("no candidate has a loop that does not end", () => {
  let seed = 1;
  const source = (p: Program): string => printProgram(p, { types: false });
  const loops = /\b(while|do)\b/;
  while (!loops.test(source(generate(seed, { size: 12 })))) seed++;
  const finding: Finding = { kind: "refused", code: "KPU3003", message: "" };
  let tried = 0;
  const small = shrinkBy(generate(seed, { size: 12 }), finding, (candidate) => {
    const text = source(candidate);
    tried++;
    // Each has its counter in the condition and its step in the body.
    for (const [, condition] of text.matchAll(/while \((.*)\)/g)) expect(condition).toMatch(/w\d+ < \d/);
    const whiles = text.match(/while \(/g) ?? [];
    expect((text.match(/w\d+\+\+/g) ?? []).length).toBeGreaterThanOrEqual(whiles.length);
    return loops.test(text) ? finding : undefined;
  });
  expect(tried).toBeGreaterThan(10);
  expect(source(small.program)).toMatch(loops);
});
