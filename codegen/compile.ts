/** KIR to something that runs: legalised, laid out, emitted. */
import { withinStack } from "../ir/diagnostic.ts";
import { bytesOf, type DTypeName, type Scope } from "../ir/dtype.ts";
import type { Expr, Kernel, Local } from "../ir/kir.ts";
import { printKernel } from "../ir/print.ts";
import type { Target } from "../ir/target.ts";
import { forEachExpr, forEachIn, forEachStmt } from "../ir/walk.ts";
import { type Layout, planLayout, type ScopeBytes } from "./layout.ts";
import { legalise } from "./legalise.ts";
import { type Emitted, emitModule } from "./wasm/emit.ts";

export interface CompileOptions {
  readonly target: Target;
  /** Check every access, transfer and event; an error then comes with the author's line. */
  readonly checks: boolean;
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
  /** For each parameter: whether the kernel may write through it. */
  readonly written: readonly boolean[];
}

/** Compiles a verified kernel of level virtual. */
export function compileKernel(k: Kernel, o: CompileOptions): CompiledKernel {
  return withinStack(k.name, () => emitKernel(legalise(k, o.target), printKernel(k), o));
}

/** The last half of compilation: a kernel of level machine, as it stands in a program file, to WebAssembly. */
export function emitKernel(machine: Kernel, source: string, o: CompileOptions): CompiledKernel {
  const layout = planLayout(machine, scopeBytes(machine));
  const emitted = emitModule(machine, layout, o.checks);
  const { target, checks } = o;
  return {
    name: machine.name,
    target,
    checks,
    source,
    machine,
    layout,
    emitted,
    written: writtenParams(machine),
  };
}

function scopeBytes(k: Kernel): ScopeBytes {
  const bytes: Record<Scope, number> = { global: 0, l3: 0, l2: 0, l1: 0, acc: 0, local: 0, private: 0 };
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply" || e.op !== "alloc") return;
    const scope = e.attrs["scope"] as Scope;
    const size = bytesOf(e.attrs["dtype"] as DTypeName, e.attrs["count"] as number);
    bytes[scope] = Math.max(bytes[scope], (e.attrs["offset"] as number) + size);
  });
  return bytes;
}

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

/** Which parameters may be written: those from which the pointer of some write may come. */
function writtenParams(k: Kernel): boolean[] {
  const sources = new Map<Local, Set<Local>>();
  const from = (l: Local): Set<Local> => {
    let s = sources.get(l);
    if (s === undefined) sources.set(l, (s = new Set()));
    return s;
  };
  const written: Local[] = [];
  const pointersIn = (e: Expr, add: (l: Local) => void): void =>
    forEachIn(e, (x) => {
      if (x.kind === "ref" && x.type.kind === "ptr") add(x.local);
    });
  forEachStmt(k.body, (s) => {
    if ((s.kind === "let" || s.kind === "assign") && s.local.type.kind === "ptr") {
      pointersIn(s.value, (l) => from(s.local).add(l));
    } else if (s.kind === "effect" && WRITES_FIRST.has(s.value.op)) {
      pointersIn(s.value.args[0]!, (l) => written.push(l));
    }
  });
  const reached = new Set<Local>();
  while (written.length > 0) {
    const l = written.pop()!;
    if (reached.has(l)) continue;
    reached.add(l);
    written.push(...from(l));
  }
  return k.params.map((p) => reached.has(p.local));
}
