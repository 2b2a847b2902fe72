/** Arithmetic on lanes. */
import { FLOATS, NUMERIC } from "../ir.ts";
import { lanewise } from "../lanewise.ts";
import type { Arithmetic1, Arithmetic2, Clip, FloatFunction, Fma, Lanewise2, Unary } from "../signatures.ts";
import { clipForm } from "./clip.ts";

const family = "arithmetic";

export const vadd = lanewise<Arithmetic2>({
  name: "vadd",
  family,
  op: "add",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  options: ["saturate", "outSign"],
  cost: "valu",
  doc: "x + y, lane by lane. Integers wrap; `saturate` clamps the exact result instead. `outSign` gives the result the same width with that sign, and lets a literal be of the opposite sign (32-bit lanes: only without `saturate`).",
  example: "S.vstore(S.vadd(S.vload(x), 1), y);",
});

export const vsub = lanewise<Arithmetic2>({
  name: "vsub",
  family,
  op: "sub",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  options: ["saturate", "outSign"],
  cost: "valu",
  doc: "x - y, lane by lane. Integers wrap, or clamp with `saturate`; `outSign` as in vadd.",
  example: "S.vstore(S.vsub(1, S.vload(x)), y);",
});

export const vmul = lanewise<Arithmetic2>({
  name: "vmul",
  family,
  op: "mul",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  options: ["saturate", "outSign"],
  cost: "vmul",
  doc: "x * y, lane by lane. Integers keep the low bits, or clamp with `saturate`; `outSign` as in vadd.",
  example: "S.vstore(S.vmul(S.vload(x), 2), y);",
});

export const vdiv = lanewise<Lanewise2>({
  name: "vdiv",
  family,
  op: "div",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  cost: "vdiv",
  doc: "x / y, lane by lane. Integers truncate towards zero; x/0 is 0 and min/-1 is max. Floats follow IEEE 754.",
  example: "S.vstore(S.vdiv(S.vload(x), 2), y);",
});

export const vmod = lanewise<Lanewise2>({
  name: "vmod",
  family,
  op: "mod",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  cost: "vdiv",
  doc: "Remainder of x / y with the sign of x. Integers: x%0 is 0. Floats: exact, as JavaScript's %.",
  example: "S.vstore(S.vmod(S.vload(x), 3), y);",
});

export const vabs = lanewise<Arithmetic1>({
  name: "vabs",
  family,
  op: "abs",
  operands: ["x"],
  dtypes: NUMERIC,
  options: ["saturate"],
  cost: "valu",
  doc: "|x|. The smallest signed integer wraps to itself, or becomes the largest with `saturate`.",
  example: "S.vstore(S.vabs(S.vload(x)), y);",
});

export const vneg = lanewise<Arithmetic1>({
  name: "vneg",
  family,
  op: "neg",
  operands: ["x"],
  dtypes: NUMERIC,
  options: ["saturate"],
  cost: "valu",
  doc: "-x. Integers wrap (unsigned too), or clamp with `saturate`.",
  example: "S.vstore(S.vneg(S.vload(x)), y);",
});

export const vsign = lanewise<Unary>({
  name: "vsign",
  family,
  op: "sign",
  operands: ["x"],
  dtypes: NUMERIC,
  cost: "valu",
  doc: "-1, 0 or 1 by the sign of x (unsigned: 0 or 1). Floats keep -0 and NaN, as Math.sign does.",
  example: "S.vstore(S.vsign(S.vload(x)), y);",
});

export const vfma = lanewise<Fma>({
  name: "vfma",
  family,
  op: "fma",
  operands: ["acc", "x", "y"],
  dtypes: FLOATS,
  cost: "vmul",
  doc: "acc + x * y: product and sum in double precision, one rounding to the dtype. Returns a new value; acc is not changed.",
  example: "S.vstore(S.vfma(S.vload(y), S.vload(x), 2), y);",
});

export const vmax = lanewise<Lanewise2>({
  name: "vmax",
  family,
  op: "max",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  cost: "valu",
  doc: "The larger of x and y (IEEE maximumNumber: a NaN loses, -0 < +0).",
  example: "S.vstore(S.vmax(S.vload(x), 0), y);",
});

export const vmin = lanewise<Lanewise2>({
  name: "vmin",
  family,
  op: "min",
  operands: ["x", "y"],
  dtypes: NUMERIC,
  cost: "valu",
  doc: "The smaller of x and y (IEEE minimumNumber: a NaN loses, -0 < +0).",
  example: "S.vstore(S.vmin(S.vload(x), 6), y);",
});

export const vclip = clipForm<Clip>({
  name: "vclip",
  family,
  doc: "min(max(x, low), high), lane by lane: with low > high the result is high. A NaN in x gives low.",
  example: "S.vstore(S.vclip(S.vload(x), 0, 6), y);",
});

export const vrint = lanewise<FloatFunction>({
  name: "vrint",
  family,
  op: "rint",
  operands: ["x"],
  dtypes: FLOATS,
  scalar: true,
  cost: "valu",
  doc: "Nearest integer, ties to even. On a number: of its f32 value.",
  example: "S.vstore(S.vrint(S.vload(x)), y);",
});
