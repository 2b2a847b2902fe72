/**
 * Ops whose lanes cross registers by values that are known at run time only. They go through a buffer of the tile:
 *
 *   before   let %r: f32x20 = compress.f32x20 %x, %m
 *   after    store %scratch, 0 ...; store %scratch, (compress.f32x8 %x_0, %m_0)
 *            let %next: ptr<f32> = ptr_add %scratch, (active lanes of %m_0)
 *            store %next, (compress.f32x8 %x_1, %m_1) ...; let %r_0: f32x8 = load %scratch ...
 *
 * A compressed piece ends with zeros, which the next one overwrites.
 */
import { DTYPES, type DTypeName, isInt } from "../ir/dtype.ts";
import { type Apply, type Attrs, type Expr, mask, ptrType, scalar, type Type, VOID, vec } from "../ir/kir.ts";
import type { OpName } from "../ir/ops.ts";
import { TABLE_BYTES } from "./wasm/packing.ts";

/** What legalisation offers here. */
export interface Splitting {
  apply(op: OpName, args: readonly Expr[], attrs: Attrs, type: Type): Apply;
  /** Gives an expression that fits a register a name, at this place. */
  bind(e: Expr): Expr;
  /** The same for a vector of any lanes. */
  define(e: Expr): Expr;
  effect(e: Apply): void;
  scalar(e: Expr): Expr;
  /** Pieces of a vector or mask with `size` lanes, the last one shorter. */
  split(e: Expr, size: number): readonly Expr[];
  moved(p: Expr, elements: number): Expr;
  /** A buffer of the tile with this many bytes, for one op. */
  scratch(bytes: number): Expr;
}

const lanesOf = (e: Expr): number => (e.type as { lanes: number }).lanes;
const dtypeOf = (e: Expr): DTypeName => (e.type as { dtype: DTypeName }).dtype;

function buffer(s: Splitting, d: DTypeName, lanes: number): Expr {
  const bytes = s.scratch(lanes * DTYPES[d].bytes);
  return s.bind(s.apply("ptr_cast", [bytes], { dtype: d }, ptrType(d, "private")));
}
function store(s: Splitting, p: Expr, pieces: readonly Expr[], size: number): void {
  pieces.forEach((x, k) => {
    s.effect(s.apply("store", [s.moved(p, k * size), x], {}, VOID));
  });
}
function load(s: Splitting, p: Expr, d: DTypeName, lanes: number): Expr {
  return s.bind(s.apply("load", [p], { lanes }, vec(d, lanes)));
}
function loadPieces(s: Splitting, p: Expr, d: DTypeName, lanes: number, size: number): Expr[] {
  const pieces: Expr[] = [];
  for (let at = 0; at < lanes; at += size)
    pieces.push(load(s, s.moved(p, at), d, Math.min(size, lanes - at)));
  return pieces;
}
function splat(s: Splitting, d: DTypeName, lanes: number, value: number, at: number): Expr {
  const x: Expr = { kind: "const", type: scalar("i32"), value, at };
  return s.apply("splat", [x], { dtype: d, lanes }, vec(d, lanes));
}
/** The pointer, as many elements on as the mask has active lanes. */
function movedByActive(s: Splitting, p: Expr, m: Expr, bits: number): Expr {
  const lanes = lanesOf(m);
  const d: DTypeName = bits === 8 ? "i8" : bits === 16 ? "i16" : "i32";
  const ones = s.apply(
    "sel",
    [m, splat(s, d, lanes, 1, p.at), splat(s, d, lanes, 0, p.at)],
    {},
    vec(d, lanes),
  );
  const active = s.apply("radd", [ones], {}, scalar("i32"));
  return s.bind(s.apply("ptr_add", [p, active], {}, p.type));
}

export function compressPieces(s: Splitting, e: Apply, size: number): Expr[] {
  const d = dtypeOf(e);
  const lanes = lanesOf(e);
  const x = s.split(e.args[0]!, size);
  const masks = s.split(e.args[1]!, size).map((m) => s.bind(m));
  const packed = x.map((v, k) => s.bind(s.apply("compress", [v, masks[k]!], {}, v.type)));
  const p = buffer(s, d, lanes);
  const zeros = packed.map((v) => splat(s, d, lanesOf(v), 0, e.at));
  store(s, p, zeros, size);
  let next = p;
  packed.forEach((v, k) => {
    s.effect(s.apply("store", [next, v], {}, VOID));
    if (k + 1 < packed.length) next = movedByActive(s, next, masks[k]!, DTYPES[d].bits);
  });
  return loadPieces(s, p, d, lanes, size);
}

export function expandPieces(s: Splitting, e: Apply, size: number): Expr[] {
  const d = dtypeOf(e);
  const x = s.split(e.args[0]!, size).map((v) => s.bind(v));
  const masks = s.split(e.args[1]!, size).map((m) => s.bind(m));
  const p = buffer(s, d, lanesOf(e));
  store(s, p, x, size);
  let next = p;
  return masks.map((m, k) => {
    const lanes = load(s, next, d, lanesOf(m));
    if (k + 1 < masks.length) next = movedByActive(s, next, m, DTYPES[d].bits);
    return s.bind(s.apply("expand", [lanes, m], {}, lanes.type));
  });
}

export function slidePieces(s: Splitting, e: Apply, size: number): Expr[] {
  const d = dtypeOf(e);
  const lanes = lanesOf(e);
  const [x, y] = e.args.slice(0, 2).map((v) => s.split(v, size).map((a) => s.bind(a))) as [Expr[], Expr[]];
  const from = s.bind(s.scalar(e.args[2]!));
  const p = buffer(s, d, 2 * lanes);
  store(s, p, x, size);
  store(s, s.moved(p, lanes), y, size);
  return loadPieces(s, s.bind(s.apply("ptr_add", [p, from], {}, p.type)), d, lanes, size);
}

/** A small table stays in registers; a large one is gathered from memory, by indices of at least 16 bits. */
export function tablePieces(s: Splitting, e: Apply, size: number): readonly Expr[] {
  const d = dtypeOf(e);
  const [indices, ...given] = e.args as [Expr, ...Expr[]];
  const lanes = given.reduce((n, t) => n + lanesOf(t), 0);
  const { bytes, bits } = DTYPES[d];
  const tables = given.map((t) => s.split(t, size).map((v) => s.bind(v)));
  // Pieces lie end to end in their registers only where each but the last is full.
  if (tables.length === 1 && lanes * bytes <= TABLE_BYTES) {
    return s.split(indices, size).map((i) => s.apply("table", [i, ...tables.flat()], {}, vec(d, lanesOf(i))));
  }
  const p = buffer(s, d, lanes);
  let at = 0;
  for (const pieces of tables) {
    store(s, s.moved(p, at), pieces, size);
    at += pieces.reduce((n, v) => n + lanesOf(v), 0);
  }
  const own = dtypeOf(indices);
  const wide: DTypeName = bits > 8 ? own : own === "u8" ? "u16" : "i16";
  const n = lanesOf(indices);
  const t = vec(wide, n);
  const index = s.define(own === wide ? indices : s.apply("cast", [indices], { dtype: wide }, t));
  const named = s.apply(
    "and",
    [
      s.apply("ge", [index, splat(s, wide, n, 0, e.at)], {}, mask(n)),
      s.apply("lt", [index, splat(s, wide, n, lanes, e.at)], {}, mask(n)),
    ],
    {},
    mask(n),
  );
  const zero: Expr = isInt(d)
    ? splat(s, d, n, 0, e.at)
    : s.apply("vconst", [], { dtype: d, values: new Array<number>(n).fill(0) }, vec(d, n));
  return s.split(s.define(s.apply("gather", [p, index, named, zero], {}, vec(d, n))), size);
}
