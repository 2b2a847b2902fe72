/** Plans of a product on a machine: what each costs, and the best of the most promising. */
import { build } from "../../executions.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { productBytes } from "../../machine/bounds.ts";
import type { CycleReport } from "../../machine/model/report.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import { targetOf } from "../../machine/target.ts";
import { timeProgram } from "../../runtime/timing.ts";
import { gemmKernel } from "./kernel.ts";
import { type GemmPlan, type GemmSizes, gemmPlans } from "./plan.ts";
import { type GemmSpec, sumDtype } from "./spec.ts";

export interface TuneOptions {
  /** Compute tiles; default: all of the machine. */
  readonly tiles?: number;
  /** How many plans to time; default: 8. */
  readonly plans?: number;
}

export interface TunedPlan {
  readonly plan: GemmPlan;
  readonly report: CycleReport;
  /** Multiply-accumulates by what the fabrics of these tiles could do in the time. */
  readonly utilization: number;
  /** Cycles by those of the roofline: of these tiles' fabrics, and of the bytes of each level. */
  readonly overRoofline: number;
  /**
   * Bytes of DRAM by those that no schedule can avoid with as much memory as l3 and l2 of these tiles have together:
   * `productBytes` of kpu-dsl/machine.
   */
  readonly overBound: number;
}

/** Plans whose times differ by less are as good, and the one with less traffic is taken. */
const AS_GOOD = 1.005;

/**
 * What a plan costs.
 *
 * @throws what gemmKernel and timeProgram do
 * @example timeGemm(spec, planGemm(spec, sizes, targetOf(PRESETS.edge), 2), sizes, PRESETS.edge, 2).utilization
 */
export function timeGemm(
  spec: GemmSpec,
  plan: GemmPlan,
  sizes: GemmSizes,
  machine: MachineConfig,
  tiles = machine.tile.count,
): TunedPlan {
  const { m, n, k } = sizes;
  const target = targetOf(machine);
  const along = spec.axis === "row" ? m : n;
  const array = (d: DTypeName | undefined, count: number) =>
    d === undefined ? null : { shape: [Math.max(1, DTYPES[d].bits === 4 ? count + (count % 2) : count)] };
  const program = build(gemmKernel(spec, plan, target, tiles), { target });
  const report = timeProgram(
    program,
    [
      array(spec.out, m * n),
      array(spec.a, m * k),
      array(spec.b, k * n),
      array(spec.bias, along),
      array(spec.scale === "vector" ? "f32" : undefined, along),
      array(spec.residual, m * n),
      ...[m, n, k],
    ],
    { machine, tiles },
  );
  const { read, written } = report.traffic.dram;
  const { compute, dram, l3, l2 } = report.roofline;
  const share = machine.tile.count / tiles;
  const fast = machine.l3.tiles * machine.l3.bytesPerTile + tiles * target.capacity.l2;
  const bound = productBytes(sizes, fast, {
    operand: Math.min(DTYPES[spec.a].bits, DTYPES[spec.b].bits) / 8,
    accumulator: DTYPES[sumDtype(spec)].bytes,
    result: DTYPES[spec.out].bytes + (spec.residual === undefined ? 0 : DTYPES[spec.residual].bytes),
  });
  return {
    plan,
    report,
    utilization: report.computeUtilization * share,
    overRoofline: report.totalCycles / Math.max(compute * share, dram, l3, l2 * share),
    overBound: (read + written) / bound,
  };
}

/**
 * The plan that is fastest on a machine, of the most promising ones of gemmPlans; of about equal ones that with the least
 * traffic. First in the list, the others behind it in the order of their time.
 *
 * @throws KPU4003 a machine whose memories hold not even the smallest plan, and what timeGemm does
 * @example tuneGemm({ a: "f32", b: "f32", out: "f32" }, { m: 1024, n: 1024, k: 1024 }, PRESETS.edge, { tiles: 1 })[0].plan
 */
export function tuneGemm(
  spec: GemmSpec,
  sizes: GemmSizes,
  machine: MachineConfig,
  { tiles = machine.tile.count, plans = 8 }: TuneOptions = {},
): readonly [TunedPlan, ...TunedPlan[]] {
  const [first, ...others] = gemmPlans(spec, sizes, targetOf(machine), tiles).slice(0, plans) as [
    GemmPlan,
    ...GemmPlan[],
  ];
  const timed = (plan: GemmPlan): TunedPlan => timeGemm(spec, plan, sizes, machine, tiles);
  const all = [timed(first), ...others.map(timed)];
  const least = Math.min(...all.map((t) => t.report.totalCycles));
  const rank = (t: TunedPlan): number => (t.report.totalCycles <= least * AS_GOOD ? t.overBound : Infinity);
  const [best, ...rest] = all.sort(
    (a, b) => rank(a) - rank(b) || a.report.totalCycles - b.report.totalCycles,
  ) as [TunedPlan, ...TunedPlan[]];
  return [best, ...rest];
}
