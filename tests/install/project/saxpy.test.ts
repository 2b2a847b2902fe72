import { build } from "kpu-dsl";
import "kpu-dsl/vitest";
import { expect, test } from "vitest";
import { saxpy } from "./saxpy.ts";

const x = new Float32Array([1, 2, 3, 4, 5]);

test("direct", () => {
  const y = new Float32Array([10, 20, 30, 40, 50]);
  saxpy(x, y, 2, 5);
  expect([...y]).toEqual([12, 24, 36, 48, 60]);
});
test("compiled", () => {
  const y = new Float32Array([10, 20, 30, 40, 50]);
  build(saxpy).run(x, y, 2, 5);
  expect([...y]).toEqual([12, 24, 36, 48, 60]);
});
test("agree", () => {
  expect(saxpy).toAgree({ runs: 20 });
});
