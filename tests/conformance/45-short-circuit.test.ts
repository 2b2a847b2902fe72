/** Ternaries, &&, || and ?? with assignments, stores and loads in their arms. */
import { test } from "vitest";
import { group } from "./group.ts";
import { expectLikeJavaScript, FLOAT_PAIRS, INTEGER_PAIRS, type Written } from "./like-javascript.ts";

const PROGRAMS: Readonly<Record<string, Written>> = {
  "counters in the arms": (out, _x, a, b) => {
    let count = 0;
    const first = a > 0 && ((count += 1), b > 0);
    const second = a > 0 || ((count += 10), b > 0);
    const third = a > b ? ((count += 100), a) : ((count += 1000), b);
    let i = 0;
    out.set(i++, first ? 1 : 0);
    out.set(i++, second ? 1 : 0);
    out.set(i++, third);
    if (a > 5 && i++ > 0) out.set(i, 7);
    out.set(5, count);
    out.set(6, i);
  },
  "stores in the arms": (out, _x, a, b) => {
    const store = (at: number, v: number): number => {
      out.set(at, v);
      return v;
    };
    const sum = a > b ? store(0, a) + store(1, b) : store(1, a) - store(2, b);
    a > 0 && store(3, 5);
    a > 0 || store(4, 6);
    store(5, a > 1 ? (b > 1 ? store(6, 1) : store(7, 2)) : store(8, 3));
    store(9, sum);
  },
  "loads that only one arm may make": (out, x, a, b) => {
    const at = a > 0 && a < 8 ? x.get(a) : -1;
    out.set(0, at);
    out.set(1, b >= 0 && b < 8 && x.get(b) > 1 ? x.get(b) : -2);
    out.set(2, a >= 0 && b >= 0 && a + b < 8 ? x.get(a + b) : a < 0 ? x.get(-a) : 9);
  },
  "values of && and ||": (out, _x, a, b) => {
    out.set(0, a && b);
    out.set(1, a || b);
    out.set(2, (a && b) || 7);
    out.set(3, (a || b) && 8);
    out.set(4, a && (b || 3));
    out.set(5, (a && b && a + b) || (b && a) || -4);
  },
  "logical assignment": (out, _x, a, b) => {
    let [p, q, r] = [a, b, 0];
    let n = 0;
    p &&= (n++, b + 1);
    q ||= ((n += 10), a + 2);
    r ||= p;
    r &&= q;
    [p, q, r, n].forEach((v, i) => {
      out.set(i, v);
    });
  },
  "chains evaluate from the left until one decides": (out, _x, a, b) => {
    let trace = 0;
    const step = (digit: number, value: boolean): boolean => {
      trace = trace * 10 + digit;
      return value;
    };
    const all = step(1, a > 0) && step(2, b > 0) && step(3, a > b);
    const any = step(4, a < 0) || step(5, b < 0) || step(6, a === b);
    const mixed = (step(7, a > 1) || step(8, b > 1)) && !step(9, a > 4);
    out.set(0, trace % 10007);
    out.set(1, (all ? 1 : 0) + (any ? 2 : 0) + (mixed ? 4 : 0));
  },
  "in conditions of loops": (out, x, a, b) => {
    let i = 0;
    while (i < 8 && x.get(i) !== a && (b < 3 || i < b)) i++;
    let j = 8;
    do j--;
    while (j > 0 && x.get(j) > b);
    for (let k = 0; k < 8 && (a > 0 || k < 2); k++) out.set(2 + k, k);
    out.set(0, i);
    out.set(1, j);
  },
  "nested ternaries with increments": (out, _x, a, b) => {
    let n = a;
    const v = n++ > b ? (n-- > 2 ? n++ : --n) : n++ + ++n;
    out.set(0, n);
    out.set(1, v);
    out.set(2, (n > v ? n : v) - (n < v ? n : v));
  },
};
const X = [5, 1, -2, 0, 7, 8, 3, 2];

group(45, () => {
  test.each(Object.entries(PROGRAMS))("%s", (name, program) => {
    expectLikeJavaScript(program, {
      outputs: 10,
      x: X,
      scalars: INTEGER_PAIRS,
      dtypes: [
        ["i32", "i32", "i32"],
        ["f32", "i8", "i16"],
      ],
    });
    // What indexes memory must be an integer.
    if (name.startsWith("loads")) return;
    expectLikeJavaScript(program, {
      outputs: 10,
      x: X,
      scalars: FLOAT_PAIRS,
      dtypes: [
        ["f32", "f32", "f32"],
        ["f16", "u8", "bf16"],
      ],
    });
  });
});
