/** Files that a timed call is written to: metrics, schedule, accesses of DRAM, and a trace for ui.perfetto.dev. */
import type { Report } from "../machine/model/report.ts";
import { chromeTrace, memoryTrace, type ScheduleRow } from "../machine/model/schedule.ts";
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

/** What was timed. */
export interface Timed {
  /** What the metrics say first, as the arguments of a call. */
  readonly head: Readonly<Record<string, unknown>>;
  /** A statement as text, for schedules; its number where nothing is known of it. */
  readonly placeOf: (at: number) => string | number;
}

/** @throws KPU9013 where the accesses of DRAM are too many */
export function timedOutputs(
  files: TimedFiles,
  { head, placeOf }: Timed,
  { schedule = [], ...report }: Report & { readonly schedule?: readonly ScheduleRow[] },
): Output[] {
  const outputs: Output[] = [];
  const add = (file: string | undefined, content: () => string): void => {
    if (file !== undefined) outputs.push({ file, content: content() });
  };
  add(files.metrics, () => `${JSON.stringify({ version: METRICS_VERSION, ...head, ...report }, null, 2)}\n`);
  add(files.schedule, () => lines(schedule.map((row) => ({ ...row, at: placeOf(row.at) }))));
  add(files.memoryTrace, () => lines(memoryTrace(schedule)));
  add(files.trace, () => chromeTrace(schedule, "clock" in report ? report.clock.hz : 1, placeOf));
  return outputs;
}

/** A JSON array with a line for each row. */
function lines(rows: readonly unknown[]): string {
  return `[\n${rows.map((row) => JSON.stringify(row)).join(",\n")}\n]\n`;
}
