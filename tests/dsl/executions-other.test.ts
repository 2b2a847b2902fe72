/** What is not lanewise through both executions, bit for bit: the cast matrix, reductions, masks, memory forms, numbers. */
import { describe, it } from "vitest";
import { INTRINSICS } from "../../dsl/index.ts";
import { bf16, bool, f16, f32, i8, i16, i32, u8, u16, u32 } from "../../index.ts";
import { DTYPES, type DTypeName, isFloat, isInt, NUMERIC } from "../../ir/dtype.ts";
import type { HostElements } from "../../ir/elements.ts";
import { agreeOn, edgeValues, generated, hostOf, type Pointers, sequence } from "./both.ts";

const dtypes = { bf16, bool, f16, f32, i16, i32, i8, u16, u32, u8 };
const blank = (d: DTypeName, n: number) => () => hostOf(d, new Array<number>(n).fill(0));
const copy = (a: HostElements) => () => a.slice();

type Inputs = Readonly<Record<string, [DTypeName, readonly number[]]>>;

/** Runs lines that store into `o` at steps of `width`, over each set of inputs. */
function check(
  name: string,
  rounds: readonly Inputs[],
  out: DTypeName,
  width: number,
  lines: readonly string[],
  setup: readonly string[] = [],
): void {
  const first = rounds[0] as Inputs;
  const pointers: Pointers = [...Object.entries(first).map(([n, [d]]) => [n, d] as const), ["o", out]];
  const numbered = lines.map((l, i) => l.replaceAll("@", `o.at(${i * width})`));
  const k = generated(name, pointers, [...setup, ...numbered], dtypes);
  const agree = agreeOn(k);
  for (const inputs of rounds) {
    const hosts = Object.values(inputs).map(([d, v]) => hostOf(d, v));
    agree([...hosts.map(copy), blank(out, lines.length * width)], (i, element) => {
      const shown = hosts.map((h) => Array.from(h).join(" ")).join(" | ");
      return `${pointers[i]?.[0]}[${element}] of ${numbered[Math.floor(element / width)]} over ${shown}`;
    });
  }
}
const times = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);

describe("cast", () => {
  for (const from of NUMERIC) {
    for (const to of NUMERIC) {
      it(`${from} to ${to}`, () => {
        const next = sequence(from.length * 31 + to.length);
        const rules = isFloat(to)
          ? [""]
          : isFloat(from)
            ? ["", "wrap: true", "saturate: true"]
            : ["", "saturate: true"];
        const parts = ["all", "low", "high", "even", "odd", "ll", "lh", "hl", "hh"];
        const lines = parts.flatMap((p) =>
          rules.map((r) => `S.vstore(S.cast(x, ${to}, { part: "${p}"${r ? `, ${r}` : ""} }), @);`),
        );
        if (DTYPES[to].bits < DTYPES[from].bits)
          for (const r of rules) lines.push(`S.vstore(S.cast([x, y], ${to}, { ${r} }), @);`);
        const rounds = times(
          3,
          (): Inputs => ({ p: [from, edgeValues(from, 16, next)], q: [from, edgeValues(from, 4, next)] }),
        );
        check(`cast_${from}_${to}`, rounds, to, 20, lines, [
          "const x = S.vload(p, { lanes: 16 }), y = S.vload(q, { lanes: 4 });",
        ]);
        const odd = lines.filter((l) => l.includes('"all"'));
        check(
          `cast13_${from}_${to}`,
          times(3, (): Inputs => ({ p: [from, edgeValues(from, 13, next)] })),
          to,
          13,
          odd,
          ["const x = S.vload(p, { lanes: 13 });"],
        );
      });
    }
  }
});

describe("reductions", () => {
  for (const d of NUMERIC) {
    for (const lanes of [1, 3, 8, 35]) {
      it(`${d} x${lanes}`, () => {
        const next = sequence(lanes * 101 + d.length);
        const rounds = times(4, (): Inputs => {
          const values = edgeValues(d, lanes, next);
          return { p: [d, values], q: ["bool", values.map(() => (next() < 0.5 ? 1 : 0))] };
        });
        const both = ["vrpadd", "vrpmin", "vrpmax"].flatMap((n) => [
          `@.set(0, S.${n}(x));`,
          `@.set(0, S.${n}(x, { mask: m }));`,
        ]);
        const setup = [`const x = S.vload(p, { lanes: ${lanes} }), m = S.vload(q, { lanes: ${lanes} });`];
        check(`reduce_${d}`, rounds, d, 1, both, setup);
        const index = ["vrpmin", "vrpmax"].flatMap((n) => [
          `@.set(0, S.${n}(x, { returnIdx: true }));`,
          `@.set(0, S.${n}(x, { returnIdx: true, mask: m }));`,
        ]);
        check(`index_${d}`, rounds, "i32", 1, index, setup);
      });
    }
  }
});

describe("masks and selection", () => {
  for (const lanes of [3, 8, 32, 40]) {
    it(`masks x${lanes}`, () => {
      const next = sequence(lanes);
      const bits = (): number[] => Array.from({ length: lanes }, () => (next() < 0.5 ? 1 : 0));
      const lines = [
        "S.vstore(S.vand(m, n), @);",
        "S.vstore(S.vor(m, n), @);",
        "S.vstore(S.vxor(m, n), @);",
        "S.vstore(S.vinv(m), @);",
        "S.vstore(S.vand(m, true), @);",
        "S.vstore(S.vinv(m, { mask: n, r: true }), @);",
        "S.vstore(S.vsel(m, n, l), @);",
        "S.vstore(S.vsel(m, false, l), @);",
        `S.vstore(S.vload(q, { mask: m, lanes: ${lanes}, r: true }), @);`,
        "@.set(0, S.vany(m)); @.set(1, S.vall(m)); @.set(2, S.vany(S.vand(m, S.vinv(m))));",
        `for (let i = 0; i < ${lanes}; i++) @.set(i, m.at(i));`,
        ...[-1, 0, 1, lanes - 1, lanes, lanes + 5].map(
          (k) => `S.vstore(S.tailMask(c.get() + ${k}, ${lanes}), @);`,
        ),
      ];
      const setup = ["m", "n", "l"].map(
        (name, i) => `const ${name} = S.vload(${"pqr"[i]}, { lanes: ${lanes} });`,
      );
      check(
        `masks_${lanes}`,
        times(
          3,
          (): Inputs => ({ p: ["bool", bits()], q: ["bool", bits()], r: ["bool", bits()], c: ["i32", [0]] }),
        ),
        "bool",
        lanes,
        lines,
        setup,
      );
    });
  }
  for (const d of NUMERIC) {
    it(`vsel, vbcast, lanes ${d}`, () => {
      const next = sequence(d.length * 7);
      const literal = isInt(d) ? "1" : "0.1";
      const lines = [
        "S.vstore(S.vsel(x, y, m), @);",
        "S.vstore(S.vsel(x, 0, m), @);",
        "S.vstore(S.vsel(1, y, m), @);",
        `S.vstore(S.vbcast(${literal}, ${d}, 9), @);`,
        `S.vstore(S.vbcast(p.get(2), ${d}, { mask: m, r: y }), @);`,
        "for (let i = 0; i < 9; i++) @.set(i, x.at(i));",
      ];
      check(
        `vsel_${d}`,
        times(
          3,
          (): Inputs => ({
            p: [d, edgeValues(d, 9, next)],
            q: [d, edgeValues(d, 9, next)],
            r: ["bool", [1, 0, 1, 1, 0, 0, 1, 0, 1]],
          }),
        ),
        d,
        9,
        lines,
        ["const x = S.vload(p, { lanes: 9 }), y = S.vload(q, { lanes: 9 }), m = S.vload(r, { lanes: 9 });"],
      );
    });
  }
});

describe("memory forms", () => {
  for (const d of [...NUMERIC, "bool"] as const) {
    it(d, () => {
      const next = sequence(d.length * 13);
      const values =
        d === "bool" ? Array.from({ length: 64 }, () => (next() < 0.5 ? 1 : 0)) : edgeValues(d, 64, next);
      const r = d === "bool" ? "true" : "1";
      const lines = [
        "S.vstore(S.vload(p, { lanes: 11 }), @);",
        `S.vstore(S.vload(p.at(3), { mask: m, r: ${r} }), @);`,
        "S.vstore(S.vload(p.at(3), { mask: m }), @);",
        "S.vstore(S.vload(p.at(1), { lanes: 11, stride: 5 }), @);",
        "S.vstore(S.vload(p.at(1), { lanes: 11, stride: c.get(0) }), @);",
        `S.vstore(S.vload(p.at(1), { mask: m, stride: 3, r: ${r} }), @);`,
        "S.vstore(S.vload(p, { lanes: 11 }), @, { mask: m });",
        "S.vstore(S.vload(p, { lanes: 4 }), @, { stride: 3 });",
        'S.vstore(S.vload(p, { lanes: 4 }), @, { stride: c.get(1), mask: "TFTT" });',
        "S.vstore(S.vloadGather(p, S.vload(h, { lanes: 11 })), @);",
        `S.vstore(S.vloadGather(p, S.vload(g, { lanes: 11 }), { mask: m, r: ${r} }), @);`,
        "S.vstoreScatter(S.vload(p, { lanes: 11 }), @, S.vload(k, { lanes: 11 }));",
        "S.vstoreScatter(S.vload(p, { lanes: 11 }), @, S.vload(k, { lanes: 11 }), { mask: m });",
        "S.dmaCopy(@, p.at(5), 3, { srcStride: 7, dstStride: 4, times: 3 });",
        "S.dmaCopy(@, p, c.get(0));",
        `S.dmaMemset(@, ${r}, 7);`,
        "{ const t = S.alloc(D, [3, 4]); S.dmaMemset(t, 0, 12); S.vstore(S.vload(p, { lanes: 4 }), t.at(1)); t.set(9, p.get(8)); S.vstore(S.vload(t.at(0, 1), { lanes: 11 }), @); }",
        "{ const [e] = S.allocEvents(1); S.asyncDmaCopy(@, p, 11, e); S.waitEvents(e); S.freeEvents(e); }",
        "for (const i of S.range(0, 11)) @.set(i, p.get(10 - i));",
      ].map((l) => l.replace("alloc(D,", `alloc(${d},`));
      const inputs: Inputs = {
        p: [d, values],
        q: ["bool", [1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0]],
        h: ["i32", [0, 63, 5, 5, 1, 2, 40, 3, 9, 10, 11]],
        g: ["u16", [0, 9999, 5, 5, 9999, 9999, 40, 9999, 9, 10, 9999]],
        k: ["i16", [0, 1, 1, 1, 4, 5, 6, 2, 2, 10, 0]],
        c: ["i32", [5, 2]],
      };
      check(`memory_${d}`, [inputs], d, 11, lines, ["const m = S.vload(q, { lanes: 11 });"]);
    });
  }
});

describe("numbers", () => {
  const next = sequence(5);
  const floats = [...edgeValues("f32", 24, next), 0.5, 1.5, 2.5, -0.5, 1e9, 3e9, -3e9, 300.7];
  it("conversions of f32 values", () => {
    const lines = floats.flatMap((_, i) => [
      ...NUMERIC.map((d) => `@.set(0, S.${d}(p.get(${i})));`),
      ...["i8", "u8", "i16", "u16", "i32", "u32"].map(
        (d) => `@.set(0, S.${d}(p.get(${i}), { wrap: true }));`,
      ),
      `@.set(0, S.bool(p.get(${i})) ? 1 : 0);`,
    ]);
    check("convert", [{ p: ["f32", floats] }], "f32", 1, lines);
  });
  it("float functions", () => {
    const names = INTRINSICS.flatMap((r) => (r.family === "math" && r.name !== "vpow" ? [r.name] : []));
    const lines = floats.flatMap((_, i) =>
      names.flatMap((n) => [`@.set(0, S.${n}(p.get(${i})));`, `@.set(0, S.${n}(p.get(${i}) * 0.1));`]),
    );
    for (let i = 0; i + 1 < floats.length; i++) {
      lines.push(`@.set(0, S.vpow(p.get(${i}), p.get(${i + 1})));`, `@.set(0, S.vpow(p.get(${i}), 3));`);
      lines.push(`@.set(0, S.vpow(2, p.get(${i})));`);
    }
    check("functions", [{ p: ["f32", floats] }], "f32", 1, lines);
  });
  it("bounds and divisions", () => {
    const ints = edgeValues("i32", 12, next);
    const lines = ints.flatMap((_, i) => [
      `@.set(0, S.min(p.get(${i}), q.get(${i})));`,
      `@.set(0, S.max(p.get(${i}), q.get(${i})));`,
      `@.set(0, S.clip(p.get(${i}), -5, 5));`,
      `@.set(0, S.abs(p.get(${i})) === 2147483648 ? 7 : S.abs(p.get(${i})));`,
      `@.set(0, q.get(${i}) === 0 ? 0 : S.i32(S.ceildiv(p.get(${i}), q.get(${i}))));`,
      `@.set(0, q.get(${i}) === 0 ? 0 : S.i32(S.floordiv(p.get(${i}), q.get(${i}))));`,
    ]);
    check("integers", [{ p: ["i32", ints], q: ["i32", edgeValues("i32", 12, next)] }], "i32", 1, lines);
    const reals = floats
      .slice(0, 20)
      .flatMap((_, i) => [
        `@.set(0, S.min(p.get(${i}), p.get(${i + 1})));`,
        `@.set(0, S.max(p.get(${i}), p.get(${i + 1})));`,
        `@.set(0, S.clip(p.get(${i}), -0.5, 0.25));`,
        `@.set(0, S.abs(p.get(${i})));`,
      ]);
    check("reals", [{ p: ["f32", floats] }], "f32", 1, reals);
  });
});
