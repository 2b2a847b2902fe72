/** Every permutation of lanes and of masks, against plain arrays. */
import {
  bool,
  type DTypeName,
  dtypeOf,
  type f32,
  i32,
  kernel,
  type Mask,
  ptr,
  S,
  u8,
  type Vec,
} from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { expectNumbers, hostArray, NUMERIC, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

type Lanes = Vec<f32>;
type Numbers = readonly number[];
/** What a case gets: two vectors, indices as wide, a mask, a number that is known at run time only. */
interface Given<V, I, M> {
  readonly x: V;
  readonly y: V;
  readonly i: I;
  readonly m: M;
  readonly n: number;
}
interface Case {
  readonly name: string;
  readonly kernel: (g: Given<Lanes, Vec<i32>, Mask>) => Lanes;
  readonly truth: (g: Given<Numbers, Numbers, readonly boolean[]>) => Numbers;
}

const packed = (x: Numbers, m: readonly boolean[]): number[] => x.filter((_, i) => m[i]);
const filled = (x: Numbers, rest: Numbers): number[] => rest.map((r, i) => x[i] ?? r);
const spread = (x: Numbers, m: readonly boolean[], rest: Numbers): number[] => {
  const queue = [...x];
  return rest.map((r, i) => (m[i] ? (queue.shift() as number) : r));
};
const zeros = (x: Numbers): number[] => x.map(() => 0);
const rotated = (x: Numbers, by: number): number[] => {
  const k = ((by % x.length) + x.length) % x.length;
  return [...x.slice(k), ...x.slice(0, k)];
};
const every3 = (n: number): boolean[] => Array.from({ length: n }, (_, i) => i % 3 === 0);

/** Cases for vectors of n lanes; n even. */
function cases(n: number): Case[] {
  const mask = every3(n);
  const half = n / 2;
  const evens = (x: Numbers): Numbers => x.filter((_, i) => i % 2 === 0);
  const odds = (x: Numbers): Numbers => x.filter((_, i) => i % 2 === 1);
  const woven = (x: Numbers, y: Numbers): number[] => x.flatMap((v, i) => [v, y[i] as number]);
  const make = (name: string, f: Case["kernel"], truth: Case["truth"]): Case => ({ name, kernel: f, truth });
  return [
    make(
      "concat",
      ({ x, y }) => S.vconcat([x, y]),
      ({ x, y }) => [...x, ...y],
    ),
    make(
      "concat odd",
      ({ x, y }) => S.vconcat([x, 1, y], { part: "odd" }),
      ({ x, y }) => [...odds(x), ...odds(x.map(() => 1)), ...odds(y)],
    ),
    make(
      "concat high",
      ({ x, y }) => S.vconcat([x, y], { part: "high" }),
      ({ x, y }) => [...x.slice(half), ...y.slice(half)],
    ),
    make(
      "split and join the other way round",
      ({ x }) => {
        const [low, high] = S.vsplit(x, 2);
        return S.vconcat([high, low]);
      },
      ({ x }) => [...x.slice(half), ...x.slice(0, half)],
    ),
    make(
      "split by registers",
      ({ x }) => S.vconcat(S.vsplit(x)),
      ({ x }) => x,
    ),
    make(
      "zip",
      ({ x, y }) => S.vzip(x, y),
      ({ x, y }) => woven(x, y),
    ),
    make(
      "zip low",
      ({ x, y }) => S.vzip(x, y, { part: "low" }),
      ({ x, y }) => woven(x, y).slice(0, n),
    ),
    make(
      "zip high",
      ({ x }) => S.vzip(x, 1, { part: "high" }),
      ({ x }) =>
        woven(
          x,
          x.map(() => 1),
        ).slice(n),
    ),
    make(
      "zip even",
      ({ x, y }) => S.vzip(x, y, { part: "even" }),
      ({ x, y }) => woven(evens(x), evens(y)),
    ),
    make(
      "zip odd",
      ({ x, y }) => S.vzip(x, y, { part: "odd" }),
      ({ x, y }) => woven(odds(x), odds(y)),
    ),
    make(
      "unzip",
      ({ x }) => {
        const [even, odd] = S.vunzip(x);
        return S.vconcat([odd, even]);
      },
      ({ x }) => [...odds(x), ...evens(x)],
    ),
    make(
      "reverse",
      ({ x, m }) => S.vrevs(x, { mask: m }),
      ({ x, m }) => [...x].reverse().map((v, i) => (m[i] ? v : 0)),
    ),
    ...[0, 1, n - 1, n, 3 * n + 2, -1, -n - 3].map((by) =>
      make(
        `rotate by ${by}`,
        ({ x }) => S.vshfl(x, by),
        ({ x }) => rotated(x, by),
      ),
    ),
    make(
      "rotate at run time",
      ({ x, n }) => S.vshfl(x, n),
      ({ x, n }) => rotated(x, n),
    ),
    make(
      "rotate back at run time",
      ({ x, n, m, y }) => S.vshfl(x, -n, { mask: m, r: y }),
      ({ x, n, m, y }) => rotated(x, -n).map((v, i) => (m[i] ? v : (y[i] as number))),
    ),
    ...[0, 1, half, n].map((by) =>
      make(
        `window at ${by}`,
        ({ x, y }) => S.vsldl(x, y, by),
        ({ x, y }) => [...x, ...y].slice(by, by + n),
      ),
    ),
    make(
      "replicate",
      ({ x }) => S.vreplic(x, half),
      ({ x }) => x.map(() => x[half] as number),
    ),
    make(
      "replicate at run time",
      ({ x, n: at }) => S.vreplic(x, at % n),
      ({ x, n: at }) => x.map(() => x[at % n] as number),
    ),
    make(
      "transpose",
      ({ x }) => S.vtranspose(x, 2),
      ({ x }) => woven(x.slice(0, half), x.slice(half)),
    ),
    make(
      "transpose back",
      ({ x }) => S.vtranspose(S.vtranspose(x, half), 2),
      ({ x }) => x,
    ),
    make(
      "compress",
      ({ x, m }) => S.vcompt(x, m),
      ({ x, m }) => filled(packed(x, m), zeros(x)),
    ),
    make(
      "compress over",
      ({ x, y, m }) => S.vcompt(x, m, { r: y }),
      ({ x, y, m }) => filled(packed(x, m), y),
    ),
    make(
      "compress by a fixed mask",
      ({ x }) => S.vcompt(x, mask),
      ({ x }) => filled(packed(x, mask), zeros(x)),
    ),
    make(
      "compress nothing",
      ({ x, y }) => S.vcompt(x, S.tailMask(0, n), { r: y }),
      ({ y }) => y,
    ),
    make(
      "compress and continue",
      ({ x, y, m }) => S.vcompc(x, y, m),
      ({ x, y, m }) => [...packed(x, m), ...y].slice(0, n),
    ),
    make(
      "compress and continue, fixed",
      ({ x, y }) => S.vcompc(x, y, mask),
      ({ x, y }) => [...packed(x, mask), ...y].slice(0, n),
    ),
    make(
      "expand",
      ({ x, m }) => S.vexpand(x, m),
      ({ x, m }) => spread(x, m, zeros(x)),
    ),
    make(
      "expand over",
      ({ x, y, m }) => S.vexpand(x, m, { r: y }),
      ({ x, y, m }) => spread(x, m, y),
    ),
    make(
      "expand what was compressed",
      ({ x, y, m }) => S.vexpand(S.vcompt(x, m), m, { r: y }),
      ({ x, y, m }) => x.map((v, i) => (m[i] ? v : (y[i] as number))),
    ),
    make(
      "table",
      ({ x, i }) => S.vtbl(x, i),
      ({ x, i }) => i.map((k) => x[k] ?? 0),
    ),
    make(
      "table of three",
      ({ x, y, i }) => S.vtbl([x, 1, y], i),
      ({ x, y, i }) => i.map((k) => [...x, ...x.map(() => 1), ...y][k] ?? 0),
    ),
    make(
      "table under a mask",
      ({ x, y, i, m }) => S.vtbl(x, i, { mask: m, r: y }),
      ({ x, y, i, m }) => i.map((k, lane) => (m[lane] ? (x[k] ?? 0) : (y[lane] as number))),
    ),
  ];
}

const INDEX: { readonly [bytes: number]: readonly DTypeName[] } = {
  1: ["i8", "u8"],
  2: ["i16", "u16"],
  4: ["i32", "u32"],
};

describe.each(NUMERIC)("%s", (d) => {
  test.each(d === "u8" || d === "f32" ? [2, 8, 42] : [42])("%i lanes", (lanes) => {
    const all = cases(lanes);
    const stride = 3 * lanes;
    const type = dtypeOf(d) as f32;
    const indices = INDEX[hostArray(d, []).BYTES_PER_ELEMENT] ?? [];
    for (const id of lanes === 8 ? indices : indices.slice(d.startsWith("u") ? 1 : 0).slice(0, 1)) {
      const k = kernel(
        [ptr(type), ptr(type), ptr(type), ptr(dtypeOf(id) as i32), ptr(bool), i32],
        function permuted(out, xs, ys, is, ms, n) {
          if (S.tileId() !== 0) return;
          const x = S.vload(xs, { lanes });
          const y = S.vload(ys, { lanes });
          const i = S.vload(is, { lanes });
          const m = S.vload(ms, { lanes });
          for (const c of S.unroll(all.length))
            S.vstore((all[c] as Case).kernel({ x, y, i, m, n }), out.at(c * stride));
        },
      );
      const x = samples(d, lanes, 1);
      const y = samples(d, lanes, 2);
      const i = Array.from(
        { length: lanes },
        (_, k) => ((k * 5) % (3 * lanes + 1)) - (id[0] === "i" && k % 7 === 3 ? 90 : 0),
      );
      const m = Array.from({ length: lanes }, (_, k) => (k * 7 + (k >> 2)) % 3 === 1);
      const n = lanes + 3;
      const out = hostArray(d, new Array(all.length * stride).fill(0));
      execute(k, [
        out,
        hostArray(d, x),
        hostArray(d, y),
        hostArray(id, i),
        hostArray("bool", m.map(Number)),
        n,
      ]);
      all.forEach((c, at) => {
        const truth = c.truth({ x, y, i, m, n });
        const got = out.slice(at * stride, at * stride + truth.length);
        try {
          expectNumbers(d, got, truth);
        } catch (error) {
          throw new Error(`${c.name}, indices ${id}`, { cause: error });
        }
      });
    }
  });
});

test("masks", () => {
  const lanes = 38;
  const by = every3(lanes);
  const k = kernel([ptr(bool), ptr(bool), ptr(bool), i32], function masks(out, as, bs, n) {
    if (S.tileId() !== 0) return;
    const a = S.vload(as, { lanes });
    const b = S.vload(bs, { lanes });
    const [low, high] = S.vsplit(a, 2);
    const [even, odd] = S.vunzip(a);
    const results = [
      S.vconcat([high, low]),
      S.vconcat([even, odd]),
      S.vzip(a, b, { part: "low" }),
      S.vrevs(a),
      S.vshfl(a, 5),
      S.vshfl(a, n),
      S.vsldl(a, b, 7),
      S.vreplic(a, 1),
      S.vreplic(a, n),
      S.vtranspose(a, 2),
      S.vcompt(a, b),
      S.vcompt(a, by, { r: true }),
      S.vcompc(a, b, by),
      S.vcompc(a, true, b),
      S.vexpand(a, b),
      S.vexpand(a, b, { r: true }),
    ];
    for (const i of S.unroll(results.length)) S.vstore(results[i] as Mask, out.at(i * lanes));
  });
  const a = Array.from({ length: lanes }, (_, i) => ((i * i) % 7) % 2);
  const b = Array.from({ length: lanes }, (_, i) => ((i * 3) % 5) % 2);
  const half = lanes / 2;
  const on = b.map(Boolean);
  const n = 9;
  const truth = [
    [...a.slice(half), ...a.slice(0, half)],
    [...a.filter((_, i) => i % 2 === 0), ...a.filter((_, i) => i % 2 === 1)],
    a.flatMap((v, i) => [v, b[i] as number]).slice(0, lanes),
    [...a].reverse(),
    rotated(a, 5),
    rotated(a, n),
    [...a, ...b].slice(7, 7 + lanes),
    a.map(() => a[1] as number),
    a.map(() => a[n] as number),
    a.slice(0, half).flatMap((v, i) => [v, a[half + i] as number]),
    filled(packed(a, on), zeros(a)),
    filled(
      packed(a, by),
      a.map(() => 1),
    ),
    [...packed(a, by), ...b].slice(0, lanes),
    filled(
      packed(a, on),
      a.map(() => 1),
    ),
    spread(a, on, zeros(a)),
    spread(
      a,
      on,
      a.map(() => 1),
    ),
  ];
  const out = new Uint8Array(truth.length * lanes);
  execute(k, [out, Uint8Array.from(a), Uint8Array.from(b), n]);
  truth.forEach((want, i) => {
    expect([...out.slice(i * lanes, (i + 1) * lanes)], `case ${i}`).toEqual(want);
  });
});

test("a table larger than registers, by bytes", () => {
  const table = Array.from({ length: 300 }, (_, i) => (i * 7) % 251);
  const k = kernel([ptr(u8), ptr(u8), ptr(u8)], function big(out, t, is) {
    if (S.tileId() === 0)
      S.vstore(
        S.vtbl([S.vload(t, { lanes: 256 }), S.vload(t.at(256), { lanes: 44 })], S.vload(is, { lanes: 256 })),
        out,
      );
  });
  const i = Uint8Array.from({ length: 256 }, (_, at) => (at * 37) % 256);
  const out = new Uint8Array(256);
  execute(k, [out, Uint8Array.from(table), i]);
  expect([...out]).toEqual([...i].map((at) => table[at]));
});

test("42 lanes split by registers", () => {
  const k = kernel([ptr(i32), ptr(i32)], function parts(out, x) {
    if (S.tileId() !== 0) return;
    const pieces = S.vsplit(S.vload(x, { lanes: 42 }));
    for (const i of S.unroll(pieces.length)) out.set(i, S.vrpadd(pieces[i] as Vec<i32>));
  });
  const x = Int32Array.from({ length: 42 }, (_, i) => i);
  const out = new Int32Array(6);
  execute(k, [out, x]);
  expect([...out]).toEqual([28, 92, 156, 220, 284, 81]);
});
