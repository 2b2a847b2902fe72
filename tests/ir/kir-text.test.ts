import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KpuError } from "../../ir/diagnostic.ts";
import type { Level } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { arbitraryKernel } from "./arbitraries.ts";
import { difference } from "./structure.ts";

const LEVELS: readonly Level[] = ["open", "virtual", "machine"];

/** What parsing throws; anything but a KpuError with a position fails. */
function parseError(text: string): string {
  try {
    parseKernel(text, "k.kir");
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    expect(["KPU7001", "KPU7002"]).toContain(error.code);
    return error.message;
  }
  return "parsed";
}

describe("random kernels", () => {
  test.each(LEVELS)("at level %s print, parse back equal, and verify", (level) => {
    fc.assert(
      fc.property(arbitraryKernel({ level }), (k) => {
        expect(verifyKernel(k).map((d) => d.message)).toEqual([]);
        for (const locations of [true, false]) {
          const text = printKernel(k, { locations });
          const back = parseKernel(text);
          expect(printKernel(back, { locations })).toBe(text);
          expect(verifyKernel(back)).toEqual([]);
          if (locations) expect(difference(k, back)).toBeUndefined();
        }
      }),
      { numRuns: 120 },
    );
  });

  test("cut anywhere, or with characters changed, never crash the parser", () => {
    const mutation = fc.tuple(
      fc.nat(),
      fc.constantFrom("", "{", "}", "(", "\n", "%x", "9", "-", "mask", ":", '"', "#7", "é", "\u0000"),
      fc.nat({ max: 30 }),
    );
    fc.assert(
      fc.property(arbitraryKernel(), mutation, fc.nat(), (k, [where, what, length], cut) => {
        const text = printKernel(k, { locations: true });
        parseError(text.slice(0, cut % text.length));
        const at = where % text.length;
        parseError(text.slice(0, at) + what + text.slice(at + length));
      }),
      { numRuns: 120 },
    );
  });

  test("garbage never crashes the parser", () => {
    const word = fc.constantFrom(
      "kir",
      "1",
      ",",
      "level",
      ":",
      "virtual",
      "\n",
      "kernel",
      "@k",
      "(",
      ")",
      "{",
      "}",
      "let",
      "%x",
      "=",
      "add",
      ".",
      "i32",
      "for",
      "loop",
      "[",
      "]",
      "<",
      ">",
      "ptr_add",
      "load",
      "if",
      "else",
      "NaN",
      "#1",
    );
    fc.assert(fc.property(fc.array(word, { maxLength: 60 }), (words) => void parseError(words.join(" "))));
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 60 }),
        (words) =>
          void parseError(`kir 1, level: virtual\nkernel @k(%p: ptr<i32, global>) {\n${words.join(" ")}`),
      ),
    );
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void parseError(text)));
  });
});

describe("text", () => {
  const body = (lines: string, params = ""): string =>
    `kir 1, level: virtual\nkernel @k(${params}) {\n${lines}\n}\n`;
  const again = (text: string): string => printKernel(parseKernel(text), { locations: true });

  test("is what the documentation shows", () => {
    const text = `kir 1, level: virtual
table @0: f32 = [1, -0, NaN, -Infinity]
text @0 = "i={}"
kernel @saxpy(%x: ptr<const f32, global>, %y: ptr<f32, global>, %a: f32, %n: i32) {
  let %per: i32 = ceildiv.i32 %n, tile_count
  let %begin: i32 = mul.i32 tile_id, %per
  let %end: i32 = min.i32 (add.i32 %begin, %per), %n
  rows: for %i: i32 = %begin to %end step 8 {
    let %m: mask<8> = tail_mask<8> (sub.i32 %end, %i)
    let %v: f32x8 = load<f32x8> %x[%i] mask %m else (splat<f32x8> 0:f32)
    let %w: f32x8 = load<f32x8> %y[add.i32 %i, 1]
    store<f32x8> %y[%i], (fma.f32x8 %v, %w, (splat<f32x8> %a)) mask %m
    if lt.i32 %i, 3 {
      continue rows
    } else if lt.i32 %i, 4 {
      print{text: 0} %i, 1:i64, true
    } else {
      break rows
    }
  }
  var %c: i32 = 0
  w: loop test {
    let %go: bool = lt.i32 %c, 3
  }
  while %go {
    %c = add.i32 %c, 1
  }
  update {
    barrier
  }
  d: loop {
    %c = sub.i32 %c, 1
  }
  while gt.i32 %c, 0
  return
}
`;
    expect(again(text)).toBe(text);
  });

  test("keeps numbers exactly, with types where they are needed", () => {
    const text = body(
      [
        "  let %a: f64 = -0",
        "  let %b: f32 = NaN",
        "  let %c: i64 = add.i64 9007199254740991, -1",
        "  let %d: f64 = 5e-324",
        "  let %e: f64 = 1e+300",
        "  let %f: i32 = select.i32 true, 1, 2",
        "  let %g: bool = eq.f64 0.1, -Infinity",
      ].join("\n"),
    );
    expect(again(text)).toBe(text);
  });

  test("gives locals of one name numbers, in the order of their definition", () => {
    const text = body(
      [
        "  let %x: i32 = 1",
        "  let %x.1: i32 = 2",
        '  let %"x.1": i32 = add.i32 %x, %x.1',
        '  let %"x.1".1: i32 = 3',
      ].join("\n"),
    );
    expect(again(text)).toBe(text);
    expect(again(text.replaceAll("%x.1", "%x.7"))).toBe(text);
  });

  test("may be laid out freely after commas and brackets, with comments", () => {
    const text =
      "kir 1, level: open // numbers are JavaScript's\n\nkernel @k(\n  %a: f32,\n  %b: bool) {\n // nothing\n let %x: num =\n add.num (\n 1), \n 2\n}";
    expect(again(text)).toBe(
      "kir 1, level: open\nkernel @k(%a: f32, %b: bool) {\n  let %x: num = add.num 1, 2\n}\n",
    );
  });

  test.each([
    ["", "k.kir:1:1: error[KPU7001]: expected kir, got the end of the text"],
    ["kir 2, level: virtual", "k.kir:1:5: error[KPU7001]: version 2 of KIR is not known"],
    [
      "kir 1, level: none",
      'k.kir:1:15: error[KPU7001]: expected a level (open, virtual, machine), got "none"',
    ],
    [body("let %x: i33 = 1"), "k.kir:3:9: error[KPU7001]: expected a type, got i33"],
    [body("let %x: i32 = 1.5"), "k.kir:3:15: error[KPU7001]: 1.5 is not a constant of type i32"],
    [body("let %x: i32 = %y"), "k.kir:3:15: error[KPU7001]: %y is not defined before this place"],
    [body("let %x: i32 = 1\nlet %x: i32 = 1"), "k.kir:4:5: error[KPU7001]: %x is defined twice"],
    [body("let %x: i32 = add.i32 1"), "k.kir:3:15: error[KPU7002]: add takes 2 operands, got 1"],
    [
      body("let %x: i32 = add.i32 1, 2 3"),
      'k.kir:3:28: error[KPU7001]: expected the end of the line, got "3"',
    ],
    [
      body("let %x: i32 = add.i32 1, true"),
      "k.kir:3:15: error[KPU7002]: add: operands must have one type, got i32, bool",
    ],
    [body("let %x: i32 = add.i64 (clz32.i32 1), 2"), "add.i64 has an operand of type i32"],
    [body("let %x: i32 = unknown 1"), 'k.kir:3:15: error[KPU7001]: expected a value, got "unknown"'],
    [body("let %x: i32 = add{fast}.i32 1, 2"), "k.kir:3:19: error[KPU7001]: add has no attribute fast"],
    [body("let %x: i32 = add{__proto__: 1} 1, 2"), "add has no attribute __proto__"],
    [body("let %x: mask<0> = 1"), "a mask cannot have 0 lanes"],
    [body("let %x: f32x99999 = 1"), "expected a type, got f32x99999"],
    [body("let %x: i32x2 = vconst<i32x2> [1, 2.5]"), "2.5 is not a value of i32"],
    [
      body("let %x: i32x2 = vconst<i32x3> [1, 2]"),
      "k.kir:3:17: error[KPU7002]: vconst<i32x3> has the type i32x2",
    ],
    [
      body("store<f32x8> %p, 1", "%p: ptr<f32, global>"),
      "error[KPU7002]: store: stores i32 through ptr<f32, global>",
    ],
    [body("let %x: i32 = alloc{dtype: i32, scope: moon, count: 1}"), "alloc attribute scope must be a scope"],
    [body("return", "%n: noalias i32"), "expected a pointer type"],
    [body("x: let %x: i32 = 1"), "expected for, loop or block after a label"],
    [body("break 3"), 'k.kir:3:7: error[KPU7001]: expected the end of the line, got "3"'],
    [body('print{text: 0} "a"'), "expected the end of the line"],
    ['kir 1, level: virtual\ntext @0 = "\\q"', 'k.kir:2:11: error[KPU7001]: "\\q" is not a valid string'],
    ['kir 1, level: virtual\ntext @1 = ""', "k.kir:2:6: error[KPU7001]: expected @0, got @1"],
    ["kir 1, level: virtual\n€", 'k.kir:2:1: error[KPU7001]: "€" does not begin a token'],
    [`${body("")}x`, 'k.kir:5:1: error[KPU7001]: expected the end of the text, got "x"'],
  ])("%j is refused", (text, message) => {
    expect(parseError(text)).toContain(message);
  });

  test("nested too deep is refused, not overflowed", () => {
    for (const n of [1_000, 1_000_000]) {
      expect(parseError(body(`let %x: i32 = ${"(".repeat(n)}1${")".repeat(n)}`))).toContain(
        "nested more than 400 deep",
      );
      expect(parseError(body(`let %x: i32 = ${"not.i32 (".repeat(n)}`))).toContain(
        "nested more than 400 deep",
      );
      expect(parseError(body("block {\n".repeat(n)))).toContain("nested more than 400 deep");
      expect(parseError(body(`if true {\n} else ${"if true {\n} else ".repeat(n)}`))).toContain("KPU7001");
    }
    const deep = body(`  let %x: i32 = ${"not.i32 (".repeat(190)}not.i32 1${")".repeat(190)}`);
    expect(again(deep)).toBe(deep);
  });
});
