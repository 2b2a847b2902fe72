/** while and do with conditions that load from memory: lists, sentinels, searches, merges, fixed points, in every dtype. */
import { describe, test } from "vitest";
import { NUMERIC } from "../harness/arrays.ts";
import { group } from "./group.ts";
import { expectLikeJavaScript, type Written } from "./like-javascript.ts";

/** x: a list of 8 links at 0, sorted numbers at 8, then 0, then sorted numbers at 18. */
const X = [
  3, 1, 0, 5, 2, 1, 6, 4, /* */ 1, 2, 2, 5, 9, 11, 20, 31, 40, /* */ 0, /* */ 2, 3, 9, 10, 30, 31, 50, 90,
];

const PROGRAMS: Readonly<Record<string, Written>> = {
  "a chain of links": (out, x, a) => {
    let at = a & 7;
    let steps = 0;
    while ((x.get(at) | 0) !== at && steps < 20) {
      at = (x.get(at) | 0) & 7;
      steps++;
    }
    out.set(0, at);
    out.set(1, steps);
  },
  "up to a sentinel": (out, x, a) => {
    let n = 0;
    while (x.get(8 + n)) n++;
    out.set(0, n);
    let p = x.at(8);
    let sum = 0;
    while (p.get() > 0 && p.get() < a) {
      sum += p.get();
      p = p.at(1);
    }
    out.set(1, sum % 128);
  },
  "binary search": (out, x, a) => {
    let low = 0;
    let high = 9;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (x.get(8 + middle) < a) low = middle + 1;
      else high = middle;
    }
    out.set(0, low);
  },
  "insertion sort in memory": (out, x, a, b) => {
    const n = Math.min(8, Math.max(0, a & 15));
    for (let i = 0; i < n; i++) out.set(i, (x.get(i) * b) & 63);
    for (let i = 1; i < n; i++) {
      const v = out.get(i);
      let j = i;
      while (j > 0 && out.get(j - 1) > v) {
        out.set(j, out.get(j - 1));
        j--;
      }
      out.set(j, v);
    }
  },
  "merge of two sorted runs": (out, x, a, b) => {
    const [n, m] = [a & 7, b & 7];
    let i = 0;
    let j = 0;
    while (i < n || j < m) {
      if (i < n && (j >= m || x.get(8 + i) <= x.get(18 + j))) out.set(i + j, x.get(8 + i++));
      else out.set(i + j, x.get(18 + j++));
    }
  },
  "do, until memory says so": (out, x, a) => {
    out.set(0, a & 15);
    let rounds = 0;
    do {
      out.set(0, out.get() - x.get(9));
      rounds++;
    } while (out.get(0) > x.get(8) && rounds < 40);
    out.set(1, rounds);
  },
  "a condition that changes what it reads": (out, x, a) => {
    out.set(0, 0);
    const next = (): number => {
      out.set(0, out.get(0) + 1);
      return x.get(7 + out.get(0));
    };
    let sum = 0;
    while (next() < a) sum++;
    out.set(1, sum);
  },
};

group(50, () => {
  describe.each(NUMERIC)("%s", (name) => {
    test.each(Object.entries(PROGRAMS))("%s", (_, program) => {
      expectLikeJavaScript(program, {
        outputs: 16,
        x: X,
        scalars: [
          [0, 1],
          [1, 7],
          [2, 3],
          [5, 5],
          [7, 0],
          [12, 2],
          [40, 63],
        ],
        dtypes: [["i32", name, "i32"]],
      });
    });
  });
});
