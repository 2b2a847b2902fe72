/** Every lane op on every dtype it has, at several lane counts, on edge values: compiled against the interpreter (the ALU table). */
import { describe, expect, it } from "vitest";
import {
  DTYPES,
  type DTypeName,
  FLOATS,
  INTS,
  isFloat,
  isInt,
  NUMERIC,
  oppositeSign,
} from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";
import { hostArray } from "../../ir/elements.ts";
import { MATH } from "../../ir/math.ts";
import { TARGETS } from "../../ir/target.ts";
import { type HostArgument, threeWays } from "./threeway.ts";

const LANES = [1, 3, 8, 16, 35, 64];

/** Pairs of edge values, in an order that meets every one early. */
function operands(d: DTypeName, lanes: number, rounds: number): number[][] {
  const edges = edgeValues(d);
  const n = lanes * rounds;
  const pick = (k: number, step: number): number =>
    edges[(k * step + Math.floor(k / edges.length)) % edges.length] as number;
  return [1, 7, 11].map((step) => Array.from({ length: n }, (_, k) => pick(k, step)));
}

/** A kernel that applies `value` (over %a, %b, %c) to blocks of `lanes` elements. */
function kernel(from: DTypeName, to: DTypeName, lanes: number, value: string, rounds: number): string {
  const t = `${from}x${lanes}`;
  const result = to === "bool" ? `mask<${lanes}>` : `${to}x${lanes}`;
  return `kir 1, level: virtual
kernel @k(%out: ptr<${to}, global>, %x: ptr<${from}, global>, %y: ptr<${from}, global>, %z: ptr<${from}, global>) {
  for %i: i32 = 0 to ${lanes * rounds} step ${lanes} {
    let %a: ${t} = load<${t}> %x[%i]
    let %b: ${t} = load<${t}> %y[%i]
    let %c: ${t} = load<${t}> %z[%i]
    let %r: ${result} = ${value}
    store<${to === "bool" ? result : result}> %out[%i], %r
  }
}
`;
}

function check(from: DTypeName, to: DTypeName, value: (lanes: number) => string, lanesList = LANES): void {
  for (const lanes of lanesList) {
    const rounds = Math.max(1, Math.ceil((edgeValues(from).length * 6) / lanes));
    const [x, y, z] = operands(from, lanes, rounds) as [number[], number[], number[]];
    const args: HostArgument[] = [
      hostArray(to, new Array(lanes * rounds).fill(0)),
      hostArray(from, x),
      hostArray(from, y),
      hostArray(from, z),
    ];
    threeWays(kernel(from, to, lanes, value(lanes), rounds), args);
  }
}

const UNARY_MATH = Object.values(MATH).flatMap((p) => (p.operands === 1 ? [p.name] : []));
const BINARY = ["add", "sub", "mul", "div", "mod", "min", "max", "minimum", "maximum"];
const FLOAT_UNARY = [
  "neg",
  "abs",
  "sign",
  "floor",
  "ceil",
  "trunc",
  "rint",
  "sqrt",
  "rsqrt",
  "recip",
  "round_away",
  ...UNARY_MATH,
];
const COMPARE = ["eq", "ne", "lt", "le", "gt", "ge"];

describe("lane ops", () => {
  for (const d of NUMERIC) {
    const t = (lanes: number): string => `${d}x${lanes}`;
    it.each(BINARY)(`${d} %s`, (op) => check(d, d, (n) => `${op}.${t(n)} %a, %b`));
    it.each(COMPARE)(`${d} %s`, (op) => check(d, "bool", (n) => `${op}.${t(n)} %a, %b`));
    it(`${d} sel by a comparison`, () => check(d, d, (n) => `sel (lt.${t(n)} %a, %b), %a, %c`));
    it(`${d} sel by combined masks`, () =>
      check(
        d,
        d,
        (n) => `sel (xor (not (and (lt.${t(n)} %a, %b), (ge.${t(n)} %b, %c))), (tail_mask<${n}> 5)), %a, %c`,
      ));
  }
  for (const d of FLOATS) {
    it.each(FLOAT_UNARY)(`${d} %s`, (op) => check(d, d, (n) => `${op}.${d}x${n} %a`));
    it(`${d} pow`, () => check(d, d, (n) => `pow.${d}x${n} %a, %b`));
    it(`${d} fma`, () => check(d, d, (n) => `fma.${d}x${n} %a, %b, %c`));
  }
  for (const d of INTS) {
    const o = oppositeSign(d);
    it.each(["neg", "abs", "sign", "not"])(`${d} %s`, (op) => check(d, d, (n) => `${op}.${d}x${n} %a`));
    it(`${d} abs saturating`, () => check(d, d, (n) => `abs.${d}x${n}{saturate: true} %a`));
    it.each(["add", "sub", "mul"])(`${d} %s saturating`, (op) => {
      check(d, d, (n) => `${op}.${d}x${n}{saturate: true} %a, %b`);
      check(d, o, (n) => `${op}.${d}x${n}{saturate: true, out: ${o}} %a, %b`);
      check(d, o, (n) => `${op}.${d}x${n}{out: ${o}} %a, %b`);
    });
    it(`${d} mulhi`, () => check(d, d, (n) => `mulhi.${d}x${n} %a, %b`));
    it.each(["clz", "cls", "ctz", "popcnt", "brev"])(`${d} %s`, (op) =>
      check(d, d, (n) => `${op}.${d}x${n} %a`),
    );
    it.each(["and", "or", "xor", "shl", "shr", "rotl", "rotr"])(`${d} %s`, (op) =>
      check(d, d, (n) => `${op}.${d}x${n} %a, %b`),
    );
    it(`${d} shl saturating`, () => check(d, d, (n) => `shl.${d}x${n}{saturate: true} %a, %b`));
    it(`${d} shr rounding`, () => check(d, d, (n) => `shr.${d}x${n}{round: true} %a, %b`));
    it(`${d} shifts by one amount`, () => {
      const { bits, min, max } = DTYPES[d];
      const amounts = [0, 1, bits - 1, bits, bits + 1, min < 0 ? -3 : max].filter((by) => by <= max);
      const number = d === "u32" ? "i64" : "i32";
      for (const by of amounts) {
        const known = (n: number): string => `(splat<${d}x${n}> ${by}:${number})`;
        // As the constant, but known at run time only.
        const later = (n: number): string =>
          `(splat<${d}x${n}> (add.${number} (extract.${d}x${n} (sub.${d}x${n} %a, %a), 0), ${by}))`;
        for (const op of ["shl", "shr", "rotl", "rotr"]) {
          check(d, d, (n) => `${op}.${d}x${n} %a, ${known(n)}`, [35]);
          check(d, d, (n) => `${op}.${d}x${n} %a, ${later(n)}`, [8]);
        }
        check(d, d, (n) => `shl.${d}x${n}{saturate: true} %a, ${known(n)}`, [8]);
        check(d, d, (n) => `shr.${d}x${n}{round: true} %a, ${known(n)}`, [8]);
      }
    });
  }
});

describe("casts", () => {
  for (const from of NUMERIC) {
    it.each(NUMERIC)(`${from} to %s`, (to) => {
      check(from, to, () => `cast{dtype: ${to}} %a`);
      if (isInt(from) && isInt(to)) check(from, to, () => `cast{dtype: ${to}, saturate: true} %a`);
      if (isFloat(from) && isInt(to)) check(from, to, () => `cast{dtype: ${to}, wrap: true} %a`);
    });
  }
});

describe("other register widths", () => {
  it.each([128, 512, 1024])("%i bits", (registerBits) => {
    const target = { ...TARGETS.edge, registerBits };
    for (const d of ["i8", "f16", "f32"] as const) {
      const lanes = 140;
      const [x, y, z] = operands(d, lanes, 1) as [number[], number[], number[]];
      const args = (): HostArgument[] => [
        hostArray(d, new Array(lanes).fill(0)),
        hostArray(d, x),
        hostArray(d, y),
        hostArray(d, z),
      ];
      threeWays(
        kernel(d, d, lanes, `sel (lt.${d}x${lanes} %a, %b), (add.${d}x${lanes} %a, %b), %c`, 1),
        args(),
        { target },
      );
    }
    expect(true).toBe(true);
  });
});

describe("dot", () => {
  const ints = [
    ["16", "8", 2],
    ["32", "16", 2],
    ["32", "8", 4],
  ] as const;
  const cases = ints.flatMap(([acc, factor, group]) =>
    ["i", "u"].flatMap((a) =>
      ["i", "u"].flatMap((b) => ["i", "u"].map((c) => [a + acc, b + factor, c + factor, group] as const)),
    ),
  );
  const floats = (["f16", "bf16"] as const).flatMap((x) =>
    (["f16", "bf16"] as const).flatMap((y) => ([2, 4] as const).map((g) => ["f32", x, y, g] as const)),
  );
  it.each([...cases, ...floats])("%s of %s by %s, groups of %i", (acc, x, y, group) => {
    for (const lanes of [1, 3, 8, 21]) {
      const rows = Math.ceil(300 / (lanes * group));
      const [a, b, c] = [acc, x, y].map((d) => d as DTypeName) as [DTypeName, DTypeName, DTypeName];
      const n = lanes * group;
      const text = `kir 1, level: virtual
kernel @k(%out: ptr<${a}, global>, %acc: ptr<${a}, global>, %x: ptr<${b}, global>, %y: ptr<${c}, global>) {
  for %i: i32 = 0 to ${rows} step 1 {
    let %a: ${a}x${lanes} = load<${a}x${lanes}> %acc[mul.i32 %i, ${lanes}]
    let %b: ${b}x${n} = load<${b}x${n}> %x[mul.i32 %i, ${n}]
    let %c: ${c}x${n} = load<${c}x${n}> %y[mul.i32 %i, ${n}]
    store<${a}x${lanes}> %out[mul.i32 %i, ${lanes}], (dot %a, %b, %c)
  }
}
`;
      const data = (d: DTypeName, count: number, at: number): HostArgument =>
        hostArray(d, operands(d, count, 1)[at] as number[]);
      threeWays(text, [
        hostArray(a, new Array(lanes * rows).fill(0)),
        data(a, lanes * rows, 0),
        data(b, n * rows, 1),
        data(c, n * rows, 2),
      ]);
    }
  });
});
