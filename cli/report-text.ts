/** What a call costs, as text for people: a report of the machine model in tables of plain ASCII. */
import type { Roofline } from "../machine/bounds.ts";
import type { EnergyPart } from "../machine/model/energy.ts";
import type { PowerSample } from "../machine/model/power.ts";
import type { CycleReport, PowerReport, UnitReport } from "../machine/model/report.ts";
import { REASONS } from "../machine/model/state.ts";
import { table } from "./machine-text.ts";

type Timed = CycleReport | PowerReport;

/**
 * The lines of a report: cycles and their parts, the bound that is highest, traffic, units by kind with what they waited for, named
 * spans; of mode `power` energy and power, too. A line that is empty stands between two parts.
 */
export function reportLines(
  report: Timed,
  { tiles, nameOf }: { readonly tiles: number; readonly nameOf: (span: string | number) => string },
): readonly string[] {
  const parts = [headLines(report, tiles), cycleLines(report), boundLines(report), trafficLines(report)];
  parts.push(unitLines(report));
  if (report.ops.length > 0) parts.push(opLines(report, nameOf));
  if (report.mode === "power") parts.push(energyLines(report), powerLines(report));
  return parts.flatMap((lines, i) => (i === 0 ? lines : ["", ...lines]));
}

function headLines(
  { kernel, machine, mode, clock, totalCycles, totalTimeUs, fabricModel }: Timed,
  tiles: number,
) {
  const fabric = fabricModel === "overlapped" ? "" : `, fabric model ${fabricModel}`;
  const cycles = `${figure(totalCycles)} cycles of the ${clock.name} clock at ${figure(clock.hz / 1e9)} GHz`;
  return [
    `${kernel} on ${machine}, ${tiles} ${tiles === 1 ? "tile" : "tiles"}, mode ${mode}${fabric}`,
    `${cycles}: ${figure(totalTimeUs)} us`,
  ];
}

function cycleLines({
  totalCycles,
  computeCycles,
  memoryStallCycles,
  otherCycles,
}: Timed): readonly string[] {
  const row = (name: string, cycles: number) => [name, figure(cycles), percent(cycles, totalCycles)];
  return table(
    ["cycles", "", "%"],
    [
      row("compute", computeCycles),
      row("memory stall", memoryStallCycles),
      row("other", otherCycles),
      row("total", totalCycles),
    ],
  );
}

/** The roofline: no schedule of the same commands is faster than its highest bound. */
function boundLines({
  roofline,
  totalCycles,
  computeUtilization,
  memoryBandwidthUtilization,
}: Timed): readonly string[] {
  const bounds: readonly (readonly [keyof Roofline, number])[] = [
    ["compute", roofline.compute],
    ["dram", roofline.dram],
    ["l3", roofline.l3],
    ["l2", roofline.l2],
  ];
  const [name, cycles] = bounds.reduce((a, b) => (b[1] > a[1] ? b : a));
  const rest = bounds.flatMap(([other, c]) => (other === name ? [] : [`${other} ${figure(c)}`])).join(", ");
  return [
    cycles === 0
      ? "bound by no rate: nothing is multiplied on a fabric, and nothing moved"
      : `bound by ${name}: at least ${figure(cycles)} cycles, ${percent(cycles, totalCycles)} % of these (${rest})`,
    `compute utilization ${percent(computeUtilization, 1)} %, DRAM bandwidth utilization ${percent(memoryBandwidthUtilization, 1)} %`,
  ];
}

function trafficLines({ traffic, commands, macs }: Timed): readonly string[] {
  return [
    ...table(
      ["bytes", "read", "written"],
      Object.entries(traffic).map(([level, { read, written }]) => [level, String(read), String(written)]),
    ),
    `${commands} commands, ${macs} multiply-accumulates`,
  ];
}

/** Units of a kind as one row, in shares of all their cycles; a reason that nothing waits for is left out. */
function unitLines({ units, totalCycles }: Timed): readonly string[] {
  const kinds = new Map<UnitReport["kind"], UnitReport[]>();
  for (const unit of units) {
    const known = kinds.get(unit.kind);
    if (known === undefined) kinds.set(unit.kind, [unit]);
    else known.push(unit);
  }
  const reasons = REASONS.filter((r) => units.some((u) => u.stalls[r] !== undefined));
  const isUsed = (ofKind: readonly UnitReport[]): boolean => ofKind.some((u) => u.done > 0);
  const idle = [...kinds].filter(([, ofKind]) => !isUsed(ofKind)).map(([kind]) => kind);
  const rows = [...kinds]
    .filter(([, ofKind]) => isUsed(ofKind))
    .map(([kind, ofKind]) => {
      const share = (cycles: (u: UnitReport) => number): string =>
        percent(sum(ofKind.map(cycles)), totalCycles * ofKind.length);
      return [
        kind,
        String(ofKind.length),
        String(sum(ofKind.map((u) => u.done))),
        percent(Math.max(...ofKind.map((u) => u.utilization)), 1),
        share((u) => u.busy),
        share((u) => u.idle),
        ...reasons.map((r) => share((u) => u.stalls[r] ?? 0)),
      ];
    });
  const busiest = units.reduce((a, b) => (b.busy > a.busy ? b : a));
  return [
    ...table(
      ["units", "all", "done", "busiest %", "busy %", "idle %", ...reasons.map((r) => `${r} %`)],
      rows,
    ),
    `busiest: ${busiest.name}${idle.length === 0 ? "" : `; not used: ${idle.join(", ")}`}`,
  ];
}

function opLines({ ops, totalCycles }: Timed, nameOf: (span: string | number) => string): readonly string[] {
  const withEnergy = ops.some((op) => op.energyUj !== undefined);
  return table(
    [
      "span",
      "times",
      "tiles",
      "cycles",
      "%",
      "commands",
      "MACs",
      "DRAM bytes",
      ...(withEnergy ? ["uJ"] : []),
    ],
    ops.map((op) => [
      nameOf(op.id),
      String(op.times),
      String(op.tiles),
      figure(op.cycles),
      percent(op.cycles, totalCycles),
      String(op.commands),
      String(op.macs),
      String(op.traffic.dram.read + op.traffic.dram.written),
      ...(op.energyUj === undefined ? [] : [figure(op.energyUj)]),
    ]),
  );
}

function energyLines({ energy, totalEnergyUj }: PowerReport): readonly string[] {
  const parts = Object.entries(energy.parts) as [EnergyPart, number][];
  const rows = parts.filter(([, uJ]) => uJ > 0).sort(([, a], [, b]) => b - a);
  return [
    ...table(
      ["energy", "uJ", "%"],
      [...rows, ["total", totalEnergyUj] as const].map(([part, uJ]) => [
        part,
        figure(uJ),
        percent(uJ, totalEnergyUj),
      ]),
    ),
    `${energy.accuracy}; dynamic ${figure(energy.dynamicUj)} uJ, static ${figure(energy.staticUj)} uJ`,
    `source: ${energy.source}`,
  ];
}

function powerLines({ averagePowerWatts, powerTrace }: PowerReport): readonly string[] {
  const peak = Math.max(0, ...powerTrace.map((s) => s.watts));
  return [
    `power: average ${figure(averagePowerWatts)} W, peak ${figure(peak)} W (mean of a window of ${figure(windowOf(powerTrace))} cycles)`,
    ...chart(powerTrace),
  ];
}

/** The last window may be shorter. */
function windowOf(samples: readonly PowerSample[]): number {
  const [first] = samples;
  return first === undefined ? 0 : first.end - first.cycle;
}

const CHART_ROWS = 6;
const CHART_COLUMNS = 64;

/** Power over time as columns of #, each the mean of the cycles below it; the axis begins at 0 W. */
export function chart(samples: readonly PowerSample[]): readonly string[] {
  const end = samples.at(-1)?.end ?? 0;
  if (end === 0) return [];
  const columns = Math.min(CHART_COLUMNS, samples.length);
  const watts = Array.from({ length: columns }, (_, c) =>
    meanBetween(samples, (c * end) / columns, ((c + 1) * end) / columns),
  );
  const most = Math.max(...watts);
  const label = figure(most);
  const lines = Array.from({ length: CHART_ROWS }, (_, r) => {
    const row = CHART_ROWS - r;
    // A row is reached from its middle on.
    const marks = watts.map((w) => ((w / most) * CHART_ROWS >= row - 0.5 ? "#" : " ")).join("");
    return `${r === 0 ? label : " ".repeat(label.length)} |${marks}`.trimEnd();
  });
  const cycles = figure(end);
  return [
    ...lines,
    `${"0".padStart(label.length)} +${"-".repeat(columns)}`,
    `${" ".repeat(label.length)} 0${cycles.padStart(columns)} cycles`,
  ];
}

function meanBetween(samples: readonly PowerSample[], from: number, to: number): number {
  let energy = 0;
  for (const { cycle, end, watts } of samples)
    energy += Math.max(0, Math.min(end, to) - Math.max(cycle, from)) * watts;
  return energy / (to - from);
}

/** Up to four digits behind what is whole, or as many as four figures have. */
export function figure(x: number): string {
  if (Number.isInteger(x)) return String(x);
  return String(Math.abs(x) >= 1000 ? Number(x.toFixed(1)) : Number(x.toPrecision(4)));
}

/** A share in percent, one digit behind the point. */
export function percent(part: number, whole: number): string {
  return whole === 0 ? "0.0" : ((100 * part) / whole).toFixed(1);
}

function sum(list: readonly number[]): number {
  return list.reduce((a, b) => a + b, 0);
}
