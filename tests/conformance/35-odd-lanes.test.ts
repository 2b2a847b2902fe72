/** Lane counts that fill no register evenly, through every elementwise intrinsic of every dtype. */

import { describe, expect, test } from "vitest";
import { INTRINSICS } from "../../dsl/index.ts";
import { NUMERIC } from "../harness/arrays.ts";
import { expectElementwise } from "./elementwise.ts";
import { group } from "./group.ts";
import { elementwiseOf, KNOWN, MASKS } from "./lanewise.ts";

group(35, () => {
  test("every elementwise intrinsic has its truth here", () => {
    const all = INTRINSICS.filter((r) => r.alu !== undefined).map((r) => r.name);
    expect(all.filter((name) => !KNOWN.has(name))).toEqual([]);
  });

  describe.each(NUMERIC)("%s", (name) => {
    const all = elementwiseOf(name);
    test.each([3, 7, 13, 35, 100])("%i lanes", (lanes) => {
      const sizes = lanes === 100 ? [0, 99, 151] : [0, 1, lanes - 1, lanes, lanes + 1, 151];
      for (const masks of [false, true]) {
        const operations = all.filter((o) => MASKS.has(o.name) === masks);
        expectElementwise(operations, { operands: [name], result: masks ? "bool" : name, lanes, sizes });
      }
    });
  });
});
