/**
 * Lowering: a kernel record to KIR at level virtual. This is the checker of both executions: what cannot be lowered
 * is refused here, with every diagnostic found and the author's positions.
 */
import {
  type BlockingSites,
  beginCheck,
  type CapturedFunction,
  type FrozenRead,
  renderAll,
} from "../capture/index.ts";
import type { KernelRecord } from "../dsl/kernel.ts";
import { KpuError, withinStack } from "../ir/diagnostic.ts";
import type { ParamSpec } from "../ir/hostargs.ts";
import type { Kernel } from "../ir/kir.ts";
import { DEFAULT_TARGET, type Target } from "../ir/target.ts";
import { verifyKernel } from "../ir/verify.ts";
import { place } from "./place.ts";
import { analyse } from "./ranges/analyse.ts";
import { retype } from "./ranges/retype.ts";
import { tidy } from "./tidy.ts";
import { walkKernel } from "./walk.ts";

export interface LoweredKernel {
  /** Level virtual, verified. */
  readonly kernel: Kernel;
  /** Level open: what the walk emitted. */
  readonly open: Kernel;
  readonly blocking: BlockingSites;
  readonly captured: CapturedFunction;
  readonly frozen: readonly FrozenRead[];
  readonly paramSpecs: readonly ParamSpec[];
}

export interface LowerOptions {
  readonly target?: Target;
  /** Gets the kernel after every pass, by the pass's name: open, virtual, tidy. */
  readonly dump?: (pass: "open" | "virtual" | "tidy", kernel: Kernel) => void;
}

const lowered = new WeakMap<KernelRecord, Map<Target, LoweredKernel>>();

/** Lowers a kernel, once per record and target. Throws a KpuError with all diagnostics. */
export function lowerKernel(record: KernelRecord, o: LowerOptions = {}): LoweredKernel {
  const target = o.target ?? DEFAULT_TARGET;
  let known = lowered.get(record);
  if (known === undefined) lowered.set(record, (known = new Map()));
  const before = known.get(target);
  if (before !== undefined && o.dump === undefined) return before;
  const made = lowerAnew(record, target, o.dump);
  known.set(target, made);
  return made;
}

function lowerAnew(record: KernelRecord, target: Target, dump: LowerOptions["dump"]): LoweredKernel {
  beginCheck();
  try {
    return withinStack(record.name, () => lowerThrough(record, target, dump));
  } catch (error) {
    if (error instanceof KpuError) throw new KpuError(error.diagnostics, renderAll(error.diagnostics));
    throw error;
  }
}

function lowerThrough(record: KernelRecord, target: Target, dump: LowerOptions["dump"]): LoweredKernel {
  const walked = walkKernel(record, target);
  const open = walked.kernel;
  dump?.("open", open);
  const typed = retype(open, analyse(open), walked.ranges, walked.locationOf);
  if (typed.diagnostics.length > 0) throw new KpuError(typed.diagnostics);
  dump?.("virtual", typed.kernel);
  const kernel = place(tidy(typed.kernel), walked.locationOf);
  dump?.("tidy", kernel);
  const wrong = verifyKernel(kernel);
  if (wrong.length > 0)
    throw new TypeError(`lowering made invalid KIR: ${wrong.map((d) => d.message).join("; ")}`);
  const { blocking, captured, frozen, paramSpecs } = walked;
  return { kernel, open, blocking, captured, frozen, paramSpecs };
}
