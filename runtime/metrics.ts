/** What a call costs, as program files keep it: a report of the machine model, joined with the ops of the program. */
import type { MetricArgument, OpMetrics, ProgramMetrics } from "../ir/program.ts";
import { elementsOf } from "../ir/program.ts";
import type { Mode } from "../machine/coverage.ts";
import type { CycleReport, OpReport, PowerReport } from "../machine/model/report.ts";
import type { KpuProgram } from "./program.ts";
import { type InMode, type ShapeOnly, sizesOf, type TimeOptions, timeProgram } from "./timing.ts";
import type { TraceArgument } from "./trace/index.ts";

/**
 * Times a call, as {@link timeProgram} does, for a program file.
 *
 * @param args what `program.run` takes; an array may be `{ shape: [rows, cols] }`
 * @throws what `timeProgram` does
 * @example program.withMetrics({ estimates: estimateProgram(program, [{ shape: [1000] }, { shape: [1000] }, 2, 1000]) }).bytes
 */
export function estimateProgram(
  program: KpuProgram,
  args: readonly unknown[],
  o: TimeOptions & InMode<Exclude<Mode, "functional">> = {},
): ProgramMetrics {
  const { mode = "cycle", ...rest } = o;
  return metricsOf(program, args, timeProgram(program, args, { ...rest, mode }), o.tiles);
}

/**
 * What a report says of a call with these arguments.
 * @param tiles on which the call ran; those of the target when absent
 */
export function metricsOf(
  program: KpuProgram,
  args: readonly unknown[],
  report: CycleReport | PowerReport,
  tiles = program.compiled.target.tiles,
): ProgramMetrics {
  const { ops } = program.description;
  return {
    source: `machine model, mode ${report.mode}`,
    machine: report.machine,
    tiles,
    arguments: sizesOf(program, args).map(argumentShown),
    clock: { name: report.clock.name, hz: report.clock.hz },
    totalCycles: report.totalCycles,
    totalTimeUs: report.totalTimeUs,
    computeCycles: report.computeCycles,
    memoryStallCycles: report.memoryStallCycles,
    otherCycles: report.otherCycles,
    macs: report.macs,
    computeUtilization: report.computeUtilization,
    memoryBandwidthUtilization: report.memoryBandwidthUtilization,
    traffic: trafficOf(report),
    ...(report.mode === "power"
      ? { totalEnergyUj: report.totalEnergyUj, averagePowerWatts: report.averagePowerWatts }
      : {}),
    ops: ops.flatMap(({ name, span }): OpMetrics[] => {
      const spent = report.ops.find((o) => o.id === span);
      if (spent !== undefined) return [{ op: name, ...spentIn(spent) }];
      if (span !== undefined || ops.length > 1) return [];
      return [
        {
          op: name,
          cycles: report.totalCycles,
          macs: report.macs,
          traffic: trafficOf(report),
          ...(report.mode === "power" ? { energyUj: report.totalEnergyUj } : {}),
        },
      ];
    }),
  };
}

function spentIn(o: OpReport): Omit<OpMetrics, "op"> {
  const energy = o.energyUj === undefined ? {} : { energyUj: o.energyUj };
  return { cycles: o.cycles, macs: o.macs, traffic: trafficOf(o), ...energy };
}

function trafficOf({
  traffic: { dram, l3, l2, local },
}: Pick<OpReport, "traffic">): ProgramMetrics["traffic"] {
  return { dram, l3, l2, local };
}

/** JSON has no NaN, no infinities and one zero. */
function argumentShown(a: TraceArgument): MetricArgument {
  if (typeof a !== "number" || (Number.isFinite(a) && !Object.is(a, -0))) return a;
  return Object.is(a, -0) ? "-0" : String(a);
}

/** The arguments of every call of a program whose description tells all of them: arrays alone, of shapes told in numbers. */
export function knownArguments({ params, description }: KpuProgram): readonly ShapeOnly[] | undefined {
  const shapes = params.flatMap(({ name, pointer }) => {
    const tensor = description.tensors.find((t) => t.param === name);
    const elements = pointer && tensor !== undefined ? elementsOf(tensor) : undefined;
    return elements === undefined ? [] : [{ shape: [elements] }];
  });
  return shapes.length === params.length ? shapes : undefined;
}
