// biome-ignore-all lint/suspicious/noConfusingLabels: labels on blocks are part of the language
/** break and continue, with labels and without, out of every loop, switch and block. */
import { S } from "kpu-dsl";
import { test } from "vitest";
import { group } from "./group.ts";
import { type Cells, expectLikeJavaScript, type Written } from "./like-javascript.ts";

const PROGRAMS: Readonly<Record<string, Written>> = {
  "for in for": (out, _x, n) => {
    let at = 0;
    outer: for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (j === 3) continue outer;
        if (i === 4) break outer;
        if (j > i) break;
        if ((i + j) % 2 === 1) continue;
        out.set(at++, i * 10 + j);
      }
      out.set(at++, 100 + i);
    }
    out.set(at, 111);
  },
  "do and while": (out, _x, n, m) => {
    let at = 0;
    let k = 0;
    do {
      k++;
      if (k === 2) continue;
      if (k === 5) break;
      out.set(at++, k);
    } while (k < n);
    let i = 0;
    rows: while (i < n) {
      i++;
      let j = 0;
      while (true) {
        j++;
        if (j > m) continue rows;
        if (i * j > 8) break rows;
        out.set(at++, i * j);
      }
    }
    out.set(at, 99);
  },
  "three deep, leaving each": (out, _x, n, m) => {
    let count = 0;
    a: for (let i = 0; i < n; i++) {
      b: for (let j = 0; j < n; j++) {
        for (let k = 0; k < n; k++) {
          count++;
          if (k === m) continue b;
          if (j === m + 1) continue a;
          if (i + j + k > 6) break a;
          if (k > j) break b;
        }
        count += 10;
      }
      count += 100;
    }
    out.set(0, count % 10000);
    out.set(1, Math.floor(count / 10000));
  },
  "labelled blocks": (out, _x, n, m) => {
    let v = 1;
    block: {
      if (n > 2) break block;
      v += 10;
      inner: {
        if (m > 1) break inner;
        if (m < 0) break block;
        v += 20;
      }
      v += 40;
    }
    out.set(0, v);
  },
  "switch in loops": (out, _x, n, m) => {
    let at = 0;
    loop: for (let i = 0; i < n; i++) {
      switch (i % 5) {
        case 0:
          continue;
        case 1:
          break;
        case 3:
          if (i > m) break loop;
          continue loop;
        default:
          out.set(at++, i + 50);
      }
      out.set(at++, i);
    }
    out.set(at, 77);
  },
  "loops of range, grid and unroll": (out, _x, n, m) => {
    let at = 0;
    for (const i of S.range(n)) {
      if (i === m) continue;
      if (i > 6) break;
      out.set(at++, i);
    }
    for (const [r, c] of S.grid(n, 3)) {
      if (c === 2) continue;
      if (r > m) break;
      out.set(at++, r * 3 + c);
    }
    out.set(at++, 60);
    unrolled: for (const u of S.unroll(4)) {
      for (let i = 0; i < n; i++) {
        if (i === u) continue unrolled;
        if (u === 3 && i > m) break unrolled;
      }
      out.set(at++, u);
    }
    out.set(at, 61);
  },
  "out of loops in helpers": (out, x, n, m) => {
    const seek = (p: Cells, length: number, what: number): number => {
      let found = -1;
      search: for (let i = 0; i < length; i++) {
        for (let j = i + 1; j < length; j++) {
          if (p.get(i) > what) continue search;
          if (p.get(i) + p.get(j) === what) {
            found = i * 10 + j;
            break search;
          }
        }
      }
      return found;
    };
    for (let k = 0; k < 6; k++) {
      if (k === m) continue;
      out.set(k, seek(x, n < 0 ? 0 : n > 8 ? 8 : n, k));
    }
  },
  "a label used twice, and loops whose step must still run": (out, _x, n, m) => {
    let at = 0;
    again: for (let i = 0; i < n; i += 2) {
      for (;;) {
        if (i % 4 === 0) continue again;
        break;
      }
      out.set(at++, i);
    }
    for (let i = n; i > 0; i--) {
      if (i > m) continue;
      out.set(at++, i);
      if (i === 1) break;
    }
    out.set(at, 33);
  },
};

group(49, () => {
  test.each(Object.entries(PROGRAMS))("%s", (_, program) => {
    expectLikeJavaScript(program, {
      outputs: 64,
      x: [5, 1, -2, 0, 7, 8, 3, 2],
      scalars: [-1, 0, 1, 2, 3, 5, 9].flatMap((n) => [-1, 0, 1, 3, 6].map((m) => [n, m] as const)),
      dtypes: [
        ["i32", "i32", "i32"],
        ["f32", "i8", "i16"],
      ],
    });
  });
});
