/** Parameters and locals assigned again, swaps by destructuring, shadowing, compound assignment, arrays and objects of values. */
import { S } from "kpu-dsl";
import { test } from "vitest";
import { group } from "./group.ts";
import { expectLikeJavaScript, FLOAT_PAIRS, INTEGER_PAIRS, type Written } from "./like-javascript.ts";

const PROGRAMS: Readonly<Record<string, Written>> = {
  "parameters assigned again": (out, x, a, b) => {
    if (a > b) [a, b] = [b, a];
    out.set(0, a);
    a += 100;
    b = a - b;
    out.set(1, a);
    out.set(2, b);
    out = out.at(3);
    x = x.at(2);
    out.set(0, x.get());
    x = a > 102 ? x.at(1) : x.at(-1);
    out.set(1, x.get());
  },
  "swaps and rotations": (out, _x, a, b) => {
    let [p, q, r] = [a, b, a - b];
    for (let i = 0; i < 4; i++) [p, q, r] = [q, r, p + i];
    out.set(0, p);
    out.set(1, q);
    out.set(2, r);
    [p, q] = [q, p];
    [q, r] = [p * 2, q];
    out.set(3, p - q + r);
  },
  shadowing: (out, _x, a, b) => {
    const v = a;
    {
      const v = b;
      out.set(0, v);
      {
        const a = v + 1;
        out.set(1, a);
      }
    }
    for (let v = 0; v < 2; v++) {
      const b = v * 10;
      out.set(2 + v, b);
    }
    const inner = (v: number, out_: number): number => {
      const a = v + out_;
      return a;
    };
    out.set(4, inner(v, b));
    out.set(5, v + a + b);
  },
  "compound assignment of every kind": (out, _x, a, b) => {
    let v = a;
    let at = 0;
    const keep = (): void => {
      out.set(at++, v);
    };
    v += b;
    keep();
    v -= 3;
    keep();
    v *= b;
    keep();
    v /= 4;
    keep();
    v %= 5;
    keep();
    v |= 12;
    keep();
    v &= 29;
    keep();
    v ^= b;
    keep();
    v <<= 2;
    keep();
    v >>= 1;
    keep();
    v >>>= 1;
    out.set(at, v % 1000);
  },
  "increments as values": (out, _x, a, b) => {
    let i = a;
    let j = b;
    out.set(0, i++ + j--);
    out.set(1, ++i * --j);
    out.set(2, i++ - i++);
    out.set(3, -i-- + +j);
    out.set(4, i);
    out.set(5, j);
  },
  "arrays and objects hold values": (out, x, a, b) => {
    const list = [a, b, 0];
    for (const k of S.unroll(3)) list[k] = list[(k + 1) % 3]! + x.get(k);
    const point = { low: Math.min(a, b), high: Math.max(a, b), in: { sum: a + b } };
    point.low += 1;
    point.in.sum *= 2;
    const {
      low,
      high,
      in: { sum },
    } = point;
    const [first, , third = 9] = list;
    out.set(0, first! - third);
    out.set(1, high - low);
    out.set(2, sum);
    out.set(3, list.length);
    [list[0], list[2]] = [list[2]!, list[0]!];
    out.set(4, list[0] * 3 - list[1]!);
    const { missing = a * 2 } = point as { missing?: number };
    out.set(5, missing);
  },
  "assigned in branches, used after": (out, _x, a, b) => {
    let kind: number;
    let other = 0;
    if (a > b) kind = 1;
    else if (a === b) {
      kind = 2;
      other = b;
    } else kind = 3;
    let late = kind;
    switch (kind) {
      case 1:
        late = a;
        break;
      case 2:
        late += 10;
    }
    out.set(0, kind);
    out.set(1, other);
    out.set(2, late);
    out.set(3, (kind = b) + kind);
  },
  "chained and nested assignment": (out, _x, a, b) => {
    let p = 0;
    let q = 0;
    p = q = a;
    out.set(0, (p = p + 1) + (q += p));
    out.set(1, p + q);
    const r = (p = b) - (q = p * 2);
    out.set(2, r);
    out.set(3, p + q);
  },
};

group(46, () => {
  test.each(Object.entries(PROGRAMS))("%s", (_, program) => {
    const x = [5, 1, -2, 0, 7, 8, 3, 2];
    expectLikeJavaScript(program, {
      outputs: 11,
      x,
      scalars: INTEGER_PAIRS,
      dtypes: [
        ["i32", "i32", "i32"],
        ["f32", "i16", "i8"],
      ],
    });
    expectLikeJavaScript(program, {
      outputs: 11,
      x,
      scalars: FLOAT_PAIRS,
      dtypes: [
        ["f32", "f32", "f32"],
        ["bf16", "i8", "f16"],
      ],
    });
  });
});
