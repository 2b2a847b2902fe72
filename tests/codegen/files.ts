/** Programs of every kind, for tests of their files: kernels of the repository and random ones, with descriptions that fit them. */
import fc from "fast-check";
import { legalise, type ProgramFile } from "../../codegen/index.ts";
import { paramUses } from "../../codegen/params.ts";
import { Blas } from "../../examples/blas.ts";
import { scale } from "../../examples/double-buffer.ts";
import * as elementwise from "../../examples/elementwise.ts";
import * as image from "../../examples/image/kernels.ts";
import { matmul } from "../../examples/matmul.ts";
import { prefixSum } from "../../examples/prefix-sum.ts";
import { addInt8 } from "../../examples/quantized-add.ts";
import { softmax } from "../../examples/softmax.ts";
import { type AnyKernel, kernelRecord } from "../../executions.ts";
import { ALL_DTYPES, SCOPES } from "../../ir/dtype.ts";
import type { Kernel } from "../../ir/kir.ts";
import { printKernel } from "../../ir/print.ts";
import {
  completeDescription,
  descriptionProblem,
  type Extent,
  type ParamUse,
  type ProgramDescription,
  type ProgramMetrics,
  type ProgramOp,
  type ProgramTensor,
  tensorBytes,
} from "../../ir/program.ts";
import { TARGETS, type Target } from "../../ir/target.ts";
import { gemmKernel } from "../../kernels/gemm/kernel.ts";
import { planGemm } from "../../kernels/gemm/plan.ts";
import { evaluate, generate, seedOf } from "../../kernelsmith/index.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { arbitraryKernel } from "../ir/arbitraries.ts";

/** Kernels of the examples and of the library, by the text that a build makes of them. */
function ofTheRepository(): readonly (readonly [AnyKernel, Target])[] {
  const examples = [
    Blas.saxpy,
    scale,
    matmul,
    prefixSum,
    addInt8,
    softmax,
    ...Object.values(elementwise),
    ...Object.values(image),
  ].filter((k): k is AnyKernel => typeof k === "function" && "kernel" in k);
  const gemm = (spec: Parameters<typeof gemmKernel>[0], target: Target): readonly [AnyKernel, Target] => [
    gemmKernel(spec, planGemm(spec, { m: 70, n: 50, k: 90 }, target, target.tiles), target, target.tiles),
    target,
  ];
  return [
    ...examples.map((k): readonly [AnyKernel, Target] => [k, TARGETS.edge]),
    gemm({ a: "f32", b: "f32", out: "f32", activation: "relu", bias: "f32" }, TARGETS.minimal),
    gemm(
      { a: "i8", b: "i4", out: "i8", scale: "vector", bias: "i32", quantize: { scale: 0.5 } },
      TARGETS.edge,
    ),
  ];
}

/** A program of the machine, as compiling gives it. */
export interface Compiled {
  readonly machine: Kernel;
  readonly source: string;
  readonly target: Target;
}

function lowered(kernel: AnyKernel, target: Target): Compiled {
  const { kernel: virtual } = lowerKernel(kernelRecord(kernel), { target });
  return { machine: legalise(virtual, target), source: printKernel(virtual), target };
}

export function compiledOfTheRepository(): readonly Compiled[] {
  return ofTheRepository().map(([k, target]) => lowered(k, target));
}

/** The n-th kernel of the generator of kernels, compiled. */
export function compiledOfKernelsmith(n: number): Compiled {
  const program = generate(seedOf(1, n));
  const target = { ...TARGETS.edge, registerBits: program.registerBits };
  return lowered(evaluate([program])[0] as AnyKernel, target);
}

/** Random KIR: names, constants and jumps that no author's kernel has. */
export const compiledOfRandomKir: fc.Arbitrary<Compiled> = fc
  .tuple(arbitraryKernel({ level: "virtual" }), fc.constantFrom<Target>(TARGETS.edge, TARGETS.minimal))
  .map(([k, target]) => ({ machine: legalise(k, target), source: printKernel(k), target }));

// ---------------------------------------------------------------------------------------------- descriptions

/** What names may be: any text. */
const name = fc.oneof(
  fc.constantFrom(
    "x",
    "__proto__",
    "constructor",
    "",
    " ",
    "a.b/c:0",
    ".code",
    "..",
    "\n.code\n",
    "1",
    "\u2028",
  ),
  fc.string({ unit: "binary", maxLength: 6 }),
);
const key = name.filter((n) => n !== "__proto__");
const names = (most: number): fc.Arbitrary<string[]> => fc.uniqueArray(name, { maxLength: most });

function extent(params: readonly ParamUse[]): fc.Arbitrary<Extent> {
  const scalars = params.filter((p) => !p.pointer).map((p) => p.name);
  const number = fc.nat({ max: 5 });
  return scalars.length === 0 ? number : fc.oneof(number, fc.constantFrom(...scalars));
}

function tensor(own: string, p: ParamUse, params: readonly ParamUse[]): fc.Arbitrary<ProgramTensor> {
  const base = { name: own, dtype: p.dtype, param: p.name };
  const role = fc.constantFrom(
    ...(p.written ? (["output", "inout"] as const) : (["input", "inout"] as const)),
  );
  const passed = fc
    .tuple(role, fc.option(fc.array(extent(params), { maxLength: 4 }), { nil: undefined }))
    .map(([r, shape]): ProgramTensor => ({ ...base, ...(shape === undefined ? {} : { shape }), role: r }));
  const held = fc
    .array(fc.nat({ max: 5 }), { maxLength: 3 })
    .map((shape): ProgramTensor => ({ ...base, shape, role: "weight" }));
  return p.written ? passed : fc.oneof(passed, held);
}

function op(
  own: string,
  tensors: readonly ProgramTensor[],
  params: readonly ParamUse[],
): fc.Arbitrary<ProgramOp> {
  const some = (list: readonly ProgramTensor[]): fc.Arbitrary<string[]> =>
    fc.subarray(list.map((t) => t.name));
  const written = tensors.filter((t) => t.role !== "input" && t.role !== "weight");
  const dims = fc.dictionary(key, extent(params), { maxKeys: 4 });
  const sizes = (of: readonly string[]) =>
    fc
      .tuple(
        fc.uniqueArray(fc.constantFrom(...SCOPES), { maxLength: 3 }),
        fc.subarray([...of]),
        fc.integer({ min: 1, max: 9 }),
      )
      .map(([levels, cut, size]) =>
        Object.fromEntries(levels.map((l) => [l, Object.fromEntries(cut.map((d) => [d, size]))])),
      );
  const attribute = fc.oneof(fc.string(), fc.boolean(), fc.double({ noNaN: true, noDefaultInfinity: true }));
  return dims.chain((d) =>
    fc
      .record({
        kind: name,
        inputs: some(tensors),
        outputs: some(written),
        attributes: fc.option(fc.dictionary(key, attribute, { maxKeys: 3 }), { nil: undefined }),
        tileSizes: fc.option(sizes(Object.keys(d)), { nil: undefined }),
        prefetchDistance: fc.nat({ max: 3 }),
      })
      .map(({ kind, inputs, outputs, attributes, tileSizes, prefetchDistance }) => ({
        name: own,
        kind,
        dims: d,
        inputs,
        outputs,
        ...(attributes === undefined ? {} : { attributes: withoutNegativeZero(attributes) }),
        ...(tileSizes === undefined ? {} : { tiling: { tileSizes, ...loops(tileSizes), prefetchDistance } }),
      })),
  );
}

/** JSON has one zero. */
function withoutNegativeZero<T>(o: { readonly [k: string]: T }): { readonly [k: string]: T } {
  return Object.fromEntries(Object.entries(o).map(([k, v]) => [k, Object.is(v, -0) ? (0 as T) : v]));
}

function loops(tileSizes: NonNullable<ProgramOp["tiling"]>["tileSizes"]) {
  const levels = SCOPES.filter((l) => tileSizes[l] !== undefined);
  return {
    loopOrder: levels.flatMap((level) => Object.keys(tileSizes[level] ?? {}).map((dim) => ({ level, dim }))),
    doubleBuffer: levels.slice(0, 1),
  };
}

/** A description that fits these parameters. */
function description(params: readonly ParamUse[]): fc.Arbitrary<ProgramDescription> {
  const pointers = params.filter((p) => p.pointer);
  return fc
    .tuple(fc.shuffledSubarray(pointers), names(6), names(3))
    .chain(([passed, tensorNames, opNames]) => {
      const between = tensorNames
        .slice(passed.length)
        .map((own) =>
          fc
            .tuple(fc.constantFrom(...ALL_DTYPES), fc.array(extent(params), { maxLength: 3 }))
            .map(([dtype, shape]): ProgramTensor => ({ name: own, dtype, shape, role: "activation" })),
        );
      const held = passed
        .slice(0, tensorNames.length)
        .map((p, i) => tensor(tensorNames[i] as string, p, params));
      return fc.tuple(...held, ...between).chain((tensors) =>
        fc
          .tuple(
            fc.tuple(...opNames.map((own) => op(own, tensors, params))),
            fc.shuffledSubarray(opNames, { minLength: opNames.length }),
            fc.uint8Array({ minLength: 32, maxLength: 32 }),
          )
          .map(([ops, schedule, bytes]) => {
            const weights = tensors
              .filter((t) => t.role === "weight")
              .map(
                (t) =>
                  [
                    t.name,
                    Uint8Array.from({ length: tensorBytes(t) ?? 0 }, (_, i) => bytes[i % 32] ?? 0),
                  ] as const,
              );
            return {
              tensors,
              ops,
              schedule,
              ...(weights.length === 0 ? {} : { weights: Object.fromEntries(weights) }),
            };
          }),
      );
    });
}

const amount = fc.oneof(
  fc.nat(),
  fc.double({ min: 0, max: 1e18, noNaN: true }).map((x) => x + 0),
);
const bytes = fc.record({ read: amount, written: amount });
const traffic = fc.record({ dram: bytes, l3: bytes, l2: bytes, local: bytes });
const argument = fc.oneof(
  fc.integer(),
  fc.boolean(),
  fc.constantFrom("NaN", "-0"),
  fc.constant(null),
  fc.record({ bytes: fc.nat() }),
);

/** Metrics of a program with so many parameters and these ops. */
function metrics(params: number, ops: readonly string[]): fc.Arbitrary<ProgramMetrics> {
  const spent = (op: string) =>
    fc.record(
      { op: fc.constant(op), cycles: amount, macs: amount, traffic, energyUj: amount },
      { requiredKeys: ["op", "cycles", "macs", "traffic"] },
    );
  const told = fc.record({
    source: fc.string(),
    machine: fc.string(),
    tiles: fc.nat(),
    arguments: fc.array(argument, { minLength: params, maxLength: params }),
    clock: fc.record({ name: fc.string(), hz: amount }),
    totalCycles: amount,
    totalTimeUs: amount,
    computeCycles: amount,
    memoryStallCycles: amount,
    otherCycles: amount,
    macs: amount,
    computeUtilization: amount,
    memoryBandwidthUtilization: amount,
    traffic,
    ops: fc.shuffledSubarray([...ops]).chain((some) => fc.tuple(...some.map(spent))),
  });
  const energy = fc.option(fc.record({ totalEnergyUj: amount, averagePowerWatts: amount }), {
    nil: undefined,
  });
  return fc.tuple(told, energy).map(([m, e]) => ({ ...m, ...e }));
}

/** A program file of this code: with a description, metrics, and now and then another source. */
export function arbitraryFile({ machine, source, target }: Compiled): fc.Arbitrary<ProgramFile> {
  const params = paramUses(machine);
  const any = fc.record({
    checks: fc.boolean(),
    source: fc.oneof(
      { weight: 3, arbitrary: fc.constant(source) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("", "\n", ".", ".code", "..\n.\n\n.weights", "a\r\n.b\u2028.c"),
      },
      { weight: 1, arbitrary: fc.string({ unit: "grapheme" }) },
    ),
    vectorAlignment: fc.option(fc.constantFrom(1, 32), { nil: undefined }),
  });
  return fc.tuple(any, description(params)).chain(([{ vectorAlignment, ...rest }, d]) => {
    const wrong = descriptionProblem(d, params);
    if (wrong !== undefined) throw new TypeError(`the generator's description: ${wrong.message}`);
    const own = vectorAlignment === undefined ? target : { ...target, vectorAlignment };
    const cost = fc.option(
      metrics(
        params.length,
        d.ops.map((o) => o.name),
      ),
      { nil: undefined },
    );
    return fc.record({ estimates: cost, measured: cost }).map((costs) => ({
      ...rest,
      ...costs,
      machine,
      target: own,
      description: completeDescription(d),
    }));
  });
}
