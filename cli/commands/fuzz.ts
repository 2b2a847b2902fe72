import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  type CampaignReport,
  campaign,
  type Failure,
  type MutationReport,
  missing,
  mutationCampaign,
  printProgram,
  runSeed,
  theCatalogue,
} from "../../kernelsmith/index.ts";
import { colours, Progress, print } from "../terminal.ts";
import { type Command, count, flag, integer, JSON_OPTION, parse, text } from "./command.ts";

const Options = z.object({
  seconds: count.optional(),
  kernels: count.optional(),
  seed: integer.default(1),
  jobs: count.optional(),
  kernel: integer.optional(),
  mutate: flag,
  out: text.default("out/fuzz"),
  json: flag,
});

export const fuzz: Command = {
  usage: "fuzz",
  summary: "Generate random kernels and compare every execution of them",
  options: [
    ["--seconds <n>", "How long; default: 60, or no limit with --kernels"],
    ["--kernels <n>", "How many kernels"],
    ["--seed <n>", "Same seed, same kernels; default: 1"],
    ["--kernel <seed>", "Show one kernel, by the seed that a report names, and run it"],
    [
      "--mutate",
      "Plant bugs of memory and synchronisation, which the checkers must find; --kernels says how many",
    ],
    ["--jobs <n>", "Threads; default: all cores"],
    ["--out <folder>", "Where failing kernels are written; default: out/fuzz"],
    JSON_OPTION,
  ],
  examples: ["fuzz --seconds 600 --seed 7", "fuzz --kernel 1234567", "fuzz --mutate --kernels 5000"],
  async run(_args, options) {
    const o = parse(Options, options);
    if (o.kernel !== undefined) return one(o.kernel, o.json);
    if (o.mutate) return mutants(o);
    const progress = new Progress("kernels");
    let kept = 0;
    const seconds = o.seconds ?? (o.kernels === undefined ? 60 : undefined);
    const report = await campaign({
      seed: o.seed,
      ...(seconds === undefined ? {} : { seconds }),
      ...(o.kernels === undefined ? {} : { kernels: o.kernels }),
      ...(o.jobs === undefined ? {} : { jobs: o.jobs }),
      onProgress: (r) => {
        // At once: a run that somebody stops has lost nothing.
        keep(o.out, r.failures.slice(kept));
        kept = r.failures.length;
        progress.show(`${r.kernels}, ${(r.kernels / r.seconds).toFixed(0)}/s, ${kept} findings`);
      },
    });
    progress.done();
    if (o.json) print(JSON.stringify({ ...report, counts: Object.fromEntries(report.counts) }, undefined, 2));
    else print(summary(report, o.out));
    return report.failures.length === 0 ? 0 : 1;
  },
};

function one(seed: number, json: boolean): number {
  const { program, failure } = runSeed(seed);
  if (json)
    print(JSON.stringify({ seed, source: printProgram(program, { types: true }), failure }, undefined, 2));
  else {
    print(printProgram(program, { types: true }));
    print(
      failure === undefined
        ? colours.green("every execution agrees")
        : `${colours.red(failure.text)}\n\n${failure.test}`,
    );
  }
  return failure === undefined ? 0 : 1;
}

async function mutants(o: z.infer<typeof Options>): Promise<number> {
  const progress = new Progress("planted bugs");
  const report = await mutationCampaign({
    seed: o.seed,
    mutants: o.kernels ?? 1000,
    ...(o.jobs === undefined ? {} : { jobs: o.jobs }),
    onProgress: (r) => progress.show(`${r.planted}, ${r.found} found, ${r.alarms.length} false alarms`),
  });
  progress.done();
  const wrong = [...report.alarms, ...report.rows.flatMap((r) => r.missed)];
  if (wrong.length > 0) mkdirSync(o.out, { recursive: true });
  for (const w of wrong) writeFileSync(join(o.out, `mutant-${w.seed}.ts`), w.source ?? "");
  print(o.json ? JSON.stringify(report, undefined, 2) : mutationTable(report));
  return report.alarms.length === 0 && report.found >= 0.95 * report.planted ? 0 : 1;
}

function mutationTable(r: MutationReport): string {
  const width = Math.max(...r.rows.map((row) => row.kind.length));
  const lines = [`${"planted bug".padEnd(width)}  planted  found  missed (seeds)`];
  for (const row of r.rows) {
    const missed = row.missed.map((m) => `${m.seed}: ${m.report ?? "nothing reported"}`);
    lines.push(
      `${row.kind.padEnd(width)}  ${String(row.planted).padStart(7)}  ${String(row.found).padStart(5)}  ${missed.join("; ")}`.trimEnd(),
    );
  }
  for (const a of r.alarms) lines.push(colours.red(`false alarm, seed ${a.seed} (${a.kind}): ${a.alarm}`));
  const share = ((100 * r.found) / Math.max(1, r.planted)).toFixed(1);
  lines.push(
    `seed ${r.seed}: ${r.found} of ${r.planted} planted bugs found (${share} %), ${r.alarms.length} false alarms on ${r.clean} clean kernels, ${r.seconds.toFixed(0)} s`,
  );
  return lines.join("\n");
}

function keep(folder: string, failures: readonly Failure[]): void {
  if (failures.length > 0) mkdirSync(folder, { recursive: true });
  for (const f of failures) {
    writeFileSync(join(folder, `kernel-${f.seed}.ts`), f.source);
    writeFileSync(join(folder, `kernel-${f.seed}.test.ts.txt`), `${f.test}\n`);
  }
}

function summary(r: CampaignReport, out: string): string {
  const lines = [
    `${r.kernels} kernels of seed ${r.seed} in ${r.seconds.toFixed(0)} s (${(r.kernels / r.seconds).toFixed(1)}/s), ${r.statements} statements, ${(r.lines / r.kernels).toFixed(0)} lines each`,
  ];
  const kinds = [...r.counts].filter(([k]) => k.startsWith("statement ")).sort((a, b) => b[1] - a[1]);
  lines.push(`statements: ${kinds.map(([k, n]) => `${k.slice("statement ".length)} ${n}`).join(", ")}`);
  const absent = missing(r.counts, theCatalogue());
  const open = absent.filter((m) => m.reason === undefined);
  const listed = absent.filter((m) => m.reason !== undefined);
  lines.push(`never exercised: ${open.length === 0 ? "nothing" : open.map((m) => m.what).join(", ")}`);
  if (listed.length > 0) lines.push(`not drawn: ${listed.map((m) => `${m.what} (${m.reason})`).join("; ")}`);
  if (r.failures.length === 0) lines.push(colours.green("0 differences"));
  else {
    const first = new Map(r.failures.map((f) => [f.signature, f] as const).reverse());
    for (const f of first.values()) lines.push(colours.red(`seed ${f.seed}: ${f.text}`), f.test);
    lines.push(
      colours.red(`${r.failures.length} findings of ${first.size} kinds; the kernels are in ${out}`),
    );
  }
  return lines.join("\n");
}
