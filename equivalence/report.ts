/** What a found difference looks like: the first differing element, both values, who wrote them, how to replay. */
import { inspect } from "node:util";
import { type AnyKernel, kernelRecord } from "../executions.ts";
import type { Location } from "../ir/diagnostic.ts";
import { bindArguments } from "../ir/hostargs.ts";
import { interpretKernel } from "../ir/interpret.ts";
import type { Target } from "../ir/target.ts";
import { lowerKernel } from "../lowering/index.ts";
import { lastWriter } from "../pysim/index.ts";
import type { InputCase } from "./arbitrary.ts";
import { type Difference, elementOf, hex, observe, type Shown } from "./compare.ts";
import { compiledWriters } from "./writers.ts";

export interface Counterexample {
  /** The smallest failing input. */
  readonly args: readonly unknown[];
  readonly target: string;
  readonly tiles: number;
  readonly difference: Difference;
  /** Name of the parameter that differs first, for differences in memory. */
  readonly argument?: string;
  /** The author's line whose store direct execution made last to the element. */
  readonly directLocation?: Location;
  /** The author's lines of the compiled stores that can reach the argument. */
  readonly compiledLocations: readonly Location[];
  /** What the reference interpreter of KIR makes of the element: it says on which side of KIR the fault is. */
  readonly reference?: Shown;
  readonly seed: number;
  readonly path: string;
}

export function explainDifference(
  kernel: AnyKernel,
  failing: InputCase<{ readonly target: Target; readonly tiles: number }>,
  difference: Difference,
  replay: { readonly seed: number; readonly path: string },
): Counterexample {
  const record = kernelRecord(kernel);
  const { target, tiles } = failing.where;
  const base = { args: failing.args, target: target.name, tiles, difference, ...replay };
  if (difference.kind !== "element") return { ...base, compiledLocations: [] };
  const checked = lowerKernel(record, { target });
  let direct: Location | undefined;
  observe(failing.args, (own, print) => {
    direct = lastWriter(record, checked, own, { target, tiles, print }, difference.param, difference.index);
  });
  const reference = observe(failing.args, (own, print) => {
    const bound = bindArguments(record.name, checked.paramSpecs, own);
    interpretKernel(checked.kernel, bound, { target, tiles, print });
  });
  const third = elementOf(reference.args, difference.param, difference.index, difference.dtype);
  return {
    ...base,
    ...(third && reference.error === undefined ? { reference: third } : {}),
    argument: checked.paramSpecs[difference.param]?.name ?? `argument ${difference.param}`,
    ...(direct ? { directLocation: direct } : {}),
    compiledLocations: compiledWriters(record, target, difference.param),
  };
}

/** The report a person reads. */
export function counterexampleText(kernel: string, c: Counterexample): string {
  const lines = [
    `${kernel}: direct and compiled execution differ (target ${c.target}, ${c.tiles} ${c.tiles === 1 ? "tile" : "tiles"})`,
  ];
  const d = c.difference;
  if (d.kind === "element") {
    const show = (s: { value: number; bits: number }): string =>
      `${Object.is(s.value, -0) ? "-0" : s.value} (${hex(s.bits, d.dtype)})`;
    lines.push(`  ${c.argument}[${d.index}]: ${d.dtype}`);
    lines.push(
      `    direct    ${show(d.direct)}${c.directLocation ? `, written at ${place(c.directLocation)}` : ""}`,
    );
    const stores = c.compiledLocations.map(place).join(" or ");
    lines.push(
      `    compiled  ${show(d.compiled)}${stores ? `, ${c.compiledLocations.length > 1 ? "may be written" : "written"} at ${stores}` : ""}`,
    );
    if (c.reference) lines.push(`    reference ${show(c.reference)}: ${verdict(c.reference, d)}`);
  } else if (d.kind === "print") {
    lines.push(
      `  printed line ${d.line + 1}`,
      `    direct    ${d.direct ?? "(nothing)"}`,
      `    compiled  ${d.compiled ?? "(nothing)"}`,
    );
  } else {
    lines.push(`    direct    ${d.direct ?? "ran through"}`, `    compiled  ${d.compiled ?? "ran through"}`);
  }
  lines.push("  smallest failing input:");
  for (const [i, arg] of c.args.entries())
    lines.push(`    ${i}: ${inspect(arg, { breakLength: 100, maxArrayLength: 16 }).replace(/\s+/g, " ")}`);
  lines.push(`  replay with { seed: ${c.seed}, path: "${c.path}" }`);
  return lines.join("\n");
}

function place(l: Location): string {
  return `${l.file}:${l.line}`;
}

function verdict(reference: Shown, d: { readonly direct: Shown; readonly compiled: Shown }): string {
  const same = (x: Shown): boolean =>
    x.bits === reference.bits || (Number.isNaN(x.value) && Number.isNaN(reference.value));
  if (same(d.direct)) return "KIR means what direct execution did, the program does not";
  if (same(d.compiled)) return "the program does what its KIR says";
  return "agrees with neither";
}
