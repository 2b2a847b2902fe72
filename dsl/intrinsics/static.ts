/** What is known before a kernel runs: values computed at compile time, and the facts of the target. */
import { DType } from "../dtypes.ts";
import { intrinsic, intrinsicOf } from "../intrinsic.ts";
import { type DTypeName, fail, NUMERIC, registerLanes, type Scope, type Target } from "../ir.ts";
import { recordOf } from "../kernel.ts";
import { textOf } from "../operand.ts";

const family = "control";

function functionOf(v: unknown): () => unknown {
  if (typeof v === "function") return v as () => unknown;
  if (v === undefined) fail("KPU3009", "S.comptime: argument fn is missing");
  return fail("KPU3001", `S.comptime: fn must be a function, got ${textOf(v)}`, {
    help: "write S.comptime(() => ...)",
  });
}

export const comptime = intrinsic<<T>(fn: () => T) => T>({
  name: "comptime",
  family,
  signature: {
    operands: [{ name: "fn", kind: "static", doc: "a function without parameters" }],
    result: "static value",
  },
  effect: "pure",
  cost: "free",
  doc: "Calls fn when the kernel is checked, as plain JavaScript with everything JavaScript has, and gives its result as a static value: tables, lane lists, tile sizes. fn may read static values only (KPU2007), must give the same each time (KPU2004) and must not assign what it captures (KPU2002). In direct execution it is the call itself.",
  example:
    "const taps = S.comptime(() => Array.from({ length: 4 }, (_, k) => 1 / (k + 1))); for (const k of S.unroll(4)) y.set(k, taps[k]);",
  simulate: (_sim, fn: unknown) => functionOf(fn)(),
  // Lowering runs the function itself: it knows where the function touches run time.
  lower: (_b, fn: unknown) => functionOf(fn)(),
});

export const func = intrinsic<<F extends (...args: never[]) => unknown>(fn: F) => F>({
  name: "func",
  family,
  signature: { operands: [{ name: "fn", kind: "static", doc: "a helper function" }], result: "fn" },
  effect: "pure",
  cost: "free",
  doc: "Marks a helper that should stay a call where the machine has calls; it gives fn itself. The programs of today inline every helper (docs/language.md says why), so that the mark changes neither results nor code.",
  example: "const twice = S.func((v) => v * 2); y.set(0, twice(x.get(0)));",
  simulate: (_sim, fn: unknown) => marked(fn),
  // Lowering gives the function of the kernel itself.
  lower: (_b, fn: unknown) => marked(fn),
});

function marked(v: unknown): unknown {
  if (typeof v === "function" && intrinsicOf(v) === undefined && recordOf(v) === undefined) return v;
  if (v === undefined) return fail("KPU3009", "S.func: argument fn is missing");
  const got = typeof v !== "function" ? textOf(v) : intrinsicOf(v) ? "an intrinsic" : "a kernel";
  return fail("KPU3001", `S.func: fn must be a helper function, got ${got}`, {
    help: "write const helper = S.func((x) => ...)",
  });
}

/** The facts of the target as an author reads them. Every read asks the execution that is under way. */
export class TargetFacts {
  /** Name of the target: "edge". */
  get name(): string {
    return facts().name;
  }
  /** Compute tiles of the target; a run may use fewer, which S.tileCount() says. */
  get tiles(): number {
    return facts().tiles;
  }
  /** Bits of a vector register. */
  get registerBits(): number {
    return facts().registerBits;
  }
  /** Bytes of l3 (all tiles together), and of l2, l1, acc, local and private (per tile). */
  get capacity(): { readonly [K in Exclude<Scope, "global">]: number } {
    return facts().capacity;
  }
  /** Events that a tile can hold at once. */
  get events(): number {
    return facts().events;
  }
  /** Lanes of one register: what S.vload takes when it is not told. Example: `S.target.lanes(f32)` is 8 for 256 bits. */
  lanes(dtype: DType): number {
    if (dtype instanceof DType && (NUMERIC as readonly DTypeName[]).includes(dtype.name))
      return registerLanes(facts(), dtype.name);
    return fail("KPU3001", `S.target.lanes: expected a dtype of numbers, got ${textOf(dtype)}`, {
      help: "write S.target.lanes(f32)",
    });
  }
}
Object.freeze(TargetFacts.prototype);

const facts = intrinsic<() => Target>({
  name: "target",
  family,
  signature: { operands: [], result: "static facts" },
  effect: "pure",
  cost: "free",
  doc: "The facts of the target that the kernel is checked, built or simulated for, as static values: name, tiles, registerBits, capacity.l3 / l2 / l1 / acc / local / private (bytes), events (per tile), lanes(dtype) (lanes of one register).",
  example: "for (const k of S.range(0, 64, S.target.lanes(f32))) S.vstore(S.vload(x.at(k)), y.at(k));",
  simulate: (sim) => sim.target,
  lower: (b) => b.target,
});

/** The facts of the target: static values in both executions. */
export const target: Readonly<TargetFacts> = Object.freeze(new TargetFacts());
