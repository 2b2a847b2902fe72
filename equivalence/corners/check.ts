/** Holds every execution to the corners: what a call gives on host values is what it gives in kernels, however they run. */
import { type Corner, type CornerValue, lanesOf, partsOfCorner } from "../../dsl/corner.ts";
import type { DType } from "../../dsl/dtypes.ts";
import type { IntrinsicRecord, OperandSpec } from "../../dsl/intrinsic.ts";
import type { Kernel, ParamDecl } from "../../dsl/kernel.ts";
import { Mask, Vec } from "../../dsl/values.ts";
import { type AnyKernel, build, simulate } from "../../executions.ts";
import type { DiagnosticCode } from "../../ir/codes.ts";
import { convertRule } from "../../ir/convert.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { readElements, writeElements } from "../../ir/elements.ts";
import { type Cell, type Operand, Planner, shapeOfResult, type Variant } from "../matrix/cell.ts";
import { EXAMPLE_BYTES, exampleArguments, exampleKernel } from "../matrix/example.ts";
import { cellKernel } from "../matrix/kernel.ts";
import { callOf } from "../matrix/plan.ts";
import type { WayResult } from "../matrix/run.ts";
import { hostArguments, type Outcome, outcomeOf, type Result } from "./outcome.ts";

/** What only direct execution knows of memory; a compiled program goes on. */
const DIRECT_ONLY: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  "KPU4002",
  "KPU4005",
  "KPU4006",
  "KPU4010",
  "KPU5006",
]);

/** Runs a kernel on an output of so many bytes, in some of the ways; each starts from fresh arguments. */
export type Run = (
  kernel: Kernel<readonly ParamDecl[]>,
  args: (output: Uint8Array) => readonly unknown[],
  outputBytes: number,
) => ReadonlyMap<string, WayResult>;

/** Direct and compiled. */
export const bothWays: Run = (kernel: AnyKernel, args, outputBytes) => {
  const results = new Map<string, WayResult>();
  for (const way of ["direct", "compiled"]) {
    const output = new Uint8Array(outputBytes);
    const printed: string[] = [];
    const options = { tiles: 1, print: (line: string) => printed.push(line) };
    if (way === "direct") simulate(kernel, args(output), options);
    else build(kernel).runWith(options, ...args(output));
    results.set(way, { output, printed });
  }
  return results;
};

/**
 * Differences between the executions on the corners of a record; none when they agree. `run` is {@link bothWays}, or
 * everyWay of the matrix, which takes three times as long.
 */
export function cornerMismatches(r: IntrinsicRecord, run: Run = bothWays): string[] {
  const corners = (r.corners ?? []).map((corner) => ({ corner, outcome: outcomeOf(r, corner) }));
  const calls = corners.flatMap(({ corner, outcome }) =>
    typeof corner !== "string" && outcome.kind === "values" ? [{ corner, values: outcome.values }] : [],
  );
  return [
    ...corners.flatMap(({ corner, outcome }) => {
      if (typeof corner === "string") return linesMismatches(r, corner, outcome, run);
      return outcome.kind === "refused" ? refusalMismatches(r, corner, outcome.diagnostic.code) : [];
    }),
    ...callMismatches(r, calls, run),
  ];
}

interface Call {
  readonly corner: Exclude<Corner, string>;
  readonly values: readonly Result[];
}

function callMismatches(r: IntrinsicRecord, calls: readonly Call[], run: Run): string[] {
  if (calls.length === 0) return [];
  const plan = new Planner();
  const input = new Map<number, { dtype: DType; numbers: readonly number[] }>();
  const variants = calls.map((c) => variantOf(r, c, plan, input));
  const cell: Cell = {
    ...{ record: r, dtype: "f32", lanes: 1, call: callOf(r), areas: plan.areas, variants, refused: [] },
    ...{ inputStride: plan.inputStride, outputStride: plan.outputStride },
  };
  const bytes = new Uint8Array(plan.inputStride + 8);
  for (const [at, { dtype, numbers }] of input) {
    writeElements(dtype.name, new DataView(bytes.buffer), at, numbers);
  }
  const ways = run(cellKernel(cell), (output) => [bytes.slice(), output, 1], plan.outputStride + 8);
  const differences: string[] = [];
  for (const [way, { output }] of ways) {
    const view = new DataView(output.buffer);
    for (const [k, variant] of variants.entries()) {
      for (const [i, o] of variant.outputs.entries()) {
        const want = storedNumbers((calls[k] as Call).values[i] as Result);
        const got =
          o.kind === "number"
            ? [...readElements("f32", view, o.offset, 1), ...readElements("i32", view, o.offset + 4, 1)]
            : readElements(o.dtype.name, view, o.offset, o.lanes);
        if (want.every((x, lane) => Object.is(x, got[lane]))) continue;
        const call = JSON.stringify((calls[k] as Call).corner);
        differences.push(`${r.name}${call}: outside kernels ${want.join(" ")}, ${way} ${got.join(" ")}`);
      }
    }
  }
  return differences;
}

/** A result as {@link cellKernel} stores it. */
function storedNumbers(v: Result): readonly number[] {
  if (v instanceof Vec || v instanceof Mask) return v.data;
  if (typeof v === "boolean") return [Number(v)];
  return [convertRule("f32")(v), convertRule("i32", true)(v)];
}

type Single = Exclude<Operand, { form: "list" }>;

function variantOf(
  r: IntrinsicRecord,
  { corner, values }: Call,
  plan: Planner,
  input: Map<number, { dtype: DType; numbers: readonly number[] }>,
): Variant {
  const { operands, options } = partsOfCorner(r, corner);
  const host = hostArguments(r, corner);
  let role = plan.areas.length;
  const single = (v: CornerValue, fixed: unknown, spec: OperandSpec | undefined): Single => {
    const lanes = lanesOf(v);
    if (lanes !== undefined) {
      const o = plan.lanes(`${role++}`, lanes.dtype, lanes.numbers.length);
      return from(o, lanes.numbers);
    }
    const dtype = typeof v === "number" && spec?.kind === "scalar" ? scalarDType(v) : undefined;
    if (dtype === undefined) return { form: "static", value: fixed };
    // Where an operand takes some numbers only, the kernel must prove what it reads.
    const range = spec?.values === undefined || Number.isNaN(v) ? undefined : [v as number, 0];
    return from(plan.number(`${role++}`, dtype, 1, range), [v as number]);
  };
  const from = (o: Operand, numbers: readonly number[]): Single => {
    if (o.form !== "lanes" && o.form !== "number") throw new TypeError("only what is read has a place");
    input.set(o.area.offset, { dtype: o.dtype, numbers });
    return o;
  };
  const placed = operands.map((v, i): Operand => {
    const spec = r.signature.operands[i];
    if (!Array.isArray(v) || !v.some((e) => lanesOf(e) !== undefined)) return single(v, host[i], spec);
    return { form: "list", items: v.map((e, k) => single(e, (host[i] as unknown[])[k], spec)) };
  });
  const outputs = values.map((v) => {
    const shape = shapeOfResult(v);
    if (shape === undefined) throw new TypeError(`${r.name}: a corner gives ${typeof v}`);
    return plan.output(shape.kind, shape.dtype, shape.lanes);
  });
  return {
    ...{ maskForm: "none", operands: placed, runtime: {}, outputs, list: /^array/.test(r.signature.result) },
    options: options === undefined ? {} : (host.at(-1) as Readonly<Record<string, unknown>>),
  };
}

/** The dtype in which a kernel can read a number that a corner passes; other numbers are literals. */
function scalarDType(x: number): "i32" | "f32" | undefined {
  if (Object.is(x | 0, x)) return "i32";
  return Object.is(Math.fround(x), x) ? "f32" : undefined;
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return "nothing";
  } catch (error) {
    if (error instanceof KpuError) return error.code;
    throw error;
  }
}

/** What is refused outside kernels is refused in them, by the same code: literals when the kernel is built. */
function refusalMismatches(r: IntrinsicRecord, c: Exclude<Corner, string>, code: string): string[] {
  const plan = new Planner();
  const variant = variantOf(r, { corner: c, values: [0] }, plan, new Map());
  const operands = variant.operands.map(
    (o, i): Operand => (o.form === "number" ? { form: "static", value: c[i] } : o),
  );
  const cell: Cell = {
    ...{ record: r, dtype: "f32", lanes: 1, call: callOf(r), areas: plan.areas, refused: [] },
    ...{
      inputStride: plan.inputStride,
      outputStride: plan.outputStride,
      variants: [{ ...variant, operands }],
    },
  };
  const built = codeOf(() => build(cellKernel(cell)));
  return built === code
    ? []
    : [`${r.name}${JSON.stringify(c)}: outside kernels ${code}, when built ${built}`];
}

function linesMismatches(r: IntrinsicRecord, lines: string, direct: Outcome, run: Run): string[] {
  const kernel: AnyKernel = exampleKernel({ ...r, example: lines });
  if (direct.kind === "memory") {
    const differences: string[] = [];
    for (const [way, { output, printed }] of run(
      exampleKernel({ ...r, example: lines }),
      exampleArguments,
      EXAMPLE_BYTES,
    )) {
      const at = direct.bytes.findIndex((b, i) => b !== output[i]);
      if (at >= 0) differences.push(`${r.name}, ${lines}: byte ${at} differs ${way}`);
      if (printed.join("\n") !== direct.printed.join("\n"))
        differences.push(`${r.name}, ${lines}: prints otherwise ${way}`);
    }
    return differences;
  }
  const code = direct.kind === "refused" ? direct.diagnostic.code : undefined;
  if (code === undefined || DIRECT_ONLY.has(code)) return [];
  const compiled = codeOf(() =>
    build(kernel).runWith({ tiles: 1 }, ...exampleArguments(new Uint8Array(EXAMPLE_BYTES))),
  );
  return compiled === code ? [] : [`${r.name}, ${lines}: direct ${code}, compiled ${compiled}`];
}
