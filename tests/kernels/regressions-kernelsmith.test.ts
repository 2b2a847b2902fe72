/** Minimal kernels of bugs that `kpu fuzz` found. */
import { f16, i16, kernel, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { hostArray } from "../../ir/elements.ts";
import { execute } from "../harness/execute.ts";

test("a do loop that ends before its condition, which reads memory", () => {
  const always = true;
  const k = kernel([ptr(f16)], function k(y) {
    let w = 0;
    do {
      w++;
      if (always) break;
    } while (w < 2 && 1 < y.get(0));
    y.set(0, w);
  });
  const ys = hostArray("f16", [7, 7]);
  execute(k, [ys], { tiles: 1 });
  expect(ys).toEqual(hostArray("f16", [1, 7]));
});

test("a broadcast takes its lanes from a mask string or array", () => {
  const k = kernel([ptr(i16)], function k(y) {
    S.vstore(S.vbcast(7, i16, { mask: "1T1F1T", r: 2 }), y);
    S.vstore(S.vbcast(5, i16, { mask: [false, true] }), y.at(3));
  });
  const ys = new Int16Array(6).fill(9);
  execute(k, [ys], { tiles: 1 });
  expect([...ys]).toEqual([7, 2, 7, 0, 5, 9]);
});
