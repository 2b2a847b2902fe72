/** Reads and writes of areas: every index is in bounds by its form. */
import { DTYPES, type DTypeName, isInt, isPacked } from "../ir/dtype.ts";
import type { Area, Maker } from "./maker.ts";
import {
  call,
  type Expr,
  expr,
  leaf,
  literal,
  NUM,
  type Stmt,
  simple,
  type Ty,
  template,
  VOID,
} from "./tree.ts";

/** The call that moves by elements, open: in a buffer with rows, `at(i)` moves by rows. */
const flat = (area: Area): string => (area.shape ? `${area.text}.at(0, ` : `${area.text}.at(`);

/** One element as a scalar. */
export function scalarAt(m: Maker, area: Area, type: Ty, depth: number): Expr {
  const tags = ["get", `get ${area.dtype}`];
  const { shape } = area;
  if (shape !== undefined && m.r.chance(0.5)) {
    const [i, j] = shape.map((extent) => m.int(0, extent - 1, depth - 1)) as [Expr, Expr];
    return expr(type, "NdBuffer.at", ...tags)`${area.text}.at(${i}, ${j}).get()`;
  }
  const index = m.int(0, area.size - 1, depth - 1);
  if (m.r.chance(0.15)) return expr(type, "Ptr.at", ...tags)`${flat(area)}${index}).get()`;
  return expr(type, ...tags)`${area.text}.get(${index})`;
}

/** A pointer into an area with `span` elements behind it. */
export function pointerTo(m: Maker, area: Area, span: number, depth: number): Expr {
  const type: Ty = { is: "ptr", dtype: area.dtype };
  const { tags = [] } = area;
  const most = area.size - span;
  if (most === 0 || m.r.chance(0.2)) return leaf(type, area.text, ...tags);
  if (isPacked(area.dtype)) {
    // A vector of 4-bit elements starts with a byte.
    return expr(type, "Ptr.at")`${flat(area)}${m.int(0, Math.floor(most / 2), depth)} * 2)`;
  }
  const { shape } = area;
  if (shape !== undefined && span <= shape[1] && m.r.chance(0.5)) {
    const [rows, columns] = shape;
    return expr(
      type,
      "NdBuffer.at",
    )`${area.text}.at(${m.int(0, rows - 1, depth)}, ${m.int(0, columns - span, depth)})`;
  }
  if (m.r.chance(0.1)) {
    const whole = Math.floor(area.size / 2);
    if (span <= whole)
      return expr(
        type,
        "view",
      )`S.view(${area.text}, [2, ${whole}]).at(${m.int(0, 1, depth)}, ${m.int(0, whole - span, depth)})`;
  }
  return expr(type, "Ptr.at", ...tags)`${flat(area)}${m.int(0, most, depth)})`;
}

/** Areas whose elements read as the dtype, by a pointer cast between integers too. */
function areasOf(m: Maker, dtype: DTypeName, least: number, write: boolean): Area[] {
  const fits = m.scope.areas.filter((a) => a.dtype === dtype && a.size >= least && (a.write || !write));
  if (!isInt(dtype) || m.r.chance(0.85)) return fits;
  const { bytes } = DTYPES[dtype];
  const cast = m.scope.areas.filter(
    (a) => isInt(a.dtype) && a.dtype !== dtype && (a.write || !write) && !a.text.includes(".as("),
  );
  for (const { shape: _, ...a } of cast) {
    const size = Math.floor((a.size * DTYPES[a.dtype].bytes) / bytes);
    // A wider element needs an aligned start only where a target asks for it; none does.
    if (size >= least) fits.push({ ...a, dtype, size, text: `${a.text}.as(${dtype})`, tags: ["as"] });
  }
  return fits;
}

const NO_OPTIONS: readonly (readonly [string, Expr])[] = [];

/** A vector (a mask for bool) loaded from some area; undefined where none has the dtype. */
export function load(m: Maker, type: Ty, dtype: DTypeName, lanes: number, depth: number): Expr | undefined {
  const { r } = m;
  const areas = areasOf(m, dtype, 1, false);
  if (areas.length === 0) return undefined;
  const area = r.pick(areas);
  if (r.chance(0.12)) return gather(m, type, area, lanes, depth);
  const lanesOption = ["lanes", literal(NUM, lanes)] as const;
  const rOption = (): readonly (readonly [string, Expr])[] =>
    r.chance(0.5)
      ? [["r", dtype === "bool" ? m.bool(depth - 1) : m.fitting(dtype, depth - 1)] as const]
      : NO_OPTIONS;
  const most = Math.floor((area.size - 1) / Math.max(1, lanes - 1));
  if (lanes <= area.size && r.chance(0.75)) {
    const stride = lanes > 1 && most > 1 && r.chance(0.15) ? r.between(2, Math.min(4, most)) : 1;
    const strided = stride > 1 ? [["stride", literal(NUM, stride)] as const] : NO_OPTIONS;
    const p = pointerTo(m, area, (lanes - 1) * stride + 1, depth - 1);
    if (stride === 1 && lanes * DTYPES[dtype].laneBits === m.registerBits && r.chance(0.4)) {
      m.pinned = true;
      return call(type, "S.vload", [p], NO_OPTIONS, "vload", `vload ${dtype}`);
    }
    if (r.chance(0.7))
      return call(type, "S.vload", [p], [lanesOption, ...strided], "vload", `vload ${dtype}`);
    const mask = ["mask", m.maskArgument(lanes, depth - 1)] as const;
    return call(
      type,
      "S.vload",
      [p],
      [mask, ...rOption(), ...strided],
      "vload",
      "vload mask",
      `vload ${dtype}`,
    );
  }
  // A tail: active lanes end with the area.
  const active = r.between(0, Math.min(lanes, area.size));
  const p = pointerTo(m, area, Math.max(1, active), depth - 1);
  const mask = call(
    { is: "mask", lanes },
    "S.tailMask",
    [m.int(0, active, depth - 1), literal(NUM, lanes)],
    [],
    "tailMask",
  );
  return call(type, "S.vload", [p], [["mask", mask], ...rOption()], "vload", "vload tail", `vload ${dtype}`);
}

/** A vector of indices within `size`, for gather and scatter. */
function indices(m: Maker, size: number, lanes: number, depth: number): Expr {
  const d = m.r.pick(["i16", "u16", "i32", "u32"] as const);
  const power = 2 ** Math.floor(Math.log2(size));
  const any = m.vec(d, lanes, depth - 1);
  if (m.r.chance(0.3))
    return call(any.type, "S.vclip", [any, literal(NUM, 0), literal(NUM, size - 1)], [], "vclip");
  return call(any.type, "S.vand", [any, literal(NUM, power - 1)], [], "vand");
}

function gather(m: Maker, type: Ty, area: Area, lanes: number, depth: number): Expr {
  const index = indices(m, area.size, lanes, depth);
  const options: (readonly [string, Expr])[] = [];
  if (m.r.chance(0.3)) {
    options.push(["mask", m.maskArgument(lanes, depth - 1)]);
    if (m.r.chance(0.5))
      options.push(["r", area.dtype === "bool" ? m.bool(depth - 1) : m.fitting(area.dtype, depth - 1)]);
  }
  const p = leaf({ is: "ptr", dtype: area.dtype }, area.text);
  return call(type, "S.vloadGather", [p, index], options, "vloadGather", `vloadGather ${area.dtype}`);
}

/** A store of some value to a writable area; undefined where there is none. */
export function store(m: Maker, depth: number): Stmt | undefined {
  const { r } = m;
  const areas = m.scope.writable();
  if (areas.length === 0) return undefined;
  const area = r.pick(areas);
  const { dtype } = area;
  if (r.chance(0.35)) return setElement(m, area, depth);
  const fits = m.lanes.filter((n) => n <= area.size);
  const lanes = r.pick(fits.length > 0 ? fits : [area.size]);
  const value = dtype === "bool" ? m.mask(lanes, depth) : m.vec(dtype, lanes, depth);
  if (r.chance(0.12)) {
    const index = indices(m, area.size, lanes, depth);
    const options = r.chance(0.3) ? [["mask", m.maskArgument(lanes, depth - 1)] as const] : [];
    const p = leaf({ is: "ptr", dtype }, area.text);
    return statement(
      "store",
      call(VOID, "S.vstoreScatter", [value, p, index], options, "vstoreScatter", `vstoreScatter ${dtype}`),
    );
  }
  const most = Math.floor((area.size - 1) / Math.max(1, lanes - 1));
  const stride = lanes > 1 && most > 1 && r.chance(0.12) ? r.between(2, Math.min(4, most)) : 1;
  const options: (readonly [string, Expr])[] = stride > 1 ? [["stride", literal(NUM, stride)]] : [];
  if (r.chance(0.25)) options.unshift(["mask", m.maskArgument(lanes, depth - 1)]);
  const p = pointerTo(m, area, (lanes - 1) * stride + 1, depth - 1);
  return statement("store", call(VOID, "S.vstore", [value, p], options, "vstore", `vstore ${dtype}`));
}

function setElement(m: Maker, area: Area, depth: number): Stmt {
  const { dtype } = area;
  const value = dtype === "bool" ? m.bool(depth) : m.num(depth);
  const tags = ["set", `set ${dtype}`];
  if (area.shape !== undefined && m.r.chance(0.5)) {
    const [i, j] = area.shape.map((extent) => m.int(0, extent - 1, depth - 1)) as [Expr, Expr];
    return statement("set", expr(VOID, "NdBuffer.at", ...tags)`${area.text}.at(${i}, ${j}).set(0, ${value})`);
  }
  return statement(
    "set",
    expr(VOID, ...tags)`${area.text}.set(${m.int(0, area.size - 1, depth - 1)}, ${value})`,
  );
}

/** An expression that stands as a statement. */
export function statement(kind: string, e: Expr): Stmt {
  return simple(kind, template(["", ""], e));
}
