/** The parameters of a kernel as callers see them, and what its code does to the memory behind them. */
import type { ParamSpec } from "../ir/hostargs.ts";
import type { Expr, Kernel, Local } from "../ir/kir.ts";
import { OPS } from "../ir/ops.ts";
import type { ParamUse } from "../ir/program.ts";
import { forEachExpr, forEachIn, forEachStmt } from "../ir/walk.ts";

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

export function paramUses(k: Kernel): readonly ParamUse[] {
  const { read, written } = accessedParams(k);
  return paramSpecs(k).map((p, i) => ({ ...p, read: read[i] === true, written: written[i] === true }));
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
