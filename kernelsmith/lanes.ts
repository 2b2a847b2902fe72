/** Expressions that give vectors and masks. */
import type { DTypeName } from "../ir/dtype.ts";
import { load } from "./accesses.ts";
import { callForm } from "./forms.ts";
import { known, type Maker } from "./maker.ts";
import { call, type Expr, expr, leaf, literal, mask as maskType, NUM, type Ty, vec } from "./tree.ts";

export function vector(m: Maker, dtype: DTypeName, lanes: number, depth: number): Expr {
  const { r } = m;
  const type = vec(dtype, lanes);
  if (depth <= 0 || r.chance(0.3)) {
    const found = r.chance(0.6) ? known(m, type) : undefined;
    return (
      found ??
      (r.chance(0.8) ? load(m, type, dtype, lanes, depth) : undefined) ??
      broadcast(m, type, dtype, lanes, depth)
    );
  }
  if (r.chance(0.08))
    return expr(
      type,
      "?:",
    )`(${m.bool(depth - 1)} ? ${m.vec(dtype, lanes, depth - 1)} : ${m.vec(dtype, lanes, depth - 1)})`;
  if (lanes % 2 === 0 && r.chance(0.04)) {
    const half = (): Expr => m.vec(dtype, lanes / 2, depth - 1);
    return expr(type, "vconcat", `vconcat ${dtype}`)`S.vconcat([${half()}, ${half()}])`;
  }
  if (r.chance(0.03)) {
    const lane = m.int(0, lanes - 1, depth - 1);
    return expr(
      type,
      "Vec.with",
    )`${m.vec(dtype, lanes, depth - 1)}.with(${lane}, ${m.fitting(dtype, depth - 1)})`;
  }
  return callForm(m, type, depth) ?? m.vec(dtype, lanes, depth - 1);
}

function broadcast(m: Maker, type: Ty, dtype: DTypeName, lanes: number, depth: number): Expr {
  const x = m.fitting(dtype, depth - 1);
  const args = [x, leaf(NUM, dtype)];
  if (m.r.chance(0.15)) {
    const options = [["mask", m.maskArgument(lanes, depth - 1)] as const];
    return call(type, "S.vbcast", args, options, "vbcast", `vbcast ${dtype}`);
  }
  if (m.r.chance(0.3))
    return call(type, "S.vbcast", args, [["lanes", literal(NUM, lanes)]], "vbcast", `vbcast ${dtype}`);
  return call(type, "S.vbcast", [...args, literal(NUM, lanes)], [], "vbcast", `vbcast ${dtype}`);
}

/** `3T5F2T` of exactly this many lanes. */
function maskString(m: Maker, lanes: number): string {
  let text = "";
  for (let left = lanes; left > 0; ) {
    const n = Math.min(left, m.r.between(1, 9));
    const letter = m.r.pick(["T", "F"]);
    // After a count, letters without one would belong to its run.
    text += n === 1 && m.r.chance(0.5) && !/\d/.test(text) ? letter : `${n}${letter}`;
    left -= n;
    if (left > 0 && m.r.chance(0.2)) text += "_";
  }
  return text;
}

export function maskOf(m: Maker, lanes: number, depth: number): Expr {
  const { r } = m;
  const type = maskType(lanes);
  if (depth <= 0 || r.chance(0.3)) {
    const found = r.chance(0.6) ? known(m, type) : undefined;
    if (found !== undefined) return found;
    switch (r.below(4)) {
      case 0:
        return call(type, "S.constMask", [leaf(NUM, `"${maskString(m, lanes)}"`)], [], "constMask");
      case 1:
        return load(m, type, "bool", lanes, depth) ?? tail(m, type, lanes, depth);
      case 2: {
        const list = Array.from({ length: lanes }, () => r.chance(0.5));
        if (lanes <= 8)
          return call(type, "S.constMask", [leaf(NUM, `[${list.join(", ")}]`)], [], "constMask array");
        return tail(m, type, lanes, depth);
      }
      default:
        return tail(m, type, lanes, depth);
    }
  }
  if (r.chance(0.05)) {
    const lane = m.int(0, lanes - 1, depth - 1);
    return expr(type, "Mask.with")`${m.mask(lanes, depth - 1)}.with(${lane}, ${m.bool(depth - 1)})`;
  }
  return callForm(m, type, depth) ?? tail(m, type, lanes, depth);
}

function tail(m: Maker, type: Ty, lanes: number, depth: number): Expr {
  const n = m.r.chance(0.5) ? m.int(-1, lanes + 1, depth - 1) : m.num(depth - 1);
  return call(type, "S.tailMask", [n, literal(NUM, lanes)], [], "tailMask");
}

/** A mask as an option takes it. */
export function maskArgument(m: Maker, lanes: number, depth: number): Expr {
  const { r } = m;
  const type = maskType(lanes);
  if (r.chance(0.2)) return leaf(type, `"${maskString(m, lanes)}"`, "mask string");
  if (lanes <= 8 && r.chance(0.1))
    return leaf(type, `[${Array.from({ length: lanes }, () => r.chance(0.5)).join(", ")}]`, "mask array");
  return m.mask(lanes, depth);
}
