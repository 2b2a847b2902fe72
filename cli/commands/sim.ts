import { z } from "zod";
import { kernelRecord, simulate } from "../../executions.ts";
import { resolveTarget } from "../../ir/target.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { bindInputs, hostArguments, plannedOutputs } from "../arguments.ts";
import { writeAll } from "../datafile.ts";
import { loadKernel } from "../load.ts";
import { print } from "../terminal.ts";
import {
  type Command,
  count,
  integer,
  KERNEL_OPTION,
  oneOf,
  parse,
  TARGET_OPTION,
  target,
  text,
  texts,
} from "./command.ts";
import { INPUT_OPTIONS } from "./run.ts";

const POLICIES = ["round-robin", "random", "adversarial", "one-tile"] as const;
const Options = z.object({
  kernel: text.optional(),
  target,
  tiles: count.optional(),
  seed: integer.optional(),
  policy: oneOf(POLICIES).optional(),
  transfers: oneOf(["eager", "late"]).optional(),
  in: texts,
  out: texts,
});

export const sim: Command = {
  usage: "sim <file>",
  summary: "Run a kernel directly, with all checks",
  options: [
    ...INPUT_OPTIONS,
    KERNEL_OPTION,
    TARGET_OPTION,
    ["--tiles <n>", "Tiles; default: all of the target"],
    ["--policy <name>", `Schedule of tiles that block: ${POLICIES.join(", ")}`],
    ["--seed <n>", "Seed of the schedule"],
    ["--transfers <when>", "Asynchronous transfers complete eager or late"],
  ],
  examples: [
    "sim saxpy.ts --in x=x.npy --in y=y.npy --in a=2 --in n=1000 --out y=y.npy",
    "sim scan.ts --in x=x.json --in n=100 --policy random --seed 7",
  ],
  async run([file], options) {
    const { kernel: name, in: inputs, out, ...rest } = parse(Options, options);
    const { kernel } = await loadKernel(String(file), name);
    const { paramSpecs } = lowerKernel(kernelRecord(kernel), { target: resolveTarget(rest.target) });
    const bound = bindInputs(paramSpecs, inputs);
    const given = Object.fromEntries(Object.entries(rest).filter(([, v]) => v !== undefined));
    simulate(kernel, hostArguments(bound), { ...given, print });
    const outputs = plannedOutputs(bound, out);
    writeAll(outputs);
    for (const { file } of outputs) print(`wrote ${file}`);
    return 0;
  },
};
