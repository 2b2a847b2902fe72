/**
 * Kernels with a planted bug, each beside the same kernel without it. The checkers must report the one, by a code that
 * names the bug, and pass the other.
 */
import { simulate } from "../executions.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import { KpuError } from "../ir/diagnostic.ts";
import { ALL_DTYPES, isPacked } from "../ir/dtype.ts";
import { Random } from "../ir/random.ts";
import { evaluate } from "./evaluate.ts";
import { type AnyKernel, argumentsOf, targetOf } from "./executions.ts";
import { type Bench, block, type Gadget, line, type MutationKind, type Parts } from "./gadget.ts";
import { Smith } from "./generate.ts";
import { MEMORY_BUGS } from "./memory-bugs.ts";
import { printProgram } from "./print.ts";
import { seedOf } from "./seed.ts";
import { SYNC_BUGS } from "./sync-bugs.ts";
import type { Captured, Param, Program, Stmt } from "./tree.ts";

export const MUTATIONS: readonly MutationKind[] = [...MEMORY_BUGS, ...SYNC_BUGS];

export interface Mutant {
  readonly seed: number;
  readonly kind: MutationKind;
  readonly clean: Program;
  readonly planted: Program;
}

/** Two elements of the packed dtypes share a byte, and no transfer moves them. */
const CELL_DTYPES = ALL_DTYPES.filter((d) => !isPacked(d));

/** The mutant of a seed: a random kernel with a gadget of the kind somewhere in it. */
export function makeMutant(kind: MutationKind, seed: number): Mutant {
  const r = new Random(seed ^ 0x1b873593);
  const tiles = kind.tiles === 2 ? r.between(2, 4) : r.between(1, 3);
  const around = new Smith(seed, {
    tiles,
    size: r.between(2, 8),
    ...(kind.events === false ? { events: false } : {}),
  });
  const base = around.program();
  const noise = new Smith(seed + 1, { tiles, prefix: "g_", registerBits: base.registerBits });
  const params: Param[] = [];
  const captured: Captured[] = [];
  const dtype = r.pick(CELL_DTYPES);
  const lanes = r.pick([2, 4, 8]);
  const scratch = noise.fresh("scratch");
  noise.scope.areas = [{ text: scratch, dtype: "i32", size: 16, write: true, buffer: scratch }];
  const bench: Bench = {
    m: noise,
    tiles,
    dtype,
    size: lanes * r.pick([2, 4]),
    lanes,
    value: dtype === "bool" ? "true" : String(r.between(1, 100)),
    params,
    captured,
    name: (what) => noise.fresh(what),
    param: (d, size, constant = false) => {
      const name = noise.fresh("arg");
      params.push({ name, dtype: d, pointer: true, constant, values: new Array<number>(size).fill(1) });
      return name;
    },
    // What is declared in the noise is not seen behind it: the bug may move or drop statements.
    noise: () =>
      noise.r.chance(0.4) ? noise.scope.inside(() => [block("if (S.tileCount() > 0)", noise.block(1))]) : [],
  };
  const gadget = kind.make(bench);
  const at = r.pick(quietPlaces(base.body));
  const looped = gadget.once !== true && r.chance(0.3) ? noise.fresh("q") : undefined;
  const setup = [line(`const ${scratch} = S.alloc(i32, 16)`), line(`S.dmaMemset(${scratch}, 7, 16)`)];
  const place = (parts: Parts): Program => {
    const steps =
      looped === undefined
        ? parts.steps
        : [block(`for (let ${looped} = 0; ${looped} < 2; ${looped}++)`, parts.steps)];
    const body = [
      ...base.body.slice(0, at),
      ...setup,
      ...parts.setup,
      ...steps,
      ...parts.end,
      ...base.body.slice(at),
    ];
    return {
      ...base,
      body,
      params: [...base.params, ...params],
      captured: [...base.captured, ...noise.captured, ...captured],
    };
  };
  return { seed, kind, clean: place(gadget), planted: place(plantIn(gadget)) };
}

function plantIn(g: Gadget): Parts {
  const planted = g.plant(g);
  if (JSON.stringify(planted) === JSON.stringify({ setup: g.setup, steps: g.steps, end: g.end }))
    throw new TypeError("a mutation changed nothing");
  return planted;
}

/** Places between statements that every tile reaches, with no transfer in flight. */
function quietPlaces(body: readonly Stmt[]): number[] {
  const places = [0];
  let flying = 0;
  for (const [i, s] of body.entries()) {
    if (leaves(s)) break;
    if (s.kind === "start") flying++;
    if (s.kind === "wait") flying--;
    if (flying === 0) places.push(i + 1);
  }
  return places;
}
const leaves = (s: Stmt): boolean => s.kind === "return" || s.bodies.some((b) => b.some(leaves));

const RUNS = [
  { policy: "round-robin", transfers: "eager", seed: 1 },
  { policy: "adversarial", transfers: "late", seed: 5 },
] as const;

/** What direct execution, or the checker before it, says about a program; undefined when nothing. */
export function verdict(
  p: Program,
  kernel: AnyKernel,
): { readonly code: DiagnosticCode; readonly message: string } | undefined {
  for (const o of RUNS) {
    try {
      simulate(kernel, argumentsOf(p.params), {
        ...o,
        tiles: p.tiles,
        target: targetOf(p.registerBits),
        print: () => {},
      });
    } catch (error) {
      if (!(error instanceof KpuError)) throw error;
      return { code: error.code, message: error.message.split("\n")[0] ?? "" };
    }
  }
  return undefined;
}

export interface MutationResult {
  readonly kind: string;
  readonly seed: number;
  /** What was reported of the kernel with the bug: "missed" when nothing, or nothing that names it. */
  readonly planted: "found" | "missed";
  readonly report: string | undefined;
  /** What was reported of the kernel without it: a false alarm. */
  readonly alarm: string | undefined;
  /** The kernel that was judged wrongly. */
  readonly source: string | undefined;
}

/** Mutants number `from` to `from + count - 1`; kinds take turns. */
export function runMutants(run: number, from: number, count: number): MutationResult[] {
  const mutants = Array.from({ length: count }, (_, i) =>
    makeMutant(MUTATIONS[(from + i) % MUTATIONS.length] as MutationKind, seedOf(run, from + i)),
  );
  const kernels = evaluate(mutants.flatMap((m) => [m.clean, m.planted]));
  return mutants.map((m, i): MutationResult => {
    const alarm = verdict(m.clean, kernels[2 * i] as AnyKernel);
    const report = verdict(m.planted, kernels[2 * i + 1] as AnyKernel);
    const found = report !== undefined && m.kind.codes.includes(report.code);
    const wrong = alarm !== undefined ? m.clean : found ? undefined : m.planted;
    return {
      kind: m.kind.name,
      seed: m.seed,
      planted: found ? "found" : "missed",
      report: report && `${report.code} ${report.message}`,
      alarm: alarm && `${alarm.code} ${alarm.message}`,
      source: wrong && printProgram(wrong, { types: true }),
    };
  });
}
