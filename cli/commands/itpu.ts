import { basename, extname } from "node:path";
import { z } from "zod";
import { fail } from "../../ir/diagnostic.ts";
import { BUF_DTYPES } from "../../itpu/buf.ts";
import { type Buf, type Given, readGraph } from "../../itpu/index.ts";
import { readBytes, readData, writeData } from "../datafile.ts";
import { print } from "../terminal.ts";
import { type Command, count, flag, JSON_OPTION, oneOf, parse, texts } from "./command.ts";

const Options = z.object({
  input: texts,
  out: texts,
  json: flag,
  execution: oneOf(["compiled", "direct"]).default("compiled"),
  threads: count.optional(),
});

export const itpu: Command = {
  usage: "itpu <action> <file>",
  summary: "The information-theory unit: run a graph of a JSON file",
  options: [
    ["--input <file>", "Values of a buffer: x.npy for x, or name=file (repeat)"],
    ["--out <name=file>", "Write a buffer after the run: .npy, .json (repeat)"],
    ["--execution <name>", "compiled (default) or direct"],
    ["--threads <n>", "Threads that work on a batch of pairs, default as many as the machine runs at once"],
    JSON_OPTION,
  ],
  examples: ["itpu run graph.json --input x.npy", "itpu run graph.json --input x=a.npy --out mi=mi.npy"],
  run([action, file], options) {
    if (action !== "run")
      return fail("KPU8001", `kpu itpu has no action "${action}"`, { help: "write kpu itpu run graph.json" });
    const o = parse(Options, options);
    const graph = readGraph(
      new TextDecoder().decode(readBytes(String(file))),
      new Map(o.input.map(inputOf)),
      String(file),
    );
    const planned = o.out.map((out) => {
      const [, name, to] = /^([^=]+)=(.+)$/.exec(out) ?? [];
      if (name === undefined || to === undefined)
        return fail("KPU8001", `--out ${out}: expected name=file with a buffer's name`);
      return { buf: graph.get(name), to };
    });
    graph.run({ execution: o.execution, ...(o.threads === undefined ? {} : { threads: o.threads }) });
    for (const { buf, to } of planned) writeData(to, { dtype: buf.dtype, shape: buf.shape, data: buf.data });
    const results = graph.descriptors.flatMap((d) => d.outputs.map((name) => graph.get(name)));
    if (o.json)
      print(
        JSON.stringify(
          Object.fromEntries(
            results.map((b) => [b.name, { dtype: b.dtype, shape: b.shape, data: [...b.data] }]),
          ),
        ),
      );
    else for (const buf of results) print(lineOf(buf));
    for (const { to } of planned) if (!o.json) print(`wrote ${to}`);
    return 0;
  },
};

function inputOf(input: string): readonly [string, Given] {
  const [, given, path] = /^([^=]+)=(.+)$/.exec(input) ?? [];
  const file = path ?? input;
  const name = given ?? basename(file, extname(file));
  const { dtype, shape, data } = readData(file, "f32");
  const known = BUF_DTYPES.find((d) => d === dtype);
  if (known === undefined) return fail("KPU8001", `--input ${input}: a graph has no buffers of ${dtype}`);
  return [name, { dtype: known, shape, data }];
}

const MOST_SHOWN = 8;
function lineOf(buf: Buf): string {
  const shown = [...buf.data.subarray(0, MOST_SHOWN)].map((v) => String(Number(v.toPrecision(8))));
  const rest = buf.data.length > MOST_SHOWN ? ", ..." : "";
  return `${buf.name}${buf.shape.length === 0 ? "" : ` [${buf.shape.join(", ")}]`} = ${shown.join(", ")}${rest}`;
}
