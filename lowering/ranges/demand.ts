/**
 * Where the sign of zero can be seen. 0 and -0 differ in division, in stores to floats and in prints; they are the
 * same to comparisons, indices and integers. An integer variable whose -0 nobody can see is held as i32 or i64.
 */
import { hasFloats } from "../../ir/dtype.ts";
import type { Expr, Local, Stmt } from "../../ir/kir.ts";
import { paddingOperand } from "../../ir/operands.ts";
import { isPathOp, pathOperands } from "../../ir/path/operands.ts";
import type { Ranges } from "./analyse.ts";
import { ANY, hasZero, type Range } from "./range.ts";

/** The number locals whose sign of zero is seen by something. */
export function signedZeros(body: readonly Stmt[], ranges: Ranges): Set<Local> {
  const seen = new Set<Local>();
  for (let before = -1; before !== seen.size; ) {
    before = seen.size;
    list(body, seen, ranges);
  }
  return seen;
}

function list(stmts: readonly Stmt[], seen: Set<Local>, ranges: Ranges): void {
  // Backwards, so that most uses come before their definitions and two rounds are enough.
  for (let i = stmts.length - 1; i >= 0; i--) {
    const s = stmts[i] as Stmt;
    if (!ranges.reached(s)) continue;
    switch (s.kind) {
      case "let":
      case "assign":
        visit(s.value, seen.has(s.local), seen, ranges);
        break;
      case "effect":
        visit(s.value, true, seen, ranges);
        break;
      case "if":
        list(s.then, seen, ranges);
        list(s.else, seen, ranges);
        visit(s.cond, false, seen, ranges);
        break;
      case "for":
        list(s.body, seen, ranges);
        visit(s.from, seen.has(s.local), seen, ranges);
        visit(s.to, false, seen, ranges);
        break;
      case "loop":
        list(s.update, seen, ranges);
        list(s.body, seen, ranges);
        list(s.test, seen, ranges);
        visit(s.cond, false, seen, ranges);
        break;
      case "block":
        list(s.body, seen, ranges);
        break;
      default:
        break;
    }
  }
}

function visit(e: Expr, demand: boolean, seen: Set<Local>, ranges: Ranges): void {
  if (e.kind === "const") return;
  if (e.kind === "ref") {
    if (demand) seen.add(e.local);
    return;
  }
  const wants = operandDemands(e, demand, ranges);
  for (const [i, a] of e.args.entries()) visit(a, wants(i), seen, ranges);
}

type Apply = Extract<Expr, { kind: "apply" }>;
const NONE = (): boolean => false;
const ALL = (): boolean => true;

/** Whether the sign of zero of operand i is seen, when that of the result is seen or not. */
export function operandDemands(e: Apply, demand: boolean, ranges: Ranges): (i: number) => boolean {
  const of = (i: number): Range => ranges.of(e.args[i] as Expr) ?? ANY;
  switch (e.op) {
    case "add":
      return (i) => demand && of(1 - i).nz;
    case "sub":
      return (i) => demand && (i === 0 ? hasZero(of(1)) : of(0).nz);
    case "div":
      return (i) => (i === 1 ? hasZero(of(1)) : demand);
    case "mod":
      return (i) => i === 0 && demand;
    case "mul":
    case "neg":
    case "min":
    case "max":
    case "floor":
    case "ceil":
    case "trunc":
    case "round":
    case "rint":
    case "round_away":
    case "sqrt":
    case "sign":
    case "cast_scalar":
      return () => demand;
    case "select":
      return (i) => i > 0 && demand;
    case "convert":
      return () => demand && hasFloats(e.attrs["dtype"] as "f32");
    case "abs":
    case "to_int32":
    case "to_uint32":
    case "js_shl":
    case "js_shr":
    case "imul":
    case "clz32":
    case "and":
    case "or":
    case "xor":
    case "not":
    case "ceildiv":
    case "floordiv":
    case "truthy":
    case "eq":
    case "ne":
    case "lt":
    case "le":
    case "gt":
    case "ge":
    case "ptr_add":
    case "extract":
    case "slide":
    case "tail_mask":
    case "load_strided":
    case "store_strided":
    case "dma_copy":
    case "dma_copy_async":
    case "dma_gather":
    case "dma_gather_async":
    case "prefetch":
    case "flush_cache":
      return NONE;
    case "splat":
      return () => hasFloats(e.attrs["dtype"] as "f32");
    case "dma_nd":
    case "dma_nd_async": {
      const t = (e.args[0] as Expr).type;
      const float = t.kind === "ptr" && hasFloats(t.dtype);
      return (i) => i === paddingOperand(e.attrs) && float;
    }
    case "set":
    case "dma_memset":
    case "dma_memset_async": {
      const t = (e.args[0] as Expr).type;
      const float = t.kind === "ptr" && hasFloats(t.dtype);
      return (i) => i === 1 && float;
    }
    default: {
      if (!isPathOp(e.op)) return ALL;
      const table = pathOperands(e.op, e.attrs);
      return (i) => table[i]?.is === "factor";
    }
  }
}
