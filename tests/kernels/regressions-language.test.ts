/** Kernels that once differed from JavaScript or were refused without need: functions, loops, arrays, objects. */
import { type AnyKernel, check, i32, kernel, ptr, S, u8 } from "kpu-dsl";
import { expect, test } from "vitest";
import { execute } from "../harness/execute.ts";

/** What a kernel prints, without the tile. */
function printed(k: AnyKernel, args: readonly unknown[], tiles = 1): string[] {
  const lines: string[] = [];
  execute(k, args, { tiles, print: (line) => lines.push(line.replace(/^tile \d+: /, "")) });
  return lines;
}

const refusedBy = (k: AnyKernel): string[] => check(k).map((d) => d.code);

test("a loop bound that a function of an object changes", () => {
  const k = kernel([i32], function bound(n) {
    let m = n;
    const o = {
      shrink() {
        m--;
      },
    };
    for (let i = 0; i < m; i++) {
      o.shrink();
      S.print("{} {}", i, m);
    }
  });
  expect(printed(k, [5])).toEqual(["0 4", "1 3", "2 2"]);
});

test("a counter that a function of an object changes", () => {
  const k = kernel([i32], function counter(n) {
    for (let i = 0; i < n; i++) {
      const o = {
        skip() {
          i++;
        },
      };
      o.skip();
      S.print("{}", i);
    }
  });
  expect(printed(k, [5])).toEqual(["1", "3", "5"]);
});

test("iteration sees what the body writes into the array", () => {
  const k = kernel([i32], function live(n) {
    const a = [1, 2, n];
    for (const x of a) {
      a[1] = 10;
      a[2] = (a[2] as number) + x;
      S.print("{}", x);
    }
    for (const [i, x] of a.entries()) {
      a[2] = 7;
      S.print("{} {}", i, x);
    }
  });
  expect(printed(k, [5])).toEqual(["1", "10", "16", "0 1", "1 10", "2 7"]);
});

test("functions in arrays are called by index", () => {
  const k = kernel([i32], function table(n) {
    const f: (() => number)[] = [];
    for (const u of S.unroll(3)) f[u] = () => u * n;
    S.print("{} {} {}", (f[0] as () => number)(), (f[1] as () => number)(), (f[2] as () => number)());
  });
  expect(printed(k, [7])).toEqual(["0 7 14"]);
});

test("arrays and objects assigned whole at run time", () => {
  const k = kernel([i32], function whole(n) {
    let pair: [number, number] = [0, n];
    for (let i = 0; i < n; i++) {
      const before = pair;
      pair = [pair[1], pair[0] + i];
      S.print("{} {} {}", before[0], pair[0], pair[1]);
    }
    let nested: { left: number; inner: [number, number] } = { left: n, inner: [1, 2] };
    while (nested.left > 0)
      nested = {
        left: nested.left - 1,
        inner: [nested.inner[1], nested.inner[0] + 1],
      };
    S.print("{} {}", nested.inner[0], nested.inner[1]);
    let a: [number, number] = [1, 2];
    let b: [number, number] = [3, 4];
    for (let i = 0; i < n; i++) [a, b] = [b, a];
    S.print("{} {} {} {}", a[0], a[1], b[0], b[1]);
  });
  expect(printed(k, [3])).toEqual(["0 3 0", "3 0 4", "0 4 2", "3 3", "3 4 1 2"]);
  expect(printed(k, [0])).toEqual(["1 2", "1 2 3 4"]);
});

test("arrays returned early", () => {
  const k = kernel([i32], function returned(n) {
    const f = (x: number): [number, number] => {
      if (x > 3) return [x, 1];
      const r: [number, number] = [0, 0];
      for (let i = 0; i < x; i++) r[0] += i;
      if (x < 0) return [9, 9];
      return r;
    };
    const z = f(n);
    z[0] += 1;
    for (let i = 0; i < n; i++) z[1] += i;
    S.print("{} {}", z[0], z[1]);
  });
  expect([5, 3, 0, -1].flatMap((n) => printed(k, [n]))).toEqual(["6 11", "4 3", "1 0", "10 9"]);
});

test("writing into an array that got a second name at run time is refused", () => {
  const chosen = kernel([i32], function chosen(n) {
    const a: [number, number] = [1, 2];
    const b: [number, number] = [3, 4];
    const c = n > 0 ? a : b;
    c[0] = 9;
    S.print("{} {}", a[0], b[0]);
  });
  const assigned = kernel([i32], function assigned(n) {
    let now: [number, number] = [0, 0];
    const o: [number, number] = [n, 2];
    for (let i = 0; i < 3; i++) {
      o[0] = i;
      S.print("{}", now[0]);
      now = o;
    }
  });
  const picked = kernel([i32], function picked(n) {
    const a: [number, number] = [1, n];
    const b: [number, number] = [n, 2];
    const pick = (x: [number, number], y: [number, number]): [number, number] => {
      if (n > 0) return x;
      return y;
    };
    const c = pick(a, b);
    a[0] = 7;
    S.print("{} {}", c[0], c[1]);
  });
  for (const k of [chosen, assigned, picked]) expect(refusedBy(k)).toContain("KPU3007");
  const read = kernel([i32], function read(n) {
    const a: [number, number] = [1, 2];
    const b: [number, number] = [3, 4];
    const c = n > 0 ? a : b;
    S.print("{} {}", c[0], c[1]);
  });
  expect([...printed(read, [1]), ...printed(read, [0])]).toEqual(["1 2", "3 4"]);
});

test("a static thing that changes at run time is refused", () => {
  const text = kernel([i32], function text(n) {
    let mode = "a";
    if (n > 0) mode = "b";
    S.print("{}", mode);
  });
  const fn = kernel([i32], function fn(n) {
    let f = (x: number) => x;
    if (n > 0) f = (x) => x + 1;
    S.print("{}", f(n));
  });
  for (const k of [text, fn]) expect(refusedBy(k)).toEqual(["KPU3007"]);
});

test("this of a method, and a function expression that calls itself by name", () => {
  const k = kernel([i32], function self(n) {
    const o = {
      k: n,
      f() {
        return this.k + 1;
      },
    };
    const sum = function down(x: number): number {
      return x <= 0 ? 0 : x + down(x - 1);
    };
    S.print("{} {}", o.f(), sum(4));
  });
  expect(printed(k, [6])).toEqual(["7 10"]);
});

test("a barrier in a function that forEach calls is refused", () => {
  const each = kernel([i32], function each(n) {
    [1, 2].forEach((x) => {
      S.barrier();
      S.print("{} {}", x, n);
    });
  });
  const usual = kernel([i32], function usual(n) {
    const wait = (x: number): number => {
      S.barrier();
      return x;
    };
    const g = (a: number, b = wait(a)): number => a + b;
    S.print("{}", g(n));
  });
  const tagged = kernel([i32], function tagged(n) {
    const wait = (_: TemplateStringsArray, x: number): number => {
      S.barrier();
      return x;
    };
    S.print("{}", wait`a${n}`);
  });
  for (const k of [each, usual, tagged]) expect(refusedBy(k)).toEqual(["KPU1011"]);
});

test("a function that waits in one call and not in another", () => {
  const k = kernel([i32], function passed(n) {
    const run = (f: (x: number) => number, x: number): number => f(x);
    const waiting = (x: number): number => {
      S.barrier();
      return x;
    };
    S.print("{}", run(waiting, 3) + run((x) => x + n, 4));
    const list = [waiting, (x: number) => -x];
    for (const f of list) S.print("{}", f(n));
  });
  expect(printed(k, [1])).toEqual(["8", "1", "-1"]);
  expect(printed(k, [1], 2).sort()).toEqual(["-1", "-1", "1", "1", "8", "8"]);
});

test("operands that a later operand changes, spread ones too", () => {
  const k = kernel([ptr(i32), i32], function order(out, n) {
    const v = [n, 2];
    const f = (a: number, b: number, c: number): number => a * 100 + b * 10 + c;
    const x = f(...(v as [number, number]), (v[0] = 7));
    const w = [...v, (v[1] = 9)];
    if (S.tileId() === 0)
      [x, ...w].forEach((value, i) => {
        out.set(i, value);
      });
  });
  const out = new Int32Array(4);
  execute(k, [out, 5]);
  expect([...out]).toEqual([527, 7, 2, 9]);
});

test("a remainder whose divisor only the condition keeps from zero", () => {
  const k = kernel([i32, u8], function remainder(n, d) {
    S.print("{} {}", (d > 0 ? n % d : 7) | 0, (d > 0 ? (n * n) % d : 7) % 100);
  });
  expect([...printed(k, [9, 0]), ...printed(k, [9, 4])]).toEqual(["7 7", "1 1"]);
});

test("a loop condition with effects, and a barrier in another part of the loop", () => {
  const k = kernel([i32], function tested(n) {
    let tests = 0;
    let rounds = 0;
    while (tests++ < n) {
      S.barrier();
      rounds += 10;
    }
    let steps = 0;
    let inBody = 0;
    for (; steps < n; S.barrier(), steps++) inBody += 10;
    let last = 0;
    do {
      S.barrier();
      last += 10;
    } while (last++ < n * 10);
    S.print("{} {} {} {} {}", tests, rounds, steps, inBody, last);
  });
  expect(printed(k, [3], 2)).toEqual(["4 30 3 30 33", "4 30 3 30 33"]);
});
