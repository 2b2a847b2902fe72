/** The text form of program files: exact both ways, and what is wrong in one is shown where it stands. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  compileKernel,
  type ProgramFile,
  parseAssembly,
  printAssembly,
  readProgram,
  writeProgram,
} from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { TARGETS } from "../../ir/target.ts";
import { assemble, KpuProgram } from "../../runtime/index.ts";
import {
  arbitraryFile,
  compiledOfKernelsmith,
  compiledOfRandomKir,
  compiledOfTheRepository,
} from "./files.ts";
import { kernelOf } from "./threeway.ts";

/** `PROGRAM_FILES=20 npx vitest run tests/codegen/assembly.test.ts` tries 20 times as many. */
const RUNS = Number(process.env["PROGRAM_FILES"] ?? 1);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** A program, its file and its text say the same, and come back as they were. */
function roundTrips(p: ProgramFile): void {
  const file = writeProgram(p);
  const read = readProgram(file);
  expect(hex(writeProgram(read))).toBe(hex(file));
  expect(read.description).toEqual(p.description);
  const text = printAssembly(p);
  expect(printAssembly(read)).toBe(text);
  const assembled = parseAssembly(text, "p.kasm");
  expect(printAssembly(assembled)).toBe(text);
  expect(hex(writeProgram(assembled))).toBe(hex(file));
}

describe("a program, its file and its text come back as they were", () => {
  it("kernels of the examples and of the library", () => {
    for (const compiled of compiledOfTheRepository())
      fc.assert(fc.property(arbitraryFile(compiled), roundTrips), { numRuns: RUNS });
  });
  it("kernels of the generator", () => {
    for (let n = 0; n < 5 * RUNS; n++)
      fc.assert(fc.property(arbitraryFile(compiledOfKernelsmith(n)), roundTrips), { numRuns: RUNS });
  });
  it("random KIR", () => {
    fc.assert(fc.property(compiledOfRandomKir.chain(arbitraryFile), roundTrips), { numRuns: 30 * RUNS });
  });
});

const SMALL = kernelOf(`kir 1, level: virtual
table @0: i8 = [1, 2]
location @1 = "/a/k.ts" 7:9
kernel @small(%x: ptr<f32, global>, %n: i32, %w: ptr<const u8, global>) {
  let %t: ptr<const i8, local> = alloc_const{dtype: i8, table: 0}
  #1 let %b: i32 = get %t
  #1 set %x, 2
}
`);
const small = (): KpuProgram =>
  new KpuProgram(
    compileKernel(SMALL, {
      target: TARGETS.minimal,
      checks: true,
      description: {
        tensors: [{ name: "w a", dtype: "u8", shape: [37], role: "weight", param: "w" }],
        ops: [],
        weights: { "w a": Uint8Array.from({ length: 37 }, (_, i) => 7 * i) },
      },
    }),
  );

const TEXT = `.manifest
{
  "target": {
    "name": "minimal",
    "tiles": 1,
    "registerBits": 256,
    "capacity": {
      "l3": 131072,
      "l2": 131072,
      "l1": 32768,
      "acc": 16384,
      "local": 32768,
      "private": 8192
    },
    "events": 8
  },
  "checks": true,
  "tensors": [
    {
      "name": "w a",
      "dtype": "u8",
      "shape": [
        37
      ],
      "role": "weight",
      "param": "w"
    }
  ],
  "ops": [],
  "schedule": []
}

.source
kir 1, level: virtual
table @0: i8 = [1, 2]
kernel @small(%x: ptr<f32, global>, %n: i32, %w: ptr<const u8, global>) {
  let %t: ptr<const i8, local> = alloc_const{dtype: i8, table: 0}
  let %b: i32 = get %t
  set %x, 2
}

.code
kir 1, level: machine, register: 256
table @0: i8 = [1, 2]
location @1 = "/a/k.ts" 7:9
kernel @small(%x: ptr<f32, global>, %n: i32, %w: ptr<const u8, global>) {
  let %t: ptr<const i8, local> = alloc_const{dtype: i8, table: 0, offset: 0}
  #1 let %b: i32 = get %t
  #1 set %x, 2
}

.weights
"w a"
 00070e15 1c232a31 383f464d 545b6269 70777e85 8c939aa1 a8afb6bd c4cbd2d9
 e0e7eef5 fc
`;

test("the text of a program", () => {
  expect(small().assembly).toBe(TEXT);
  expect(hex(assemble(TEXT).bytes)).toBe(hex(small().bytes));
});

test("what can be left out: description, source, weights; comments and blanks are free", () => {
  const shorter = TEXT.replace(/ {2}"tensors.*"schedule": \[\]/s, "")
    .replace('"checks": true,', '"checks":true')
    .replace(/^\.source.*(?=^\.code)/ms, "")
    .replace(/^\.weights.*/ms, "");
  const program = assemble(`// a program\n\n${shorter.replace("  #1 set", "\n // stores\n #1   set")}`);
  expect(program.kir).toBe("");
  expect(program.asm).toBe(small().asm);
  expect(program.description).toEqual({
    tensors: [
      { name: "x", dtype: "f32", role: "output", param: "x" },
      { name: "w", dtype: "u8", role: "input", param: "w" },
    ],
    ops: [{ name: "small", kind: "kernel", dims: {}, inputs: ["w"], outputs: ["x"] }],
    schedule: ["small"],
  });
  const x = new Float32Array(1);
  program.run(x, 1, null);
  expect(x[0]).toBe(2);
});

test("lines end with a carriage return, too", () => {
  const windows = assemble(TEXT.replaceAll("\n", "\r\n"));
  expect(windows.asm).toBe(small().asm);
  expect(windows.description).toEqual(small().description);
});

/** Where the refusal points to, and what it says. */
function refusal(text: string): string {
  try {
    assemble(text, "p.kasm");
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    const { code, message, location } = error.diagnostics[0] as KpuError["diagnostics"][0];
    return `${code} ${location?.file}:${location?.line}:${location?.column} ${message}`;
  }
  return "accepted";
}

describe("mistakes are shown where they stand", () => {
  const replaced = (from: string | RegExp, to: string): string => {
    expect(TEXT).toMatch(from);
    return TEXT.replace(from, to);
  };
  it.each([
    ["", "KPU7007 p.kasm:1:1 there is no section .manifest"],
    ["kir 1", 'KPU7007 p.kasm:1:1 expected .manifest, got "kir 1"'],
    [`\n// x\n  x\n${TEXT}`, 'KPU7007 p.kasm:3:1 expected .manifest, got "  x"'],
    [
      replaced(".code", ".kode"),
      'KPU7007 p.kasm:42:1 expected .manifest, .source, .code, .weights, got ".kode"',
    ],
    [replaced(".source", ".code"), "KPU7007 p.kasm:42:1 .code stands behind .code"],
    [replaced(".manifest", ".source"), "KPU7007 p.kasm:33:1 .source stands behind .source"],
    [replaced(/^\.code.*/ms, ""), "KPU7007 p.kasm:42:1 there is no section .code"],
    [replaced('"tiles": 1', '"tiles": one'), "KPU7007 p.kasm:5:14 expected a value, found one"],
    [replaced('"tiles": 1', '"tiles": 1.5'), "KPU7007 p.kasm:5:14 target.tiles: Invalid input: expected int"],
    [replaced('"tiles": 1', '"tiles": 0'), "KPU7007 p.kasm:3:13 the target must have 1 to 1024 tiles, got 0"],
    [replaced('"tiles": 1', '"tile": 1, "tiles": 1'), "KPU7007 p.kasm:5:5 target.tile: there is no such key"],
    [replaced('    "tiles": 1,\n', ""), "KPU7007 p.kasm:3:13 target.tiles: Invalid input: expected number"],
    [
      replaced('"registerBits": 256', '"registerBits": 512'),
      "KPU7007 p.kasm:6:21 the code is for registers of 256 bits",
    ],
    [replaced('"u8"', '"u9"'), "KPU7007 p.kasm:21:16 tensors.0.dtype"],
    [replaced('"u8"', '"i8"'), 'KPU7007 p.kasm:19:5 tensor "w a" is of i8, its parameter w of u8'],
    [
      replaced('"schedule": []', '"schedule": ["x"]'),
      "KPU7007 p.kasm:30:15 the schedule must name each op once",
    ],
    [replaced('"schedule"', '"checks"'), 'KPU7007 p.kasm:30:3 the key "checks" is here twice'],
    [replaced("#1 set %x, 2", "#1 set %y, 2"), "KPU7001 p.kasm:49:10 %y is not defined before this place"],
    [replaced("#1 set %x, 2", "#1 fetch %x"), "KPU7001 p.kasm:49:6"],
    [replaced("#1 set %x, 2", "#1 set %w, 2"), "KPU7002"],
    [
      replaced("level: machine, register: 256", "level: virtual"),
      "KPU7002 p.kasm:42:1 .code holds KIR of level machine",
    ],
    [replaced('"w a"\n', "w a\n"), 'KPU7007 p.kasm:53:1 "w a" is no name'],
    [replaced('"w a"\n', '"w\\q"\n'), "KPU7007 p.kasm:53:1"],
    [replaced('"w a"\n', "w\n"), 'weights are given for "w", which is no weight'],
    [replaced('"w a"\n', ""), "expected the name of a tensor before its bytes"],
    [`${TEXT}"w a"\n`, 'KPU7007 p.kasm:56:1 the weights of "w a" are here twice'],
    [replaced("70777e85", "70777g85"), 'KPU7007 p.kasm:54:43 expected bytes in hex, got "g85"'],
    [replaced("70777e85", "70777e8"), 'KPU7007 p.kasm:54:44 "70777e8" ends in half a byte'],
    [replaced("70777e85 ", ""), 'KPU7007 p.kasm:19:5 tensor "w a" is a weight of 37 bytes, given are 33'],
    [
      replaced(/^\.weights.*/ms, ""),
      'KPU7007 p.kasm:19:5 tensor "w a" is a weight of 37 bytes, given are none',
    ],
  ])("%#", (text, says) => {
    expect(refusal(text)).toContain(says);
  });
});
