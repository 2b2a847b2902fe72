/** KIR to something that runs: legalised, laid out, emitted. */
import { fail, withinStack } from "../ir/diagnostic.ts";
import { bytesOf, type DTypeName, type Scope } from "../ir/dtype.ts";
import type { ParamSpec } from "../ir/hostargs.ts";
import type { Expr, Kernel, Local } from "../ir/kir.ts";
import { OPS } from "../ir/ops.ts";
import { printKernel } from "../ir/print.ts";
import {
  descriptionProblem,
  type ParamUse,
  type ProgramDescription,
  plainDescription,
} from "../ir/program.ts";
import type { Target } from "../ir/target.ts";
import { forEachExpr, forEachIn, forEachStmt } from "../ir/walk.ts";
import { type Layout, planLayout, type ScopeBytes } from "./layout.ts";
import { legalise } from "./legalise.ts";
import { type Emitted, emitModule } from "./wasm/emit.ts";

export interface CompileOptions {
  readonly target: Target;
  /** Check every access, transfer and event; an error then comes with the author's line. */
  readonly checks: boolean;
  /** What the program file tells beside the code; when absent, what can be seen in the code. */
  readonly description?: ProgramDescription | undefined;
}

export interface CompiledKernel {
  readonly name: string;
  readonly target: Target;
  readonly checks: boolean;
  /** KIR text of level virtual, as it was compiled. */
  readonly source: string;
  readonly machine: Kernel;
  readonly layout: Layout;
  readonly emitted: Emitted;
  readonly params: readonly ParamUse[];
  readonly description: ProgramDescription;
}

/**
 * Compiles a verified kernel of level virtual.
 * @throws KPU6008 where the description does not fit the code
 */
export function compileKernel(k: Kernel, o: CompileOptions): CompiledKernel {
  return withinStack(k.name, () => emitKernel(legalise(k, o.target), printKernel(k), o));
}

/** The last half of compilation: a kernel of level machine, as it stands in a program file, to WebAssembly. */
export function emitKernel(machine: Kernel, source: string, o: CompileOptions): CompiledKernel {
  const layout = planLayout(machine, scopeBytes(machine));
  const emitted = emitModule(machine, layout, o.checks);
  const params = paramUses(machine);
  const { target, checks } = o;
  return {
    name: machine.name,
    target,
    checks,
    source,
    machine,
    layout,
    emitted,
    params,
    description: describe(machine.name, params, o.description),
  };
}

/** @throws KPU6008 where the description does not fit the code */
function describe(name: string, params: readonly ParamUse[], given?: ProgramDescription): ProgramDescription {
  if (given === undefined) return plainDescription(name, params);
  const wrong = descriptionProblem(given, params);
  if (wrong !== undefined)
    fail("KPU6008", `the description of ${name} does not hold: ${wrong}`, {
      help: "correct the third argument of kernel()",
    });
  return given;
}

/** Bytes that the buffers of each scope take: of all tiles together in global and l3, of each tile elsewhere. */
export function scopeBytes(k: Kernel): ScopeBytes {
  const bytes: Record<Scope, number> = { global: 0, l3: 0, l2: 0, l1: 0, acc: 0, local: 0, private: 0 };
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply" || e.op !== "alloc") return;
    const scope = e.attrs["scope"] as Scope;
    const size = bytesOf(e.attrs["dtype"] as DTypeName, e.attrs["count"] as number);
    bytes[scope] = Math.max(bytes[scope], (e.attrs["offset"] as number) + size);
  });
  return bytes;
}

/** Ops that write where their first operand points to, and read through all others; any other op only reads. */
const WRITES_FIRST = new Set([
  "set",
  "store",
  "store_masked",
  "store_strided",
  "scatter",
  "dma_copy",
  "dma_copy_async",
  "dma_memset",
  "dma_memset_async",
  "dma_nd",
  "dma_nd_async",
  "dma_gather",
  "dma_gather_async",
]);

interface Accessed {
  readonly read: readonly boolean[];
  readonly written: readonly boolean[];
}

/** Which parameters may be read and which written: those from which the pointer of some access may come. */
function accessedParams(k: Kernel): Accessed {
  const sources = new Map<Local, Set<Local>>();
  const from = (l: Local): Set<Local> => {
    let s = sources.get(l);
    if (s === undefined) sources.set(l, (s = new Set()));
    return s;
  };
  const read: Local[] = [];
  const written: Local[] = [];
  const pointersIn = (e: Expr, add: (l: Local) => void): void =>
    forEachIn(e, (x) => {
      if (x.kind === "ref" && x.type.kind === "ptr") add(x.local);
    });
  forEachExpr(k.body, (e) => {
    // Arithmetic on pointers reads nothing.
    if (e.kind !== "apply" || OPS[e.op].effect === "pure" || OPS[e.op].effect === "trap") return;
    e.args.forEach((a, i) => {
      const list = i === 0 && WRITES_FIRST.has(e.op) ? written : read;
      if (a.type.kind === "ptr") pointersIn(a, (l) => list.push(l));
    });
  });
  forEachStmt(k.body, (s) => {
    if ((s.kind === "let" || s.kind === "assign") && s.local.type.kind === "ptr")
      pointersIn(s.value, (l) => from(s.local).add(l));
  });
  const reached = (list: Local[]): readonly boolean[] => {
    const all = new Set<Local>();
    while (list.length > 0) {
      const l = list.pop()!;
      if (all.has(l)) continue;
      all.add(l);
      list.push(...from(l));
    }
    return k.params.map((p) => all.has(p.local));
  };
  return { read: reached(read), written: reached(written) };
}

/** The parameters as callers see them. */
export function paramSpecs(k: Kernel): readonly ParamSpec[] {
  return k.params.map((p) => ({
    name: p.local.name,
    dtype: p.dtype,
    pointer: p.pointer,
    constant: p.local.type.kind === "ptr" && p.local.type.constant,
    ...(p.noalias ? { noalias: true } : {}),
  }));
}

function paramUses(k: Kernel): readonly ParamUse[] {
  const { read, written } = accessedParams(k);
  return paramSpecs(k).map((p, i) => ({ ...p, read: read[i] === true, written: written[i] === true }));
}
