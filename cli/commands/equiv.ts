import { z } from "zod";
import { renderAll } from "../../capture/index.ts";
import { compareExecutions } from "../../equivalence/check.ts";
import { counterexampleText } from "../../equivalence/report.ts";
import { type Diagnostic, fail, KpuError } from "../../ir/diagnostic.ts";
import { expandFiles, loadFile } from "../load.ts";
import { targetNamed } from "../machines.ts";
import { colours, Progress, print, useColour } from "../terminal.ts";
import {
  type Command,
  count,
  flag,
  integer,
  JSON_OPTION,
  KERNEL_OPTION,
  parse,
  text,
  texts,
} from "./command.ts";

const Options = z.object({
  runs: count.default(100),
  seed: integer.default(1),
  path: text.optional(),
  kernel: text.optional(),
  target: texts.transform((names) => names.map(targetNamed)),
  json: flag,
});

export const equiv: Command = {
  usage: "equiv <...files>",
  summary: "Check that direct and compiled execution agree bit for bit on generated inputs",
  options: [
    ["--runs <n>", "Inputs per kernel; default: 100"],
    ["--seed <n>", "Same seed, same inputs; default: 1"],
    ["--path <path>", "Replay one case, as a report prints it"],
    ["--target <name>", "Target or machine file (repeat); default: edge and t64"],
    KERNEL_OPTION,
    JSON_OPTION,
  ],
  examples: ['equiv "examples/**/*.ts" --runs 500', 'equiv saxpy.ts --seed 1 --path "12:3:0"'],
  async run([patterns], options) {
    const o = parse(Options, options);
    const results: object[] = [];
    let bad = 0;
    for (const file of expandFiles(patterns as string[])) {
      const loaded = await loadFile(file);
      if (loaded.failed.length > 0) {
        bad++;
        results.push({ file: loaded.file, ok: false, diagnostics: loaded.failed });
        if (!o.json) print(`${colours.red("error")}   ${loaded.file}\n${report(loaded.failed)}`);
      }
      for (const k of loaded.kernels) {
        if (o.kernel !== undefined && k.name !== o.kernel) continue;
        const label = `${k.file} ${k.name}`;
        const progress = new Progress(label);
        const started = performance.now();
        try {
          const report = compareExecutions(k.kernel, {
            runs: o.runs,
            seed: o.seed,
            ...(o.path === undefined ? {} : { path: o.path }),
            ...(o.target.length === 0 ? {} : { targets: o.target }),
            onProgress: (done, runs) => progress.update(done, runs),
          });
          progress.done();
          const seconds = ((performance.now() - started) / 1000).toFixed(1);
          if (!report.ok) bad++;
          results.push({ file: k.file, name: k.name, ...report });
          if (o.json) continue;
          if (report.counterexample === undefined)
            print(
              `${colours.green("agree")}   ${label}: ${report.runs} inputs, ${report.compared} compared, ${report.stopped} stopped alike, ${seconds} s`,
            );
          else
            print(
              `${colours.red("differ")}  ${label}\n${counterexampleText(report.kernel, report.counterexample)}`,
            );
        } catch (error) {
          progress.done();
          if (!(error instanceof KpuError)) throw error;
          bad++;
          results.push({ file: k.file, name: k.name, ok: false, diagnostics: error.diagnostics });
          if (!o.json) print(`${colours.red("error")}   ${label}\n${report(error.diagnostics)}`);
        }
      }
    }
    if (results.length === 0)
      fail("KPU8003", `${patterns} exports no kernel${o.kernel === undefined ? "" : ` "${o.kernel}"`}`);
    if (o.json)
      print(
        JSON.stringify(
          results,
          (_k, v: unknown) => (ArrayBuffer.isView(v) ? [...(v as Uint8Array)].map(jsonNumber) : v),
          2,
        ),
      );
    else
      print(
        bad === 0
          ? colours.green(results.length === 1 ? "1 kernel agrees" : `${results.length} kernels agree`)
          : colours.red(`${bad} of ${results.length} ${bad === 1 ? "does" : "do"} not`),
      );
    return bad === 0 ? 0 : 1;
  },
};

function report(found: readonly Diagnostic[]): string {
  return renderAll(found, { color: useColour });
}

function jsonNumber(x: number): number | string {
  return Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? "-0" : String(x);
}
