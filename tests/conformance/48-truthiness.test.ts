/** What is true: 0, -0, NaN, subnormals, infinities, booleans, in every place that asks; null pointers and empty arrays. */
import { i32, kernel, ptr, S } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { corners, NUMERIC } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";
import { expectLikeJavaScript, type Written } from "./like-javascript.ts";

/** Every place that asks whether x.get(i), a or b is true. */
const places: Written = (out, x, a, b) => {
  for (let i = 0; i < 16; i++) {
    const v = x.get(i);
    let bits = 0;
    if (v) bits += 1;
    if (!v) bits += 2;
    bits += v ? 4 : 8;
    while (v && bits < 16) bits += 16;
    do bits += 32;
    while (v && bits < 80);
    for (let n = 0; v && n < 1; n++) bits += 1;
    if (v && a) bits += 1;
    if (v || b) bits += 2;
    if (!!v === Boolean(v)) bits += 4;
    if (!v !== !!v) bits += 8;
    out.set(i, bits % 128);
    out.set(16 + i, (v || 5) === v ? 1 : 0);
    out.set(32 + i, (v && 6) === 6 ? 1 : 0);
    out.set(48 + i, Number(Boolean(v)) + Number(!v) * 2);
  }
  out.set(64, (a ? 1 : 0) + (b ? 2 : 0) + (a && b ? 4 : 0) + (a || b ? 8 : 0));
  out.set(65, (!a ? 1 : 0) + (b ? 2 : 0) + (a - a ? 4 : 0) + (a * b ? 8 : 0));
};

group(48, () => {
  describe.each(NUMERIC)("%s", (name) => {
    test("values of memory and parameters", () => {
      const values = [...corners(name), ...new Array<number>(16).fill(0)].slice(0, 16);
      const [one, none] = [corners(name).at(-1) as number, 0];
      expectLikeJavaScript(places, {
        outputs: 66,
        x: values,
        scalars: [one, none, 1].flatMap((a) => [none, one].map((b) => [a, b] as const)),
        dtypes: [["i32", name, name]],
      });
    });
  });

  test("results of arithmetic that are NaN, -0 and almost 0", () => {
    const program: Written = (out, _x, a, b) => {
      const tests = [
        a / b,
        a - b,
        a * b,
        a % b,
        -a,
        a * 1e-30 * 1e-30,
        Math.sqrt(a),
        Math.fround(b) * 0,
        a + b,
      ];
      for (const i of S.unroll(9)) out.set(i, tests[i] ? 1 : 2);
    };
    const values = [0, -0, 1, -1, Number.NaN, Infinity, 2 ** -149];
    expectLikeJavaScript(program, {
      outputs: 9,
      x: [0],
      scalars: values.flatMap((a) => values.map((b) => [a, b] as const)),
      dtypes: [["i32", "f32", "f32"]],
    });
  });

  test("what is known when compiled: empty strings and arrays, null, undefined, objects", () => {
    const things: readonly unknown[] = ["", "a", [], {}, null, undefined, 0, -0, Number.NaN, 1, false, true];
    const program: Written = (out, _x, a) => {
      for (const i of S.unroll(12)) {
        if (things[i]) out.set(i, a);
        else out.set(i, -a);
      }
    };
    expectLikeJavaScript(program, { outputs: 12, x: [0], scalars: [[7, 0]] });
  });

  test("booleans and null pointers", () => {
    const k = kernel([ptr(i32), ptr(i32), i32], function pointers(out, maybe, n) {
      out.set(0, maybe.isNull ? 1 : 2);
      out.set(1, !maybe.isNull && n ? maybe.get() : 3);
      const both = n > 1;
      out.set(2, both ? 4 : 5);
      out.set(3, Number(both && !maybe.isNull));
    });
    for (const n of [0, 1, 2])
      for (const maybe of [null, Int32Array.of(70)]) {
        const out = new Int32Array(4);
        execute(k, [out, maybe, n], { tiles: 1 });
        expect([...out]).toEqual([
          maybe ? 2 : 1,
          maybe && n ? 70 : 3,
          n > 1 ? 4 : 5,
          Number(n > 1 && maybe !== null),
        ]);
      }
  });
});
