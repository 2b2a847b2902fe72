import { resolve } from "node:path";
import { z } from "zod";
import { render } from "../../capture/index.ts";
import { check as checkKernel } from "../../executions.ts";
import { fail } from "../../ir/diagnostic.ts";
import { expandFiles, loadFile } from "../load.ts";
import { loadedFiles } from "../loaded.ts";
import { isMachineFile } from "../machines.ts";
import { colours, Progress, print, useColour } from "../terminal.ts";
import { watchRuns } from "../watch.ts";
import { type Command, flag, JSON_OPTION, parse, TARGET_OPTION, target, text } from "./command.ts";

const Options = z.object({ target, json: flag, watch: flag });
/** The target as it was given: --watch starts runs with it, and watches it when it is a file. */
const Named = z.object({ target: text.optional() });

export const check: Command = {
  usage: "check <...files>",
  summary: "Check the kernels that files, folders or globs export",
  options: [
    TARGET_OPTION,
    JSON_OPTION,
    [
      "--watch",
      "Check again when a loaded file changes or one that matches appears, until Ctrl-C; with --json a line per run",
    ],
  ],
  examples: ["check kernels.ts", 'check "src/**/*.ts" --target t64', "check src --json", "check src --watch"],
  async run([patterns], options) {
    const o = parse(Options, options);
    const named = parse(Named, options).target;
    if (o.watch) {
      const names = patterns as string[];
      const args = ["check", ...names, ...(named === undefined ? [] : ["--target", named])];
      await watchRuns({
        args: o.json ? [...args, "--json"] : args,
        patterns: names,
        show: (out) => {
          if (!o.json) {
            const files = / in (\d+) files?: /.exec(out.trimEnd().split("\n").at(-1) ?? "")?.[1] ?? "0";
            print(
              `${new Date().toTimeString().slice(0, 8)}, ${files} file${files === "1" ? "" : "s"}\n${out.trimEnd()}`,
            );
          } else if (out !== "") print(JSON.stringify(JSON.parse(out)));
        },
      });
      return 0;
    }
    const files = expandFiles(patterns as string[]);
    const progress = new Progress("checking");
    const found = [];
    let kernels = 0;
    for (const [i, file] of files.entries()) {
      progress.update(i, files.length);
      const loaded = await loadFile(file);
      kernels += loaded.kernels.length;
      for (const d of loaded.failed) found.push({ file: loaded.file, kernel: null, diagnostic: d });
      for (const k of loaded.kernels) {
        const diagnostics = checkKernel(k.kernel, o.target ? { target: o.target } : {});
        for (const d of diagnostics) found.push({ file: k.file, kernel: k.name, diagnostic: d });
      }
    }
    progress.done();
    // One run of --watch: what it read is watched.
    if (process.env["KPU_WATCHED"] === "1")
      process.send?.([
        ...loadedFiles(),
        ...(named !== undefined && isMachineFile(named) ? [resolve(named)] : []),
      ]);
    if (kernels === 0 && found.length === 0) fail("KPU8003", `${patterns} exports no kernel`);
    if (o.json)
      print(
        JSON.stringify(
          {
            files: files.length,
            kernels,
            findings: found.map((f) => ({ ...f.diagnostic, file: f.file, kernel: f.kernel })),
          },
          null,
          2,
        ),
      );
    else {
      for (const f of found) print(`${render(f.diagnostic, { color: useColour })}\n`);
      const verdict =
        found.length === 0
          ? colours.green("no findings")
          : colours.red(`${found.length} finding${found.length === 1 ? "" : "s"}`);
      print(
        `${kernels} kernel${kernels === 1 ? "" : "s"} in ${files.length} file${files.length === 1 ? "" : "s"}: ${verdict}`,
      );
    }
    return found.length === 0 ? 0 : 1;
  },
};
