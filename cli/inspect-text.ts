/** A program file as text for people: what it says about itself, section by section. */
import type { Manifest, SectionPlace } from "../codegen/index.ts";
import { SCOPES } from "../ir/dtype.ts";
import type { MetricArgument, ProgramMetrics } from "../ir/program.ts";
import { nameText } from "../ir/syntax.ts";
import { table } from "./machine-text.ts";
import { figure, percent } from "./report-text.ts";

export interface Inspected {
  /** Name of the file. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the whole file, in hex. */
  readonly sha256: string;
  readonly sections: readonly SectionPlace[];
  readonly manifest: Manifest;
}

/** The lines of a report; one that is empty stands between two parts. */
export function inspectLines(i: Inspected): readonly string[] {
  const { manifest: m } = i;
  const parts = [
    headLines(i),
    table(
      ["section", "offset", "bytes", "sha256"],
      i.sections.map((s) => [s.name, String(s.offset), String(s.bytes), `${s.sha256.slice(0, 16)}...`]),
    ),
    ...(m.params.length === 0 ? [] : [paramLines(m)]),
    ...(m.tensors.length === 0 ? [] : [tensorLines(m)]),
    ...m.ops.map((op) => opLines(op)),
    ...(m.ops.length < 2 ? [] : [[`runs ${m.schedule.map(nameText).join(", ")}`]]),
    memoryLines(m),
    ...(m.estimates === undefined && m.measured === undefined ? [] : [costLines(m)]),
  ];
  return parts.flatMap((lines, k) => (k === 0 ? lines : ["", ...lines]));
}

function headLines({ file, bytes, sha256, manifest }: Inspected): readonly string[] {
  const { name, version, target, checks, precision } = manifest;
  const tiles = `${target.tiles} ${target.tiles === 1 ? "tile" : "tiles"}`;
  const aligned =
    target.vectorAlignment === undefined ? "" : `, vectors at multiples of ${target.vectorAlignment} bytes`;
  const dtypes = [
    ["arrays", precision.arrays],
    ["vectors", precision.vectors],
    ["products", precision.products.map(({ a, b, sum }) => `${a} x ${b} in ${sum}`)],
  ] as const;
  const said = dtypes.flatMap(([what, list]) => (list.length === 0 ? [] : [`${what} ${list.join(", ")}`]));
  return [
    `${file}: program ${nameText(name)}, version ${version}, ${bytes} bytes`,
    `sha256 ${sha256}`,
    `for ${nameText(target.name)}: ${tiles}, registers of ${target.registerBits} bits${aligned}, checks ${checks ? "on" : "off"}`,
    ...(said.length === 0 ? [] : [`dtypes: ${said.join("; ")}`]),
  ];
}

function paramLines({ params }: Manifest): readonly string[] {
  return table(
    ["parameter", "dtype", "is"],
    params.map((p) => [
      nameText(p.name),
      p.dtype,
      p.pointer ? `${p.constant ? "const " : ""}pointer${p.noalias === true ? ", noalias" : ""}` : "value",
    ]),
  );
}

function tensorLines({ tensors, weights }: Manifest): readonly string[] {
  return table(
    ["tensor", "dtype", "shape", "role", "parameter", "held bytes"],
    tensors.map((t) => [
      nameText(t.name),
      t.dtype,
      t.shape === undefined ? "any" : t.shape.length === 0 ? "1" : t.shape.join(" x "),
      t.role,
      t.param === undefined ? "" : nameText(t.param),
      String(weights.find((w) => w.tensor === t.name)?.bytes ?? ""),
    ]),
  );
}

function opLines(op: Manifest["ops"][number]): readonly string[] {
  const dims = Object.entries(op.dims).map(([d, e]) => (d === e ? d : `${d} = ${e}`));
  const names = (list: readonly string[]): string => list.map(nameText).join(", ");
  const attributes = Object.entries(op.attributes ?? {}).map(([k, v]) => `${nameText(k)} ${v}`);
  return [
    `op ${nameText(op.name)}: ${nameText(op.kind)}${dims.length === 0 ? "" : ` over ${dims.join(", ")}`}`,
    `  ${names(op.inputs) || "nothing"} -> ${names(op.outputs) || "nothing"}`,
    ...(attributes.length === 0 ? [] : [`  ${attributes.join(", ")}`]),
    ...(op.span === undefined ? [] : [`  span ${op.span}`]),
    ...((op.fusedWith ?? []).length === 0 ? [] : [`  fused with ${names(op.fusedWith ?? [])}`]),
    ...(op.tiling === undefined ? [] : tilingLines(op.tiling).map((l) => `  ${l}`)),
  ];
}

function tilingLines(t: NonNullable<Manifest["ops"][number]["tiling"]>): readonly string[] {
  const levels = SCOPES.filter((level) => t.tileSizes[level] !== undefined);
  const ahead = t.prefetchDistance;
  return [
    ...table(
      ["level", "block", "buffers"],
      levels.map((level) => [
        level,
        Object.entries(t.tileSizes[level] ?? {})
          .map(([dim, size]) => `${nameText(dim)} ${size}`)
          .join(" x "),
        t.doubleBuffer.includes(level) ? "two" : "one",
      ]),
    ),
    ...(t.loopOrder.length === 0
      ? []
      : [`loops ${t.loopOrder.map(({ level, dim }) => `${nameText(dim)} by ${level}`).join(", ")}`]),
    ahead === 0 ? "transfers are waited for at once" : `transfers run ${ahead} ahead`,
  ];
}

/** Global memory has no capacity here: it belongs to the machine. */
function memoryLines({ memory, target }: Manifest): readonly string[] {
  const { peak, constants, weights, activations } = memory;
  return [
    ...table(
      ["memory", "peak", "of", "%"],
      SCOPES.filter((s) => s !== "global" || peak.global > 0).map((s) => {
        if (s === "global") return [s, String(peak[s]), "", ""];
        return [s, String(peak[s]), String(target.capacity[s]), percent(peak[s], target.capacity[s])];
      }),
    ),
    `constants ${constants}, weights ${weights}, activations ${activations} bytes`,
  ];
}

function costLines({ estimates, measured, params, ops }: Manifest): readonly string[] {
  const kinds = [
    ["estimated", estimates],
    ["measured", measured],
  ] as const;
  const given = kinds.flatMap(([head, m]) => (m === undefined ? [] : [{ head, m }]));
  const row = (name: string, value: (m: ProgramMetrics) => number | string | undefined) => {
    const cells = given.map(({ m }) => {
      const v = value(m);
      return typeof v === "number" ? figure(v) : (v ?? "");
    });
    return cells.every((c) => c === "") ? [] : [[name, ...cells]];
  };
  const levels = ["dram", "l3", "l2", "local"] as const;
  const rows = [
    ...row("cycles", (m) => m.totalCycles),
    ...row("  compute", (m) => m.computeCycles),
    ...row("  memory stall", (m) => m.memoryStallCycles),
    ...row("  other", (m) => m.otherCycles),
    ...row("time, us", (m) => m.totalTimeUs),
    ...row("multiply-accumulates", (m) => m.macs),
    ...row("compute utilization, %", (m) => percent(m.computeUtilization, 1)),
    ...row("DRAM bandwidth utilization, %", (m) => percent(m.memoryBandwidthUtilization, 1)),
    ...levels.flatMap((l) => [
      ...row(`${l} bytes read`, (m) => m.traffic[l].read),
      ...row(`${l} bytes written`, (m) => m.traffic[l].written),
    ]),
    ...row("energy, uJ", (m) => m.totalEnergyUj),
    ...row("power, W", (m) => m.averagePowerWatts),
    ...ops.flatMap(({ name }) =>
      row(`cycles of ${nameText(name)}`, (m) => m.ops.find((o) => o.op === name)?.cycles),
    ),
  ];
  return [
    ...table(["cost", ...given.map((g) => g.head)], rows),
    ...given.map(({ head, m }) => {
      const args = m.arguments.map((a, i) => `${nameText(params[i]?.name ?? String(i))} ${argumentText(a)}`);
      const tiles = `${m.tiles} ${m.tiles === 1 ? "tile" : "tiles"}`;
      return `${head} by ${m.source}: ${m.machine}, ${tiles}, ${m.clock.name} clock${args.length === 0 ? "" : `; ${args.join(", ")}`}`;
    }),
  ];
}

function argumentText(a: MetricArgument): string {
  return typeof a === "object" && a !== null ? `${a.bytes} bytes` : String(a);
}
