/** The program file: round trip, one form, and refusal of everything else. */
import { describe, expect, it } from "vitest";
import { compileKernel, manifestOf, readProgram } from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import type { ProgramDescription, ProgramMetrics } from "../../ir/program.ts";
import { resolveTarget, TARGETS, type Target } from "../../ir/target.ts";
import { KpuProgram, loadProgram } from "../../runtime/index.ts";
import { sealed, withSection, withText } from "../robustness/damage.ts";
import { kernelOf } from "./threeway.ts";

const TEXT = `kir 1, level: virtual
table @0: f32 = [1, -0, NaN, Infinity]
table @1: u4 = [1, 2, 15]
text @0 = "x = {}"
location @1 = "/a/k.ts" 7:9
kernel @scale(%x: noalias ptr<f32, global>, %n: i32, %a: f32, %w: ptr<const i8, global>) {
  let %t: ptr<const f32, local> = alloc_const{dtype: f32, table: 0}
  let %u: ptr<const u4, local> = alloc_const{dtype: u4, table: 1}
  #1 let %v: f32x20 = load<f32x20> %x
  let %one: f32 = get %t
  #1 store<f32x20> %x, (mul.f32x20 %v, (splat<f32x20> (mul.f32 %a, %one))) mask (tail_mask<20> %n)
}
`;
const DESCRIPTION: ProgramDescription = {
  tensors: [
    { name: "x", dtype: "f32", shape: ["n"], role: "inout", param: "x" },
    { name: "w", dtype: "i8", shape: [3], role: "weight", param: "w" },
    { name: "between", dtype: "f16", shape: [4, 4], role: "activation" },
  ],
  ops: [
    {
      name: "scale",
      kind: "scale",
      span: 0,
      dims: { i: "n", 7: 1 },
      inputs: ["x", "w"],
      outputs: ["x"],
      attributes: { factor: 0.1, exact: true, rule: "a \u2028 \ud800" },
      tiling: {
        tileSizes: { private: { i: 20 } },
        loopOrder: [{ level: "private", dim: "i" }],
        doubleBuffer: [],
        prefetchDistance: 0,
      },
      fusedWith: [],
    },
  ],
  weights: { w: Uint8Array.of(1, 2, 255) },
};
const bytes = { read: 1, written: 2.5 };
const traffic = { dram: bytes, l3: bytes, l2: bytes, local: bytes };
const METRICS: ProgramMetrics = {
  source: "machine model, mode power",
  machine: "minimal",
  tiles: 1,
  arguments: [{ bytes: 80 }, 20, "NaN", null],
  clock: { name: "control", hz: 1e9 },
  totalCycles: 100.5,
  totalTimeUs: 0.1,
  computeCycles: 50,
  memoryStallCycles: 25,
  otherCycles: 25.5,
  macs: 0,
  computeUtilization: 0,
  memoryBandwidthUtilization: 0.25,
  traffic,
  totalEnergyUj: 1e-7,
  averagePowerWatts: 0.5,
  ops: [{ op: "scale", cycles: 100, macs: 0, traffic, energyUj: 0 }],
};

const kernel = kernelOf(TEXT);
const build = (checks: boolean, target: Target = TARGETS.minimal): KpuProgram =>
  new KpuProgram(compileKernel(kernel, { target, checks }));
const described = (): KpuProgram =>
  new KpuProgram({
    ...compileKernel(kernel, { target: TARGETS.minimal, checks: true, description: DESCRIPTION }),
    estimates: METRICS,
    measured: { ...METRICS, source: "a bench" },
  });

/** The code of the refusal and what it says. */
function refusal(file: Uint8Array): string {
  try {
    readProgram(file);
  } catch (error) {
    if (error instanceof KpuError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "accepted";
}

describe(".kpubin", () => {
  it.each([true, false])("round trip, checks %s", (checks) => {
    const program = build(checks);
    const loaded = loadProgram(program.bytes);
    expect(loaded.asm).toBe(program.asm);
    expect(loaded.kir).toBe(program.kir);
    expect(loaded.name).toBe("scale");
    expect(loaded.params).toEqual(program.params);
    expect(loaded.description).toEqual(program.description);
    expect(Buffer.from(loaded.bytes).equals(Buffer.from(program.bytes))).toBe(true);
    const x = Float32Array.from({ length: 20 }, (_, i) => i);
    loaded.run(x, 19, 3, null);
    expect(Array.from(x)).toEqual(Array.from({ length: 20 }, (_, i) => (i < 19 ? 3 * i : i)));
    if (checks) {
      expect(() => loaded.run(new Float32Array(4), 5, 1, null)).toThrow("k.ts:7");
    }
  });

  it("round trip of what is declared: description, weights, metrics", () => {
    const program = described();
    const read = readProgram(program.bytes);
    expect(read.description).toEqual({ ...DESCRIPTION, schedule: ["scale"] });
    expect(read.estimates).toEqual(METRICS);
    expect(read.measured).toEqual({ ...METRICS, source: "a bench" });
    expect(Buffer.from(loadProgram(program.bytes).bytes).equals(Buffer.from(program.bytes))).toBe(true);
    // Bytes that do not stand at a multiple of anything.
    const odd = new Uint8Array(program.bytes.length + 1);
    odd.set(program.bytes, 1);
    expect(readProgram(odd.subarray(1)).description.weights).toEqual(DESCRIPTION.weights);
  });

  it("a Buffer, as files are read, is only looked at", () => {
    const { bytes: file } = described();
    const buffer = Buffer.from(file);
    expect(readProgram(buffer).source).toBe(described().kir);
    expect(buffer.equals(file)).toBe(true);
  });

  it("is read in a time that grows with its size", () => {
    const many = 50_000;
    const tensors = Array.from({ length: many }, (_, i) => ({
      name: `t${i}`,
      dtype: "i8" as const,
      shape: [i],
      role: "activation" as const,
    }));
    const ops = tensors.map(({ name }, i) => ({
      name: `o${i}`,
      kind: "copy",
      dims: {},
      inputs: [name],
      outputs: [],
    }));
    const description = { tensors, ops };
    const { bytes: file } = new KpuProgram(
      compileKernel(kernel, { target: TARGETS.minimal, checks: true, description }),
    );
    const start = performance.now();
    expect(readProgram(file).description.tensors.length).toBe(many);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it("the machine comes back whole", () => {
    const targets: readonly Target[] = [
      ...Object.values(TARGETS),
      { ...TARGETS.minimal, name: "of \u2028 my own", vectorAlignment: 32, tiles: 1024 },
    ];
    for (const target of targets) expect(readProgram(build(true, target).bytes).target).toEqual(target);
  });

  it("the manifest tells what follows from code and description", () => {
    const { inputs, outputs, memory, constants, weights, precision } = manifestOf(described().compiled);
    expect({ inputs, outputs, memory, constants, weights, precision }).toEqual({
      inputs: ["x"],
      outputs: ["x"],
      memory: {
        // Tables of 16 and 2 bytes, each at a multiple of 64.
        peak: { global: 0, l3: 0, l2: 0, l1: 0, acc: 0, local: 66, private: 0 },
        constants: 18,
        weights: 3,
        activations: 32,
      },
      constants: [
        { dtype: "f32", elements: 4, offset: 0, bytes: 16 },
        { dtype: "u4", elements: 3, offset: 64, bytes: 2 },
      ],
      weights: [{ tensor: "w", offset: 0, bytes: 3 }],
      precision: { arrays: ["i8", "f32"], vectors: ["f32"], products: [] },
    });
  });

  it("every single-byte damage is refused", () => {
    const good = described().bytes;
    expect(refusal(good)).toBe("accepted");
    for (let at = 0; at < good.length; at++) {
      const bad = new Uint8Array(good);
      bad[at] = bad[at]! ^ (1 << (at % 8));
      expect(refusal(bad)).toMatch(/^KPU700[34]/);
    }
  });
  it("every truncation and extension is refused", () => {
    const good = build(true).bytes;
    for (let n = 0; n < good.length; n++) expect(refusal(good.subarray(0, n))).toContain("KPU7003");
    expect(refusal(new Uint8Array([...good, 0]))).toContain("KPU7003");
    expect(refusal(new Uint8Array([...good, ...new Uint8Array(64)]))).toContain("KPU7003");
    expect(refusal(new Uint8Array(0))).toContain("KPU7003");
  });
  it.each([
    [1, "KPU7004", "has version 1, this runtime reads version 2"],
    [3, "KPU7004", "use a newer kpu-dsl"],
    [2 ** 32 - 1, "KPU7004", "version 4294967295"],
    [0, "KPU7003", "version 0 does not exist"],
  ])("version %d is refused as such", (version, code, says) => {
    const other = new Uint8Array(build(false).bytes);
    new DataView(other.buffer).setUint32(8, version, true);
    for (const file of [other, sealed(other)]) {
      expect(refusal(file)).toContain(code);
      expect(refusal(file)).toContain(says);
    }
  });

  it("sections are 64-byte aligned, and stand as the page says", () => {
    const { bytes: file } = described();
    const view = new DataView(file.buffer);
    expect(file.length % 64).toBe(0);
    expect(view.getUint32(12, true)).toBe(5);
    expect(view.getBigUint64(16, true)).toBe(BigInt(file.length));
    let at = 64 * 6;
    for (let i = 1; i <= 5; i++) {
      expect(view.getUint32(64 * i, true)).toBe(i);
      expect(view.getBigUint64(64 * i + 8, true)).toBe(BigInt(at));
      at = Math.ceil((at + Number(view.getBigUint64(64 * i + 16, true))) / 64) * 64;
    }
    expect(at).toBe(file.length);
  });
});

it("a target that is no machine is refused when it is built for", () => {
  for (const [wrong, says] of [
    [{ tiles: 0 }, "1 to 1024 tiles, got 0"],
    [{ tiles: 2000 }, "1 to 1024 tiles, got 2000"],
    [{ registerBits: 200 }, "registers of 128, 256, 512, 1024 bits, got 200"],
    [{ events: 0.5 }, "events, got 0.5"],
    [{ vectorAlignment: 0 }, "vectorAlignment of at least 1, got 0"],
    [{ capacity: { ...TARGETS.edge.capacity, l2: Number.NaN } }, "bytes of l2, got NaN"],
  ] as const)
    expect(() => resolveTarget({ ...TARGETS.edge, ...wrong })).toThrow(says);
});

describe("one form: what says the same in another way is refused, with hashes that are right", () => {
  const FOLLOWS = "follows a manifest with";
  const good = described().bytes;
  const replaced =
    (from: string | RegExp, to: string) =>
    (text: string): string => {
      expect(text).toMatch(from);
      return text.replace(from, to);
    };
  const table = (change: (view: DataView) => void): Uint8Array => {
    const file = new Uint8Array(good);
    change(new DataView(file.buffer));
    return sealed(file);
  };
  it("the tests change what they mean to", () => {
    expect(refusal(table(() => {}))).toBe("accepted");
    expect(refusal(withText(good, "code", (text) => text))).toBe("accepted");
  });
  it.each<readonly [string, Uint8Array, string]>([
    ["blanks in the manifest", withText(good, "manifest", replaced("{", "{ ")), FOLLOWS],
    [
      "keys in another order",
      withText(good, "manifest", replaced(/("name":"scale"),("version":2)/, "$2,$1")),
      FOLLOWS,
    ],
    ["a key twice", withText(good, "manifest", replaced('{"name"', '{"name":"scale","name"')), FOLLOWS],
    ["a key of its own", withText(good, "manifest", replaced('{"name"', '{"more":1,"name"')), FOLLOWS],
    ["a key __proto__", withText(good, "manifest", replaced('{"name"', '{"__proto__":1,"name"')), FOLLOWS],
    ["a number in another way", withText(good, "manifest", replaced("100.5", "1.005e2")), FOLLOWS],
    ["another hash of the source", withText(good, "manifest", replaced(/sha256":"./, 'sha256":"x')), FOLLOWS],
    ["another source", withText(good, "source", (text) => `${text}\n`), FOLLOWS],
    ["no source", withText(good, "source", () => ""), FOLLOWS],
    ["peaks of its own", withText(good, "manifest", replaced('"local":66', '"local":67')), FOLLOWS],
    ["a parameter of its own", withText(good, "manifest", replaced('"name":"a"', '"name":"b"')), FOLLOWS],
    [
      "an input of its own",
      withText(good, "manifest", replaced('"inputs":["x"]', '"inputs":["w"]')),
      FOLLOWS,
    ],
    [
      "costs of other arguments",
      withText(good, "manifest", replaced('"NaN",null]', '"NaN"]')),
      "3 arguments",
    ],
    ["costs of no op", withText(good, "manifest", replaced('{"op":"scale"', '{"op":"else"')), 'op "else"'],
    [
      "a tensor that is none",
      withText(good, "manifest", replaced('"param":"w"', '"param":"n"')),
      'parameter "n"',
    ],
    [
      "registers of another width",
      withText(good, "manifest", replaced(/("registerBits"):256/, "$1:512")),
      "512",
    ],
    [
      "registers of no width",
      withText(good, "manifest", replaced(/("registerBits"):256/, "$1:100")),
      "got 100",
    ],
    ["too many tiles", withText(good, "manifest", replaced('"tiles":1', '"tiles":9999')), "9999"],
    ["a manifest that is none", withText(good, "manifest", () => "[]"), "manifest is wrong"],
    [
      "a manifest that is deep",
      withText(good, "manifest", replaced("{", `{"a":${"[".repeat(1e5)}${"]".repeat(1e5)},`)),
      FOLLOWS,
    ],
    ["no manifest", withText(good, "manifest", () => ""), "manifest is not JSON"],
    ["code with a comment", withText(good, "code", (text) => `${text}// done\n`), "not written as a writer"],
    [
      "code with tables",
      withText(good, "code", replaced("text @0", "table @0: f32 = []\ntext @0")),
      "writer",
    ],
    [
      "code of another level",
      withText(good, "code", replaced(/machine, register: 256/, "virtual")),
      "offset",
    ],
    ["no code", withText(good, "code", () => ""), "does not parse"],
    ["a byte order mark", withText(good, "manifest", (text) => `\ufeff${text}`), "not JSON"],
    ["bytes that are no text", withSection(good, "source", () => Uint8Array.of(0xff)), "not text"],
    ["another NaN", withSection(good, "constants", (c) => c.with(8, 1)), "bits that no value has"],
    ["half a byte over", withSection(good, "constants", (c) => c.with(65, 0x2f)), "bits that no value has"],
    ["something between tables", withSection(good, "constants", (c) => c.with(20, 1)), "no zero"],
    ["a constant less", withSection(good, "constants", (c) => c.subarray(0, 64)), "have 64 bytes"],
    ["weights that are too many", withSection(good, "weights", () => new Uint8Array(4)), "have 4 bytes"],
    ["no weights", withSection(good, "weights", () => new Uint8Array(0)), "have 0 bytes"],
    ["a section of no kind", table((v) => v.setUint32(64, 9, true)), "kind 9"],
    ["sections in another order", table((v) => v.setUint32(128, 1, true)), 'behind "manifest"'],
    ["a section that is empty", table((v) => v.setBigUint64(64 * 5 + 16, 0n, true)), "out of place"],
    ["a place of its own", table((v) => v.setBigUint64(72, 512n, true)), "out of place"],
    ["a place beyond the end", table((v) => v.setBigUint64(72, 2n ** 63n, true)), "beyond the end"],
    ["a length beyond the end", table((v) => v.setBigUint64(80, 2n ** 64n - 1n, true)), "beyond the end"],
    ["too many sections", table((v) => v.setUint32(12, 1e6, true)), "does not fit"],
    ["something in the header", table((v) => v.setUint8(60, 1)), "byte 60"],
    ["something in the table", table((v) => v.setUint8(68, 1)), "byte 68"],
    ["something behind an entry", table((v) => v.setUint8(127, 1)), "byte 127"],
    ["something behind a section", table((v) => v.setUint8(good.length - 1, 1)), "belongs to nothing"],
  ])("%s", (_what, file, says) => {
    expect(refusal(file)).toContain(says);
    expect(refusal(file)).toContain("KPU7003");
  });
});
