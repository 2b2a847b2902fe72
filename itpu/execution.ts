/** The two executions of the unit's kernels. */
import {
  type AnyKernel,
  build,
  type HostParams,
  type Kernel,
  type KpuProgram,
  loadProgram,
  type ParamDecl,
  simulate,
} from "../index.ts";
import { TARGETS } from "../ir/target.ts";
import { keyOf } from "./kernels/per-key.ts";

/** What the unit's kernels are compiled for. */
const ITPU_TARGET = TARGETS["itpu-v0"];

export const EXECUTIONS = ["compiled", "direct"] as const;
export type ExecutionName = (typeof EXECUTIONS)[number];

/** Runs a kernel on host arrays. */
export interface Execution {
  readonly name: ExecutionName;
  run<P extends readonly ParamDecl[]>(kernel: Kernel<P>, ...args: HostParams<P>): void;
}

/** What runs an op, and is told how far it is. */
export interface Work {
  readonly execution: Execution;
  /** Threads that may work, this one included. */
  readonly threads: number;
  readonly progress: (done: number, total: number) => void;
}

/** By the key of their kernel. Each is built once. */
const programs = new Map<string, KpuProgram>();

/** Bounds are the unit's own business: its ops check what they are given. */
function programOf(kernel: AnyKernel): KpuProgram {
  const key = keyOf(kernel);
  const known = programs.get(key);
  if (known !== undefined) return known;
  const made: KpuProgram = build(kernel, { target: ITPU_TARGET, checks: false });
  programs.set(key, made);
  return made;
}

/** A program as a file, for another thread. */
export interface SavedProgram {
  readonly key: string;
  readonly bytes: Uint8Array;
}
export const builtPrograms = (): readonly SavedProgram[] =>
  [...programs].map(([key, { bytes }]) => ({ key, bytes }));
export function useProgram({ key, bytes }: SavedProgram): void {
  programs.set(key, loadProgram(bytes));
}

const compiled: Execution = {
  name: "compiled",
  run: (kernel, ...args) => void programOf(kernel).run(...args),
};
/** As plain JavaScript, with all checks. */
const direct: Execution = {
  name: "direct",
  run: (kernel, ...args) => void simulate(kernel, args, { target: ITPU_TARGET }),
};

export function executionOf(name: ExecutionName): Execution {
  return name === "compiled" ? compiled : direct;
}
