/** Lanes moved by masks and indices: compression, its inverse, table look-up. */
import { lanesLike, maskOf, type Options, options, present, underMask, vector } from "../arguments.ts";
import { type Family, intrinsic, type OperandSpec, type Signature } from "../intrinsic.ts";
import { DTYPES, type DTypeName, INTS, VECTORS } from "../ir.ts";
import type { Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops, tailMaskOf } from "../ops.ts";
import type { Pack, PackBeside, TableLookUp } from "../signatures.ts";
import { Mask, Vec } from "../values.ts";
import { lanesArgument, listOf, throughBytes } from "./permutation.ts";

const family: Family = "permutation";
const LANES = [...VECTORS, "bool"] as const;
const X: OperandSpec = { name: "x", kind: "vec", dtype: LANES };
const Y: OperandSpec = { name: "y", kind: "vec|scalar", dtype: "x" };
const MASK: OperandSpec = { name: "mask", kind: "mask" };
const R: OperandSpec = { name: "r", kind: "vec|scalar", dtype: "x", optional: true };

/** A mask known now makes it a fixed choice of lanes. */
function move(ops: Ops, op: "compress" | "expand", x: Value, m: Value): Value {
  if (m instanceof Mask) return ops.op("shuffle", [x], { lanes: op === "compress" ? sources(m) : places(m) });
  const like = lanesArgument(ops, x, "x", 0);
  return throughBytes(ops, x, like, (lanes) => ops.op(op, [lanes, m]));
}
/** Active lanes in order, then none. */
function sources(m: Mask): number[] {
  const active = m.data.flatMap((on, i) => (on ? [i] : []));
  return m.data.map((_, i) => active[i] ?? -1);
}
/** In each active lane, how many are active below. */
function places(m: Mask): number[] {
  let next = 0;
  return m.data.map((on) => (on ? next++ : -1));
}

/** The mask of as many first lanes as `m` has active ones. */
function first(ops: Ops, m: Value, lanes: number): Value {
  if (m instanceof Mask)
    return tailMaskOf(
      m.data.reduce((n, on) => n + on, 0),
      lanes,
    );
  const all = (v: number): Value => ops.op("splat", [v], { dtype: "i16", lanes });
  return ops.op("tail_mask", [ops.number(ops.op("radd", [ops.op("sel", [m, all(1), all(0)])]))], { lanes });
}

function pack(ops: Ops, op: "compress" | "expand", x: unknown, mask: unknown, given: unknown): Value {
  const like = lanesArgument(ops, x, "x", 0);
  present(ops, mask, "mask", 1);
  const m = maskOf(ops, mask, like.lanes, 1);
  const o: Options = options(ops, given, ["r"], 2);
  const moved = move(ops, op, x as Value, m);
  if (o["r"] === undefined) return moved;
  const r = lanesLike(ops, o["r"], like, "r", 2);
  return ops.op("sel", [op === "compress" ? first(ops, m, like.lanes) : m, moved, r]);
}

function packBeside(ops: Ops, x: unknown, y: unknown, mask: unknown): Value {
  const like = lanesArgument(ops, x, "x", 0);
  const other = lanesLike(ops, y, like, "y", 1);
  present(ops, mask, "mask", 2);
  const m = maskOf(ops, mask, like.lanes, 2);
  const front = first(ops, m, like.lanes);
  const rest = front instanceof Mask ? new Mask(front.data.map((on) => 1 - on)) : ops.op("not", [front]);
  return ops.op("sel", [front, move(ops, "compress", x as Value, m), move(ops, "expand", other, rest)]);
}

/** Indices are as wide as the lanes of the table. */
function indexDTypes(d: DTypeName): (typeof INTS)[number][] {
  return INTS.filter((i) => DTYPES[i].laneBits === DTYPES[d].laneBits);
}

function lookUp(ops: Ops, table: unknown, indices: unknown, given: unknown): Value {
  const { values, shapes } = listOf(ops, Array.isArray(table) ? table : [table], "table");
  const d = (shapes[0] as { dtype: DTypeName }).dtype;
  if (d === "bool") return ops.refuse("KPU3001", `${ops.name} is not defined for masks`, { argument: 0 });
  const wanted = indexDTypes(d);
  const index = vector(ops, indices, "indices", 1);
  if (!wanted.some((i) => i === index.dtype)) {
    ops.refuse(
      "KPU3001",
      `${ops.name}: indices of a table of ${d} must be ${wanted.join(" or ")}, got ${index.dtype}`,
      {
        argument: 1,
        help: `convert them: S.cast(indices, ${wanted[0]}, { saturate: true })`,
      },
    );
  }
  const o = options(ops, given, ["mask", "r"], 2);
  const total = shapes.reduce((n, s) => n + s.lanes, 0);
  const like = { dtype: d, lanes: index.lanes };
  if (indices instanceof Vec) {
    const lanes = indices.data.map((i) => (i >= 0 && i < total ? i : -1));
    return underMask(ops, o, ops.op("shuffle", values, { lanes }), like, 2);
  }
  const [one] = values as [Value];
  const all =
    values.length === 1
      ? one
      : ops.op("shuffle", values, { lanes: Array.from({ length: total }, (_, i) => i) });
  const found = throughBytes(ops, all, like, (lanes) => ops.op("table", [indices as Value, lanes]));
  return underMask(ops, o, found, like, 2);
}

type Run = (ops: Ops, a: unknown, b: unknown, c: unknown) => Value;

function packing<F extends (...args: never[]) => unknown>(
  name: string,
  signature: Signature,
  doc: string,
  example: string,
  run: Run,
): F {
  return intrinsic<F>({
    ...{ name, family, signature, effect: "pure", cost: "vperm", doc, example },
    simulate: (sim, a: unknown, b: unknown, c: unknown) => run(new DirectOps(sim, name), a, b, c),
    lower: (b, x: unknown, y: unknown, z: unknown) => run(new LoweredOps(b, name), x, y, z),
  });
}

export const vcompt = packing<Pack>(
  "vcompt",
  {
    operands: [X, MASK],
    options: [{ ...R, doc: "the lanes behind the active ones, in place; 0 or false when absent" }],
    result: "vec of x",
  },
  "Compresses: the active lanes of x (a vector or mask) to the front, in order. The lanes behind them are those of `r` in the same place, else 0 or false. S.vexpand is the inverse.",
  "S.vstore(S.vcompt(S.vload(x), S.vcgt(S.vload(x), 0)), y);",
  (ops, x, mask, given) => pack(ops, "compress", x, mask, given),
);

export const vcompc = packing<PackBeside>(
  "vcompc",
  { operands: [X, Y, MASK], result: "vec of x" },
  "Compresses and continues: the active lanes of x to the front, in order, then the first lanes of y. Works on masks too.",
  "S.vstore(S.vcompc(S.vload(x), S.vload(x.at(8)), S.vcgt(S.vload(x), 0)), y);",
  (ops, x, y, mask) => packBeside(ops, x, y, mask),
);

export const vexpand = packing<Pack>(
  "vexpand",
  {
    operands: [X, MASK],
    options: [{ ...R, doc: "inactive lanes; 0 or false when absent" }],
    result: "vec of x",
  },
  "The inverse of S.vcompt: the first lanes of x (a vector or mask) to the active lanes, in order. Inactive lanes are `r`, else 0 or false.",
  "S.vstore(S.vexpand(S.vload(x), S.vcgt(S.vload(x), 0), { r: -1 }), y);",
  (ops, x, mask, given) => pack(ops, "expand", x, mask, given),
);

export const vtbl = packing<TableLookUp>(
  "vtbl",
  {
    operands: [
      {
        name: "table",
        kind: "vec",
        dtype: VECTORS,
        doc: "a vector, or an array of vectors that lie end to end",
      },
      {
        name: "indices",
        kind: "vec",
        dtype: Object.fromEntries(VECTORS.map((d) => [d, indexDTypes(d)])),
        values: (d, n) =>
          [...new Set([0, 1, n >> 1, n - 1, n, n + 1, 100])].filter((i) => DTYPES[d].laneBits > 8 || i < 128),
        doc: "integers as wide as the table's lanes: i8 or u8 for i4, u4 and the 8-bit floats",
      },
    ],
    options: [
      { name: "mask", kind: "mask", optional: true, doc: "active lanes of the result" },
      { ...R, dtype: "table", doc: "inactive lanes; 0 when absent" },
    ],
    result: "vec of table, as many lanes as indices",
  },
  "Looks each index up in a table, whose lanes are numbered through all its vectors: the result has the lanes of the indices. An index that names no lane (a negative one too) gives 0. Scalars in the list of tables count as vectors of the first one's lanes.",
  "S.vstore(S.vtbl([S.vload(i), S.vload(i.at(8))], S.vand(S.vload(i), 15)), j);",
  lookUp,
);
