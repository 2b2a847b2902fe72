/**
 * Graphs as JSON: buffers with values, or with a shape alone where values come from outside, and the descriptors of ops in
 * the order in which they run.
 */
import { z } from "zod";
import { fail } from "../ir/diagnostic.ts";
import { type HostElements, hostZeros } from "../ir/elements.ts";
import { readJson } from "../ir/json.ts";
import { BUF_DTYPES, type BufDType, shapeText } from "./buf.ts";
import { type Descriptor, Graph } from "./graph.ts";

export const GRAPH_VERSION = 1;

const Kernel = z.strictObject({
  op: z.string(),
  inputs: z.array(z.string().nullable()),
  outputs: z.array(z.string()),
  params: z.record(z.string(), z.unknown()).default({}),
});
const Buffer = z.strictObject({
  name: z.string().min(1),
  dtype: z.enum(BUF_DTYPES).default("f32"),
  shape: z.array(z.int().nonnegative()).optional(),
  data: z.array(z.number()).optional(),
});
const GraphFile = z.strictObject({
  version: z.literal(GRAPH_VERSION),
  buffers: z.array(Buffer),
  kernels: z.array(Kernel),
});
export type GraphFile = z.infer<typeof GraphFile>;

/** Values for buffers that the file leaves open. */
export interface Given {
  readonly dtype: BufDType;
  readonly shape: readonly number[];
  readonly data: HostElements;
}

/**
 * A graph of a file's text.
 * @param inputs values by the name of the buffer; a buffer that the file does not name is added
 * @throws KPU9106 text that is no graph; what `Graph.add` throws
 * @example readGraph(readFileSync("graph.json", "utf8"), new Map(), "graph.json").run()
 */
export function readGraph(
  text: string,
  inputs: ReadonlyMap<string, Given> = new Map(),
  file = "graph",
): Graph {
  const document = readJson(text, file, "KPU9106");
  const parsed = GraphFile.safeParse(document.root.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path ?? [];
    return fail("KPU9106", `${path.join(".") || "the file"}: ${issue?.message}`, {
      location: document.placeOf(path),
      help: '{ "version": 1, "buffers": [{ "name", "data" }], "kernels": [{ "op", "inputs", "outputs", "params" }] }',
    });
  }
  const graph = new Graph();
  for (const { name, dtype, shape, data } of parsed.data.buffers) {
    const given = inputs.get(name);
    if (given !== undefined) {
      if (given.dtype !== dtype || (shape !== undefined && shapeText(shape) !== shapeText(given.shape)))
        fail(
          "KPU9103",
          `${file}: buffer "${name}": expected ${dtype} ${shape === undefined ? "" : shapeText(shape)}, the input is ${given.dtype} ${shapeText(given.shape)}`,
        );
      graph.buffer(name, given.data, given.shape);
    } else if (data === undefined) {
      fail("KPU9102", `${file}: buffer "${name}" has no data`, { help: "give its values as an input" });
    } else {
      graph.buffer(name, dtype === "f32" ? data : integersOf(name, dtype, data), shape);
    }
  }
  for (const [name, given] of inputs)
    if (!parsed.data.buffers.some((b) => b.name === name)) graph.buffer(name, given.data, given.shape);
  for (const kernel of parsed.data.kernels) graph.add(kernel);
  return graph;
}

/** @throws KPU9105 a number that the dtype does not hold */
function integersOf(name: string, dtype: BufDType, data: readonly number[]): HostElements {
  const values = hostZeros(dtype, data.length);
  values.set(data);
  const at = data.findIndex((v, i) => v !== values[i]);
  if (at >= 0) fail("KPU9105", `buffer "${name}": element ${at}, ${data[at]}, is no ${dtype}`);
  return values;
}

/** A graph as data: buffers that no op writes with their values, and all descriptors. Reading it gives the same graph. */
export function graphFile(graph: Graph): GraphFile {
  const written = new Set(graph.descriptors.flatMap((d: Descriptor) => d.outputs));
  return {
    version: GRAPH_VERSION,
    buffers: graph.buffers
      .filter((b) => !written.has(b.name))
      .map(({ name, dtype, shape, data }) => ({ name, dtype, shape: [...shape], data: [...data] })),
    kernels: graph.descriptors.map(({ op, inputs, outputs, params }) => ({
      op,
      inputs: [...inputs],
      outputs: [...outputs],
      params: { ...params },
    })),
  };
}
