/** One program, every execution: what each did to its copy of the arguments, and the first pair that disagrees. */
import { compileKernel, legalise } from "../codegen/index.ts";
import { type Kernel, type KernelRecord, type ParamDecl, recordOf } from "../dsl/kernel.ts";
import { compareOutcomes, type Difference, type Outcome, observe } from "../equivalence/compare.ts";
import { simulate } from "../executions.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { hostArray } from "../ir/elements.ts";
import { bindArguments } from "../ir/hostargs.ts";
import { interpretKernel } from "../ir/interpret.ts";
import type { Kernel as Kir } from "../ir/kir.ts";
import { parseKernel } from "../ir/parse.ts";
import { printKernel } from "../ir/print.ts";
import { Random } from "../ir/random.ts";
import { TARGETS, type Target } from "../ir/target.ts";
import { type LoweredKernel, lowerKernel } from "../lowering/index.ts";
import { KpuProgram } from "../runtime/index.ts";
import type { Param, Program } from "./tree.ts";

export type AnyKernel = Kernel<readonly ParamDecl[]>;

/** Why a program is a finding. */
export type Finding =
  /** The checker refuses a kernel that is valid. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string }
  /** An execution stops with an error. */
  | { readonly kind: "stopped"; readonly way: string; readonly code: string; readonly message: string }
  /** Something threw that is no diagnostic. */
  | { readonly kind: "crashed"; readonly way: string; readonly message: string }
  | { readonly kind: "differs"; readonly way: string; readonly difference: Difference };

/** For tests of the shrinker: stands for a bug of a compiler. */
export type Tamper = (k: Kir) => Kir;

export interface RunOptions {
  /** Changes the compiled kernel, as a miscompilation would. */
  readonly tamper?: Tamper;
  /** Runs every way on every target, instead of a choice by the seed. */
  readonly thorough?: boolean;
  /** Runs only direct execution and the ways that are called like this: enough to see one finding again. */
  readonly only?: string;
}

/** A target like "edge" with the register width and the tiles of a program. */
export function targetOf(registerBits: number): Target {
  let known = targets.get(registerBits);
  if (known === undefined) {
    known = {
      ...TARGETS.edge,
      name: registerBits === 256 ? "edge" : `edge-${registerBits}`,
      registerBits,
      tiles: 4,
    };
    targets.set(registerBits, known);
  }
  return known;
}
const targets = new Map<number, Target>();

export function argumentsOf(params: readonly Param[]): unknown[] {
  return params.map((p) => {
    if (p.pointer) return hostArray(p.dtype, p.values);
    return p.dtype === "bool" ? p.values[0] !== 0 : p.values[0];
  });
}

const words = (error: unknown): string =>
  error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);

/** Where a kernel runs, and the choices of a run. */
export type Place = Pick<Program, "tiles" | "registerBits" | "pinned" | "seed">;

/** Runs a program every way and gives the first finding. */
export function runProgram(p: Program, kernel: AnyKernel, o: RunOptions = {}): Finding | undefined {
  return runEveryWay(kernel, argumentsOf(p.params), p, o);
}

type Run = (own: readonly unknown[], print: (line: string) => void) => void;

/** One execution: `prepare` compiles what there is to compile. */
interface Way {
  readonly name: string;
  readonly prepare: () => Run;
}

export function runEveryWay(
  kernel: AnyKernel,
  args: readonly unknown[],
  p: Place,
  o: RunOptions = {},
): Finding | undefined {
  const record = recordOf(kernel);
  if (record === undefined) throw new TypeError("not a kernel");
  let way = "check";
  let expected: Outcome | undefined;
  try {
    const lowered = lowerKernel(record, { target: targetOf(p.registerBits) });
    for (const w of waysOf(kernel, record, lowered, p, o)) {
      if (expected !== undefined && o.only !== undefined && w.name !== o.only) continue;
      way = w.name;
      const got = observe(args, w.prepare());
      if (got.error !== undefined)
        return { kind: "stopped", way, code: got.error.code, message: words(got.error) };
      if (expected === undefined) {
        expected = got;
        continue;
      }
      const difference = compareOutcomes(record, expected, got, p.tiles);
      if (difference !== undefined) return { kind: "differs", way, difference };
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof KpuError)) {
      const message = error instanceof Error ? (error.stack ?? String(error)) : String(error);
      return { kind: "crashed", way, message };
    }
    if (way === "check") return { kind: "refused", code: error.code, message: words(error) };
    return { kind: "stopped", way, code: error.code, message: words(error) };
  }
}

function* waysOf(
  kernel: AnyKernel,
  record: KernelRecord,
  lowered: LoweredKernel,
  p: Place,
  o: RunOptions,
): Generator<Way, void, void> {
  const r = new Random(p.seed ^ 0x5bd1e995);
  const { tiles } = p;
  const target = targetOf(p.registerBits);
  const first = { policy: "round-robin", transfers: "eager", seed: 1 } as const;
  const policy = r.pick(["random", "adversarial", "one-tile"] as const);
  const second = { policy, transfers: "late", seed: r.below(1000) } as const;
  // A kernel that never waits runs tile after tile, whatever the policy.
  for (const s of lowered.blocking.size === 0 ? [first] : [first, second]) {
    const run: Run = (own, print) => void simulate(kernel, own, { target, tiles, print, ...s });
    yield { name: `direct, ${s.policy}, transfers ${s.transfers}`, prepare: () => run };
  }
  const interpret =
    (k: Kir, where: Target, transfers: "issue" | "wait"): Run =>
    (own, print) => {
      const bound = bindArguments(record.name, lowered.paramSpecs, own);
      interpretKernel(k, bound, { target: where, tiles, print, transfers });
    };
  const { open, kernel: virtual } = lowered;
  if (o.thorough || r.chance(0.3))
    yield { name: "KIR of level open", prepare: () => interpret(open, target, "issue") };
  yield { name: "KIR", prepare: () => interpret(virtual, target, "wait") };
  const others = p.pinned ? [] : [128, 256, 512, 1024].filter((bits) => bits !== p.registerBits);
  const drawn = r.chance(0.2) && others.length > 0 ? [r.pick(others)] : [];
  for (const bits of [p.registerBits, ...(o.thorough ? others : drawn)]) {
    const where = targetOf(bits);
    const own = bits === p.registerBits;
    const source = (): Kir => {
      const k = own ? virtual : lowerKernel(record, { target: where }).kernel;
      return o.tamper ? o.tamper(k) : k;
    };
    if (own || o.thorough) {
      const reparse = o.thorough || r.chance(0.1);
      const machine = (): Kir => {
        const k = legalise(source(), where);
        return reparse ? parseKernel(printKernel(k), "machine.kir") : k;
      };
      yield {
        name: `KIR of level machine, ${where.name}`,
        prepare: () => interpret(machine(), where, "issue"),
      };
    }
    for (const checks of own || o.thorough ? [true, false] : [r.chance(0.5)]) {
      const compiled = (): Run => {
        const program = new KpuProgram(compileKernel(source(), { target: where, checks }));
        return (args, print) => program.runWith({ tiles, print }, ...args);
      };
      yield { name: `compiled, ${where.name}, checks ${checks ? "on" : "off"}`, prepare: compiled };
    }
  }
}

/** What two findings have in common when they are the same bug. */
export function signature(f: Finding): string {
  switch (f.kind) {
    case "refused":
      return `refused ${f.code}`;
    case "stopped":
      return `stopped ${f.code} ${family(f.way)}`;
    case "crashed":
      return `crashed ${family(f.way)} ${f.message.split("\n")[0]?.replace(/\d+/g, "#")}`;
    case "differs":
      return `differs ${family(f.way)} ${f.difference.kind}`;
  }
}
const family = (way: string): string => way.split(",")[0] as string;

/** A finding in a few lines. */
export function findingText(f: Finding): string {
  switch (f.kind) {
    case "refused":
      return `refused by the checker: ${f.code} ${f.message}`;
    case "stopped":
      return `${f.way}: stopped with ${f.code} ${f.message}`;
    case "crashed":
      return `${f.way}: ${f.message}`;
    case "differs": {
      const d = f.difference;
      const shown = (x: number): string => (Object.is(x, -0) ? "-0" : String(x));
      if (d.kind === "element")
        return `${f.way}: parameter ${d.param}, element ${d.index} (${d.dtype}) is ${shown(d.compiled.value)}, direct execution gives ${shown(d.direct.value)}`;
      return `${f.way}: ${d.kind} ${d.kind === "print" ? `line ${d.line + 1}` : ""} "${d.compiled}", direct execution gives "${d.direct}"`;
    }
  }
}
