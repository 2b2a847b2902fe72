/** Shift right and narrow, in place: each narrow lane stays where its wide lane was, the rest of the wide lane is 0. */
import { oppositeSign } from "../../ir/dtype.ts";
import {
  flag,
  inactive,
  type LaneShape,
  lanesLike,
  maskOf,
  noMask,
  type Options,
  options,
  vector,
} from "../arguments.ts";
import { intrinsic, type OperandSpec } from "../intrinsic.ts";
import { type Attrs, DTYPES, type DTypeName, isInt } from "../ir.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import type { NarrowShift, RoundingNarrowShift } from "../signatures.ts";

const WIDE: readonly DTypeName[] = ["i16", "u16", "i32", "u32"];
const COMMON = ["toH", "outSign", "mask", "r"];
const ALL = ["saturate", "withRound", ...COMMON];

/** The dtype of the narrow lanes: 8 bits, with `toH` 16; signed as x unless `outSign` says otherwise. */
function narrowDType(ops: Ops, o: Options, from: DTypeName): DTypeName {
  const { bits, signed } = DTYPES[from];
  const toH = flag(ops, o, "toH", 2);
  if (toH && bits === 16) {
    ops.refuse("KPU3004", `${ops.name}: toH narrows 32-bit lanes to 16 bits, x is ${from}`, {
      argument: 2,
      help: "leave toH away: 16-bit lanes narrow to 8 bits",
    });
  }
  const sign = o["outSign"];
  if (sign !== undefined && sign !== "signed" && sign !== "unsigned")
    ops.refuse("KPU3004", `${ops.name}: outSign must be "signed" or "unsigned"`, { argument: 2 });
  const own = `${signed ? "i" : "u"}${toH ? 16 : 8}` as DTypeName;
  return sign === undefined || signed === (sign === "signed") || !isInt(own) ? own : oppositeSign(own);
}

function shiftNarrow(ops: Ops, known: readonly string[], x: unknown, amount: unknown, given: unknown): Value {
  const wide = vector(ops, x, "x", 0, WIDE);
  const o = options(ops, given, known, 2);
  const to = narrowDType(ops, o, wide.dtype);
  const rounds = known === COMMON;
  const round = rounds || flag(ops, o, "withRound", 2);
  const saturate = rounds || flag(ops, o, "saturate", 2);
  const by = lanesLike(ops, amount, wide, "amount", 1);
  const shifted = ops.op("shr", [x as Value, by], round ? { round } : {});
  const attrs: Attrs = { dtype: to, ...(saturate ? { saturate } : {}) };
  const narrow = masked(ops, o, ops.op("cast", [shifted], attrs), { dtype: to, lanes: wide.lanes });
  const step = DTYPES[wide.dtype].bits / DTYPES[to].bits;
  return ops.op("shuffle", [narrow], {
    lanes: Array.from({ length: wide.lanes * step }, (_, i) => (i % step === 0 ? i / step : -1)),
  });
}

function masked(ops: Ops, o: Options, narrow: Value, like: LaneShape): Value {
  if (o["mask"] === undefined) {
    noMask(ops, o, 2);
    return narrow;
  }
  return ops.op("sel", [maskOf(ops, o["mask"], like.lanes, 2), narrow, inactive(ops, o, like, 2)]);
}

const FLAGS: readonly unknown[] = [true, false];
const OPTIONS: { readonly [name: string]: OperandSpec } = {
  toH: {
    name: "toH",
    kind: "static",
    optional: true,
    values: (d) => (DTYPES[d].bits === 32 ? FLAGS : [false]),
    doc: "32-bit x only: narrow to 16 bits (a half word) instead of 8",
  },
  outSign: {
    name: "outSign",
    kind: "static",
    optional: true,
    values: ["signed", "unsigned"],
    doc: '"signed" or "unsigned" result; that of x when absent',
  },
  saturate: {
    name: "saturate",
    kind: "static",
    optional: true,
    values: FLAGS,
    doc: "clamp the shifted value to the narrow dtype instead of keeping its low bits",
  },
  withRound: { name: "withRound", kind: "static", optional: true, values: FLAGS, doc: "round half to even" },
  mask: { name: "mask", kind: "mask", lanes: (n) => n, optional: true, doc: "active lanes of x" },
  r: {
    name: "r",
    kind: "vec|scalar",
    dtype: "result",
    lanes: (n) => n,
    optional: true,
    doc: "the narrow lanes of inactive lanes, as many as x has; 0 when absent",
  },
};

function narrowing<F extends (...args: never[]) => unknown>(
  name: string,
  known: readonly string[],
  doc: string,
  example: string,
): F {
  return intrinsic<F>({
    name,
    family: "bitwise",
    signature: {
      operands: [
        { name: "x", kind: "vec", dtype: WIDE },
        { name: "amount", kind: "vec|scalar", dtype: "x" },
      ],
      options: known.map((k) => OPTIONS[k] as OperandSpec),
      result: "vec of the narrow dtype, 2 or 4 lanes for each of x",
    },
    effect: "pure",
    cost: "valu",
    doc,
    example,
    simulate: (sim, x: unknown, amount: unknown, o?: unknown) =>
      shiftNarrow(new DirectOps(sim, name), known, x, amount, o),
    lower: (b, x: unknown, amount: unknown, o?: unknown) =>
      shiftNarrow(new LoweredOps(b, name), known, x, amount, o),
  });
}

const PLACE =
  "Lanes of 16 bits narrow to 8, lanes of 32 bits to 8 or, with `toH`, to 16. The narrow lane stays in place: lane i of x is lane 2i of the result (4i from 32 to 8 bits) and the lanes between are 0; S.vcompt packs them. The amount is taken as unsigned; at or above the width it shifts everything out.";

export const vnsr = narrowing<NarrowShift>(
  "vnsr",
  ALL,
  `Shift right and narrow. ${PLACE} Signed x shifts arithmetically. The low bits are kept (\`saturate\`: clamped), bits shifted out are dropped (\`withRound\`: half to even).`,
  "S.vstore(S.cast(S.vnsr(S.vload(i), 2), i32), j);",
);
export const vnsrsr = narrowing<RoundingNarrowShift>(
  "vnsrsr",
  COMMON,
  `Shift right and narrow with rounding (half to even) and saturation to the narrow dtype. ${PLACE}`,
  "S.vstore(S.cast(S.vnsrsr(S.vload(i), 2, { toH: true }), i32), j);",
);
