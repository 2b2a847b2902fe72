/** One element after the other, by scalar loads and stores, over a length known at run time. */
import { i32, kernel, type NumD, type Ptr, ptr, S } from "kpu-dsl";
import { describe, test } from "vitest";
import { DTYPES, NUMERIC, SIZES } from "../harness/arrays.ts";
import { expectAdds } from "./adding.ts";
import { group } from "./group.ts";

type Loop = (out: Ptr<NumD>, x: Ptr<NumD>, y: Ptr<NumD>, n: number) => void;

/** The same loop in the ways authors write it. */
const LOOPS: Readonly<Record<string, Loop>> = {
  "for over an index": (out, x, y, n) => {
    for (let i = 0; i < n; i++) out.set(i, x.get(i) + y.get(i));
  },
  "for of range": (out, x, y, n) => {
    for (const i of S.range(n)) out.set(i, x.get(i) + y.get(i));
  },
  "while, moving pointers": (out, x, y, n) => {
    let left = n;
    while (left > 0) {
      out.set(0, x.get() + y.get());
      out = out.at(1);
      x = x.at(1);
      y = y.at(1);
      left--;
    }
  },
  "do, counting down": (out, x, y, n) => {
    if (n === 0) return;
    let i = n;
    do {
      i -= 1;
      out.set(i, x.get(i) + y.get(i));
    } while (i > 0);
  },
  "endless for with break": (out, x, y, n) => {
    for (let i = 0; ; i++) {
      if (i >= n) break;
      const sum = x.at(i).get() + y.at(i).get();
      out.at(i).set(0, sum);
    }
  },
};

group(1, () => {
  describe.each(NUMERIC)("%s", (name) => {
    const dtype: NumD = DTYPES[name];
    test.each(Object.entries(LOOPS))("%s", (_, loop) => {
      const add = kernel([ptr(dtype), ptr(dtype), ptr(dtype), i32], function add(out, x, y, n) {
        if (S.tileId() === 0) loop(out, x, y, n);
      });
      expectAdds(name, add, { sizes: SIZES, machines: [{}] });
    });
  });
});
