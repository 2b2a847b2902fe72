/**
 * A mask has no lane width of its own. Which width suits each mask local best: that of the vectors it comes from and
 * works on, the most frequent one, the wider of two.
 */
import { DTYPES, type DTypeName } from "../ir/dtype.ts";
import type { Apply, Expr, Kernel, Local } from "../ir/kir.ts";
import { OPS } from "../ir/ops.ts";
import { forEachExpr, forEachStmt } from "../ir/walk.ts";

export type LaneBits = 8 | 16 | 32;

/** Lane bits of the masks that have an opinion; others may have any. */
export function maskWidths(k: Pick<Kernel, "body">): Map<Local, LaneBits> {
  const votes = new Map<Local, { 8: number; 16: number; 32: number }>();
  const vote = (l: Local, bits: LaneBits): void => {
    const v = votes.get(l) ?? { 8: 0, 16: 0, 32: 0 };
    v[bits]++;
    votes.set(l, v);
  };
  forEachStmt(k.body, (s) => {
    if ((s.kind !== "let" && s.kind !== "assign") || s.local.type.kind !== "mask") return;
    const bits = producedBits(s.value);
    if (bits !== undefined) vote(s.local, bits);
  });
  forEachExpr(k.body, (e) => {
    if (e.kind !== "apply") return;
    const m = usedMask(e);
    if (m?.mask?.kind === "ref") vote(m.mask.local, m.bits);
  });
  const widths = new Map<Local, LaneBits>();
  for (const [l, v] of votes) {
    const most = Math.max(v[8], v[16], v[32]);
    widths.set(l, v[32] === most ? 32 : v[16] === most ? 16 : 8);
  }
  return widths;
}

function bitsOf(d: DTypeName): LaneBits {
  return DTYPES[d].laneBits;
}

/** The mask operand of an op and the lane width of the vectors it governs. */
function usedMask(e: Apply): { mask: Expr | undefined; bits: LaneBits } | undefined {
  const p = e.args[0];
  switch (e.op) {
    case "sel":
      return e.type.kind === "vec" ? { mask: e.args[0], bits: bitsOf(e.type.dtype) } : undefined;
    case "compress":
    case "expand":
      return e.type.kind === "vec" ? { mask: e.args[1], bits: bitsOf(e.type.dtype) } : undefined;
    case "load_masked":
    case "store_masked":
    case "load_strided":
    case "store_strided":
    case "gather":
    case "scatter": {
      if (p?.type.kind !== "ptr") return undefined;
      const mask = e.args.find(
        (a, i) => i > 0 && a.type.kind === "mask" && (p.type as { dtype: string }).dtype !== "bool",
      );
      return { mask, bits: bitsOf(p.type.dtype) };
    }
    default:
      return undefined;
  }
}

function producedBits(e: Expr): LaneBits | undefined {
  if (e.kind !== "apply") return undefined;
  if (OPS[e.op].effect === "read") return 8;
  for (const a of e.args) {
    if (a.type.kind === "vec") return bitsOf(a.type.dtype);
    const bits = a.type.kind === "mask" ? producedBits(a) : undefined;
    if (bits !== undefined) return bits;
  }
  return undefined;
}
