/**
 * Runs a cell in every execution and compares: direct, KIR interpreted at both levels, WebAssembly with and without checks; and,
 * for what is one op of the ALU table lane by lane, the table itself. Bits must be equal; all NaNs are one.
 */
import { compileKernel, paramSpecs } from "../../codegen/index.ts";
import { type Kernel, type ParamDecl, recordOf } from "../../dsl/kernel.ts";
import { simulate } from "../../executions.ts";
import { laneFn } from "../../ir/alu.ts";
import { convertRule, storeRule } from "../../ir/convert.ts";
import { type DTypeName, isInt } from "../../ir/dtype.ts";
import { readElements } from "../../ir/elements.ts";
import { bindArguments } from "../../ir/hostargs.ts";
import { interpretKernel } from "../../ir/interpret.ts";
import type { Attrs } from "../../ir/kir.ts";
import { TARGETS, type Target } from "../../ir/target.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { KpuProgram } from "../../runtime/index.ts";
import type { Area, Cell, Operand, Output, Variant } from "./cell.ts";
import { inputData, rowsOf } from "./data.ts";
import { cellKernel } from "./kernel.ts";

export const WAYS = ["interpreted", "interpreted machine code", "compiled", "compiled, no checks"] as const;
export type Way = (typeof WAYS)[number] | "ALU table";

export interface Mismatch {
  readonly cell: string;
  readonly way: Way;
  readonly variant: string;
  readonly row: number;
  readonly lane: number;
  readonly direct: string;
  readonly other: string;
  readonly operands: string;
}

export interface CellReport {
  /** Forms tried, by form of mask. */
  readonly variants: number;
  /** Result lanes compared, per way. */
  readonly lanes: number;
  /** Variants that were compared to the ALU table as well. */
  readonly againstTable: number;
  readonly mismatches: readonly Mismatch[];
}

/** What a run left: the bytes of the output, and the lines printed. */
export interface WayResult {
  readonly output: Uint8Array;
  readonly printed: readonly string[];
}

/** Runs a kernel in every way on copies of its arguments. Direct first. */
export function everyWay(
  kernel: Kernel<readonly ParamDecl[]>,
  args: (output: Uint8Array) => readonly unknown[],
  outputBytes: number,
  target: Target = TARGETS.edge,
): ReadonlyMap<Way | "direct", WayResult> {
  const record = recordOf(kernel);
  if (record === undefined) throw new TypeError("not a kernel");
  const results = new Map<Way | "direct", WayResult>();
  type Print = (line: string) => void;
  const run = (way: Way | "direct", execute: (args: readonly unknown[], print: Print) => void): void => {
    const output = new Uint8Array(outputBytes);
    const printed: string[] = [];
    execute(args(output), (line) => printed.push(line));
    results.set(way, { output, printed });
  };
  run("direct", (own, print) => simulate(kernel, own, { tiles: 1, target, print }));
  const { kernel: virtual } = lowerKernel(record, { target });
  const specs = paramSpecs(virtual);
  const compiled = compileKernel(virtual, { target, checks: true });
  const interpret = (k: typeof virtual, own: readonly unknown[], print: Print): void => {
    interpretKernel(k, bindArguments(k.name, specs, own), { tiles: 1, target, print });
  };
  run("interpreted", (own, print) => interpret(virtual, own, print));
  run("interpreted machine code", (own, print) => interpret(compiled.machine, own, print));
  run("compiled", (own, print) => new KpuProgram(compiled).runWith({ tiles: 1, print }, ...own));
  const unchecked = new KpuProgram(compileKernel(virtual, { target, checks: false }));
  run("compiled, no checks", (own, print) => unchecked.runWith({ tiles: 1, print }, ...own));
  return results;
}

export function runCell(cell: Cell): CellReport {
  const rows = rowsOf(cell);
  const input = inputData(cell);
  const results = everyWay(
    cellKernel(cell),
    (output) => [input.slice(), output, rows],
    rows * cell.outputStride + 8,
  );
  const views = new Map([...results].map(([way, { output }]) => [way, new DataView(output.buffer)]));
  const direct = views.get("direct") as DataView;
  const inputView = new DataView(input.buffer);
  const mismatches: Mismatch[] = [];
  let lanes = 0;
  let againstTable = 0;
  for (const variant of cell.variants) {
    const table = tableOf(cell, variant);
    if (table !== undefined) againstTable++;
    for (let row = 0; row < rows; row++) {
      for (const output of variant.outputs) {
        const expected = outputLanes(direct, output, row * cell.outputStride + output.offset);
        lanes += expected.length;
        const compare = (way: Way, got: readonly number[]): void => {
          const lane = expected.findIndex((x, i) => !Object.is(x, got[i]));
          if (lane < 0) return;
          mismatches.push({
            ...{ cell: cellName(cell), way, variant: variantText(cell, variant), row, lane },
            ...{ direct: numberText(expected[lane]), other: numberText(got[lane]) },
            operands: operandsText(cell, variant, inputView, row, lane),
          });
        };
        for (const way of WAYS) {
          compare(
            way,
            outputLanes(views.get(way) as DataView, output, row * cell.outputStride + output.offset),
          );
        }
        if (table !== undefined) compare("ALU table", table(inputView, row * cell.inputStride));
      }
    }
  }
  return { variants: cell.variants.length, lanes, againstTable, mismatches };
}

function outputLanes(view: DataView, o: Output, at: number): number[] {
  if (o.kind === "number")
    return [...readElements("f32", view, at, 1), ...readElements("i32", view, at + 4, 1)];
  return readElements(o.dtype.name, view, at, o.lanes);
}

/** What the ALU table says of a variant, lane by lane; undefined where the intrinsic is not one op of it on lanes. */
function tableOf(cell: Cell, v: Variant): ((input: DataView, at: number) => number[]) | undefined {
  const { record, dtype: d, lanes } = cell;
  const output = v.outputs[0] as Output;
  // -x with saturation is 0 - x: the table's `neg` has no such column.
  if (
    record.alu === undefined ||
    output.kind === "number" ||
    (record.alu === "neg" && v.options["saturate"])
  ) {
    return undefined;
  }
  const out = typeof v.options["outSign"] === "string" && isInt(d) ? output.dtype.name : undefined;
  const attrs: Attrs = {
    ...(v.options["saturate"] ? { saturate: true } : {}),
    ...(v.options["withRound"] ? { round: true } : {}),
    ...(out === undefined || out === d ? {} : { out }),
  };
  const lane = laneFn(record.alu, d, attrs);
  const result = output.dtype.name;
  const read = (o: Operand | undefined, input: DataView, at: number, dtype: DTypeName): readonly number[] => {
    if (o === undefined) return [];
    if (o.form === "list") throw new TypeError("no op of the ALU table takes a list");
    if (o.form === "lanes") return readElements(o.area.dtype, input, at + o.area.offset, o.area.lanes);
    const one =
      o.form === "number"
        ? (readElements(o.area.dtype, input, at + o.area.offset, 1)[0] as number)
        : Number(o.value);
    return new Array<number>(lanes).fill(storeRule(dtype)(one));
  };
  const maskOf = (input: DataView, at: number): readonly number[] | undefined => {
    const { mask } = v.options;
    if (typeof mask === "string") return [...mask].map((c) => (c === "T" ? 1 : 0));
    if (Array.isArray(mask)) return mask.map(Number);
    return v.runtime.mask === undefined ? undefined : read(v.runtime.mask, input, at, "bool");
  };
  return (input, at) => {
    const [x, y, z] = [0, 1, 2].map((i) => read(v.operands[i], input, at, d)) as [
      number[],
      number[],
      number[],
    ];
    const mask = maskOf(input, at);
    const r = v.runtime.r === undefined ? undefined : read(v.runtime.r, input, at, result);
    const inactive = Number(v.options["r"] ?? 0);
    return x.map((own, i) =>
      mask === undefined || mask[i]
        ? lane(own, y[i] ?? 0, z[i] ?? 0)
        : convertRule(result)(r?.[i] ?? inactive),
    );
  };
}

export function cellName(c: Cell): string {
  return `${c.record.name} ${c.dtype}x${c.lanes}`;
}

function variantText(cell: Cell, v: Variant): string {
  const operands = v.operands.map((o, i) => {
    const name = cell.record.signature.operands[i]?.name ?? "";
    if (o.form === "static") return `${name} = ${JSON.stringify(o.value) ?? String(o.value)}`;
    if (o.form === "list") return `${name}: list of ${o.items.length}`;
    return o.form === "number" ? `${name}: number` : `${name}: ${o.area.dtype}x${o.area.lanes}`;
  });
  const options = Object.entries(v.options).map(([k, x]) => `${k}: ${JSON.stringify(x)}`);
  return [...operands, ...options, v.maskForm].join(", ");
}

function operandsText(cell: Cell, v: Variant, input: DataView, row: number, lane: number): string {
  const at = row * cell.inputStride;
  const areas = [...v.operands, v.runtime.mask, v.runtime.r].flatMap((o) =>
    o === undefined ? [] : areasOf(o),
  );
  return areas
    .map((a) => {
      const all = readElements(a.dtype, input, at + a.offset, a.lanes);
      const own = all[lane];
      return `${a.role}${own === undefined ? ` ${all.slice(0, 8).join(" ")}` : `[${lane}] = ${numberText(own)}`}`;
    })
    .join(", ");
}

function areasOf(o: Operand): readonly Area[] {
  if (o.form === "list") return o.items.flatMap(areasOf);
  return o.form === "static" ? [] : [o.area];
}

const numberText = (x: number | undefined): string => (Object.is(x, -0) ? "-0" : String(x));
