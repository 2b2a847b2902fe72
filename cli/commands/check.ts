import { z } from "zod";
import { render } from "../../capture/index.ts";
import { check as checkKernel } from "../../executions.ts";
import { fail } from "../../ir/diagnostic.ts";
import { expandFiles, loadFile } from "../load.ts";
import { colours, Progress, print, useColour } from "../terminal.ts";
import { type Command, flag, JSON_OPTION, parse, TARGET_OPTION, target } from "./command.ts";

const Options = z.object({ target, json: flag });

export const check: Command = {
  usage: "check <...files>",
  summary: "Check the kernels that files, folders or globs export",
  options: [TARGET_OPTION, JSON_OPTION],
  examples: ["check kernels.ts", 'check "src/**/*.ts" --target t64', "check src --json"],
  async run([patterns], options) {
    const o = parse(Options, options);
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
