/** Files that a timed call is written to: metrics, schedule, accesses of DRAM, and a trace for ui.perfetto.dev. */
import { relative } from "node:path";
import type { Location } from "../ir/diagnostic.ts";
import type { Report } from "../machine/model/report.ts";
import { chromeTrace, memoryTrace, type ScheduleRow } from "../machine/model/schedule.ts";
import type { KpuProgram } from "../runtime/index.ts";
import type { Bound } from "./arguments.ts";
import type { Output } from "./datafile.ts";

/** Format of the metrics file; it grows when a field changes its meaning. */
const METRICS_VERSION = 1;

export interface TimedFiles {
  readonly metrics?: string | undefined;
  readonly schedule?: string | undefined;
  readonly memoryTrace?: string | undefined;
  readonly trace?: string | undefined;
}

/** The options that need a schedule. */
export const SCHEDULED = [
  "schedule",
  "memoryTrace",
  "trace",
] as const satisfies readonly (keyof TimedFiles)[];

/**
 * @param tiles on which the call runs
 * @throws KPU9013 where the accesses of DRAM are too many
 */
export function timedOutputs(
  files: TimedFiles,
  {
    program,
    bound,
    tiles,
  }: { readonly program: KpuProgram; readonly bound: readonly Bound[]; readonly tiles: number },
  { schedule = [], ...report }: Report & { readonly schedule?: readonly ScheduleRow[] },
): Output[] {
  const { locations } = program.compiled.machine;
  const placeOf = (at: number): string | number => placeText(locations[at]) ?? at;
  const outputs: Output[] = [];
  const add = (file: string | undefined, content: () => string): void => {
    if (file !== undefined) outputs.push({ file, content: content() });
  };
  add(files.metrics, () => {
    const args = Object.fromEntries(bound.map(({ spec, value }) => [spec.name, argumentShown(value)]));
    return `${JSON.stringify({ version: METRICS_VERSION, tiles, arguments: args, ...report }, null, 2)}\n`;
  });
  add(files.schedule, () => lines(schedule.map((row) => ({ ...row, at: placeOf(row.at) }))));
  add(files.memoryTrace, () => lines(memoryTrace(schedule)));
  add(files.trace, () => chromeTrace(schedule, "clock" in report ? report.clock.hz : 1, placeOf));
  return outputs;
}

function placeText(location: Location | undefined): string | undefined {
  return location && `${relative(process.cwd(), location.file)}:${location.line}:${location.column}`;
}

/** JSON has no NaN and no infinities: they are texts, as in data files. */
function argumentShown(value: Bound["value"]): unknown {
  if (typeof value === "object") return value === null ? null : { dtype: value.dtype, shape: value.shape };
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

/** A JSON array with a line for each row. */
function lines(rows: readonly unknown[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
}
