#!/usr/bin/env node
/** The `kpu` command. Exit codes: 0 ok, 1 findings (of the kernel or its data), 2 wrong use of the command. */
import { readFileSync } from "node:fs";
import { cac } from "cac";
import { render } from "../capture/index.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { COMMANDS } from "./commands/index.ts";
import { printError, useColourOnError } from "./terminal.ts";

const packageFile = new URL(
  import.meta.url.endsWith(".ts") ? "../package.json" : "../../package.json",
  import.meta.url,
);

async function main(argv: readonly string[]): Promise<number> {
  const cli = cac("kpu");
  let exit: number | Promise<number> = 0;
  for (const command of COMMANDS) {
    const added = cli.command(command.usage, command.summary);
    for (const [flags, text] of command.options) added.option(flags, text);
    for (const example of command.examples) added.example(`  $ kpu ${example}`);
    added.action((...args: unknown[]) => {
      exit = command.run(args.slice(0, -1), args.at(-1));
    });
  }
  cli.help();
  cli.version((JSON.parse(readFileSync(packageFile, "utf8")) as { version: string }).version);
  cli.parse([...argv], { run: false });
  if (cli.options["help"] === true || cli.options["version"] === true) return 0;
  if (cli.matchedCommand === undefined) {
    if (cli.args.length > 0) {
      printError(`kpu: unknown command "${cli.args[0]}"\nSee kpu --help.`);
      return 2;
    }
    cli.outputHelp();
    return 0;
  }
  cli.runMatchedCommand();
  return exit;
}

/** Mistakes of the user get a sentence; only a bug of ours gets a stack trace. */
function report(error: unknown): number {
  if (error instanceof KpuError) {
    for (const d of error.diagnostics) printError(render(d, { color: useColourOnError }));
    return error.diagnostics.some((d) => d.code.startsWith("KPU8") || d.code === "KPU6006") ? 2 : 1;
  }
  if (error instanceof Error && error.name === "CACError") {
    printError(`kpu: ${error.message}\nSee kpu --help.`);
    return 2;
  }
  printError(
    `kpu: internal error, please report it\n${error instanceof Error ? error.stack : String(error)}`,
  );
  return 1;
}

try {
  process.exitCode = await main(process.argv);
} catch (error) {
  process.exitCode = report(error);
}
