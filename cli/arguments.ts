/**
 * Kernel arguments on the command line. `--in name=value` (or values in order of the parameters), where a value is a
 * file (.npy, .json, .png), `zeros:480x640`, a number, true, false or null; `--out name=file` for what is written.
 */

import { fail } from "../ir/diagnostic.ts";
import { bytesOf, DTYPES } from "../ir/dtype.ts";
import type { ParamSpec } from "../ir/hostargs.ts";
import { encoded, type HostData, isDataFile, type Output, readData, zeros } from "./datafile.ts";

/** One bound argument per parameter. */
export interface Bound {
  readonly spec: ParamSpec;
  readonly value: number | boolean | null | HostData;
}

/** @param held arrays that need not be given: the weights of a program */
export function bindInputs(
  params: readonly ParamSpec[],
  inputs: readonly string[],
  held: ReadonlyMap<string, HostData["data"]> = new Map(),
): Bound[] {
  const given = new Map<string, string>();
  let position = 0;
  for (const input of inputs) {
    const named = /^([A-Za-z_$][\w$]*)=(.*)$/.exec(input);
    const name = named?.[1] ?? params[position++]?.name;
    if (name === undefined)
      return fail("KPU8001", `--in ${input}: the kernel has ${params.length} parameters`);
    if (!params.some((p) => p.name === name)) {
      return fail("KPU8001", `--in ${input}: the kernel has no parameter "${name}"`, {
        help: `it has ${params.map((p) => p.name).join(", ")}`,
      });
    }
    if (given.has(name)) return fail("KPU8001", `--in ${input}: "${name}" is given twice`);
    given.set(name, named?.[2] ?? input);
  }
  return params.map((spec) => {
    const text = given.get(spec.name);
    const data = held.get(spec.name);
    if (text === undefined && data !== undefined)
      return {
        spec,
        value: { dtype: spec.dtype, shape: [data.byteLength / DTYPES[spec.dtype].bytes], data },
      };
    if (text === undefined) {
      return fail(
        "KPU8001",
        `no value for parameter "${spec.name}" (${spec.pointer ? `array of ${spec.dtype}` : spec.dtype})`,
        {
          help: spec.pointer
            ? `add --in ${spec.name}=file.npy or --in ${spec.name}=zeros:1000`
            : `add --in ${spec.name}=1`,
        },
      );
    }
    return { spec, value: spec.pointer ? arrayOf(spec, text) : scalarOf(spec, text) };
  });
}

/** What `runWith` and `simulate` take. */
export function hostArguments(bound: readonly Bound[]): unknown[] {
  return bound.map(({ value }) => (typeof value === "object" && value !== null ? value.data : value));
}

/** What `timeKernel` takes: of arrays only the shape. */
export function timedArguments(bound: readonly Bound[]): unknown[] {
  return bound.map(({ value }) =>
    typeof value === "object" && value !== null ? { shape: value.shape } : value,
  );
}

/** The files of `name=file` or `name=file:shape`, with what the arrays hold when the content is asked for. */
export function plannedOutputs(bound: readonly Bound[], outputs: readonly string[]): readonly Output[] {
  return outputs.map((output) => {
    const [, name, file, dims] = /^([A-Za-z_$][\w$]*)=(.+?)(?::(\d+(?:x\d+)*))?$/.exec(output) ?? [];
    const found = bound.find((b) => b.spec.name === name);
    if (file === undefined || found === undefined)
      return fail("KPU8001", `--out ${output}: expected name=file with a parameter's name`);
    if (typeof found.value !== "object" || found.value === null)
      return fail("KPU8001", `--out ${output}: ${name} is not an array`);
    const { dtype, shape: own, data } = found.value;
    const shape = dims === undefined ? own : parseShape(dims);
    const elements = shape.reduce((n, d) => n * d, 1);
    if (bytesOf(dtype, elements) !== data.byteLength) {
      const has = data.byteLength / DTYPES[dtype].bytes;
      return fail("KPU8001", `--out ${output}: ${name} has ${has} elements, shape is ${shape.join("x")}`);
    }
    return {
      file,
      get content() {
        return encoded(file, { dtype, shape, data });
      },
    };
  });
}

function arrayOf(spec: ParamSpec, text: string): HostData | null {
  if (text === "null") return null;
  if (text.startsWith("zeros:")) return zeros(spec.dtype, parseShape(text.slice("zeros:".length)));
  if (isDataFile(text)) return readData(text, spec.dtype);
  return fail(
    "KPU8001",
    `--in ${spec.name}=${text}: expected a .npy, .json or .png file, zeros:SHAPE or null`,
  );
}

function parseShape(text: string): number[] {
  if (!/^\d+(x\d+)*$/.test(text))
    fail("KPU8001", `"${text}" is not a shape`, { help: "write 1000 or 480x640x3" });
  return text.split("x").map(Number);
}

function scalarOf(spec: ParamSpec, text: string): number | boolean {
  if (spec.dtype === "bool" && (text === "true" || text === "false")) return text === "true";
  const value = Number(text);
  if (text.trim() === "" || (Number.isNaN(value) && text !== "NaN")) {
    return fail(
      "KPU8001",
      `--in ${spec.name}=${text}: expected ${spec.dtype === "bool" ? "true or false" : `a number (${spec.dtype})`}`,
    );
  }
  return value;
}
