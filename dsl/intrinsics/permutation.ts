/** Lanes moved to fixed places: concatenation, halves, interleaving, reversal, rotation, transposition. Masks too. */
import { integer, type LaneShape, laneCount, lanesLike, options, present, underMask } from "../arguments.ts";
import { type Family, intrinsic, type OperandSpec, type Signature } from "../intrinsic.ts";
import { registerLanes, VECTORS } from "../ir.ts";
import { shapeOf, shapeText, type Value } from "../operand.ts";
import { DirectOps, LoweredOps, type Ops } from "../ops.ts";
import { HALF_PARTS, type HalfPart, partLanes, partsOf, readPart } from "../parts.ts";
import type {
  Concat,
  Interleave,
  Permute1,
  Permute2,
  Replicate,
  Rotate,
  Split,
  Transpose,
  Unzip,
} from "../signatures.ts";

const family: Family = "permutation";
const LANES = [...VECTORS, "bool"] as const;

const X: OperandSpec = { name: "x", kind: "vec", dtype: LANES };
const PART: OperandSpec = {
  name: "part",
  kind: "static",
  optional: true,
  values: (_d, n) => partsOf(HALF_PARTS, n),
  doc: '"all", or half of the lanes of each operand: "low" "high" "even" "odd"',
};
const MASKED: readonly OperandSpec[] = [
  { name: "mask", kind: "mask", optional: true, doc: "active lanes of the result" },
  {
    name: "r",
    kind: "vec|scalar",
    dtype: "x",
    optional: true,
    doc: "inactive lanes; 0 or false when absent",
  },
];

/** A vector or a mask, whose lanes are of dtype bool. */
export function lanesArgument(ops: Ops, v: unknown, what: string, argument: number): LaneShape {
  present(ops, v, what, argument);
  const s = shapeOf(v);
  if (s.is === "vec") return s;
  if (s.is === "mask") return { dtype: "bool", lanes: s.lanes };
  return ops.refuse("KPU3001", `${ops.name}: ${what} must be a vector or a mask, got ${shapeText(s)}`, {
    argument,
  });
}

type Run = (ops: Ops, a: unknown, b: unknown, c: unknown, d: unknown) => Value | Value[];

/** A record whose meaning is one text for both executions. */
function permutation<F extends (...args: never[]) => unknown>(
  name: string,
  signature: Signature,
  doc: string,
  example: string,
  run: Run,
): F {
  return intrinsic<F>({
    ...{ name, family, signature, effect: "pure", cost: "vperm", doc, example },
    simulate: (sim, a: unknown, b: unknown, c: unknown, d: unknown) =>
      run(new DirectOps(sim, name), a, b, c, d),
    lower: (b, x: unknown, y: unknown, z: unknown, w: unknown) => run(new LoweredOps(b, name), x, y, z, w),
  });
}

function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
function pick(ops: Ops, sources: readonly unknown[], lanes: readonly number[]): Value {
  return ops.op("shuffle", sources as Value[], { lanes });
}

/** The elements of a list: vectors or masks of one dtype, or scalars, which broadcast to the lanes of the first vector. */
export function listOf(ops: Ops, list: unknown, what: string): { values: Value[]; shapes: LaneShape[] } {
  present(ops, list, what, 0);
  if (!Array.isArray(list) || list.length === 0)
    return ops.refuse("KPU3001", `${ops.name}: ${what} must be an array of vectors`, { argument: 0 });
  const first = list.find((v) => shapeOf(v).is === "vec" || shapeOf(v).is === "mask");
  const like = lanesArgument(ops, first ?? list[0], `${what}[0]`, 0);
  const shapes = list.map((v): LaneShape => {
    const s = shapeOf(v);
    return s.is === "vec" || s.is === "mask" ? { ...like, lanes: s.lanes } : like;
  });
  const values = list.map((v, i) => lanesLike(ops, v, shapes[i] as LaneShape, `${what}[${i}]`, 0));
  return { values, shapes };
}

export const vconcat = permutation<Concat>(
  "vconcat",
  {
    operands: [{ name: "list", kind: "list", dtype: LANES, doc: "or of masks" }],
    options: [PART],
    result: "vec of the sum of the lanes",
  },
  "The lanes of the vectors (or masks) of a list end to end. They have one dtype and any lane counts; a scalar among them counts as a vector of the first one's lanes. `part` takes half of the lanes of each, whose count must then be even.",
  "const v = S.vconcat([S.vload(x), S.vload(x.at(8))], { part: 'even' }); S.vstore(v, y);",
  (ops, list, given) => {
    const o = options(ops, given, ["part"], 1);
    const part = readPart(ops, o, HALF_PARTS, 1);
    const { values, shapes } = listOf(ops, list, "list");
    let first = 0;
    const lanes = shapes.flatMap((s) => {
      const start = first;
      first += s.lanes;
      return partLanes(ops, part, s.lanes, 0).map((l) => start + l);
    });
    laneCount(ops, lanes.length, 0);
    return pick(ops, values, lanes);
  },
);

export const vsplit = permutation<Split>(
  "vsplit",
  {
    operands: [
      X,
      {
        name: "parts",
        kind: "static",
        optional: true,
        values: (_d, n) => count(n + 1).filter((k) => k > 0 && n % k === 0),
        doc: "how many; registers when absent",
      },
    ],
    result: "array of vecs of x",
  },
  "An array of parts of x (a vector or mask), low lanes first. `parts` must divide the lane count; when absent each part is one register of the target, and the last one is shorter where the lanes run out. S.vconcat is the inverse.",
  "const [low, high] = S.vsplit(S.vload(x, { lanes: 16 }), 2); S.vstore(S.vadd(low, high), y);",
  (ops, x, parts) => {
    const like = lanesArgument(ops, x, "x", 0);
    let size: number;
    if (parts === undefined) size = registerLanes(ops.target, like.dtype);
    else {
      const n = laneCount(ops, parts, 1);
      if (like.lanes % n !== 0) {
        ops.refuse("KPU3010", `${ops.name}: parts must divide the lane count ${like.lanes}, got ${n}`, {
          argument: 1,
        });
      }
      size = like.lanes / n;
    }
    return count(Math.ceil(like.lanes / size)).map((k) =>
      pick(
        ops,
        [x],
        count(Math.min(size, like.lanes - k * size)).map((i) => k * size + i),
      ),
    );
  },
);

export const vzip = permutation<Interleave>(
  "vzip",
  {
    operands: [X, { name: "y", kind: "vec|scalar", dtype: "x" }],
    options: [PART],
    result: "vec of x, twice the lanes (with part: as many)",
  },
  "Interleaves two vectors (or masks): x0, y0, x1, y1, ... `part` takes half of the lanes of each, whose count must then be even: the result has as many lanes as x.",
  "S.vstore(S.vzip(S.vload(x), 0), y);",
  (ops, x, y, given) => {
    const like = lanesArgument(ops, x, "x", 0);
    const other = lanesLike(ops, y, like, "y", 1);
    const part = readPart(ops, options(ops, given, ["part"], 2), HALF_PARTS, 2);
    const lanes = partLanes(ops, part, like.lanes, 0);
    laneCount(ops, 2 * lanes.length, 0);
    return pick(
      ops,
      [x, other],
      lanes.flatMap((l) => [l, like.lanes + l]),
    );
  },
);

export const vunzip = permutation<Unzip>(
  "vunzip",
  {
    operands: [X],
    widths: { multipleOf: 2 },
    result: "array of two vecs of x, half the lanes",
  },
  "The inverse of S.vzip: [the even lanes, the odd lanes] of a vector or mask with an even lane count.",
  "const [re, im] = S.vunzip(S.vload(x, { lanes: 16 })); S.vstore(S.vadd(re, im), y);",
  (ops, x) => {
    const like = lanesArgument(ops, x, "x", 0);
    return (["even", "odd"] as const).map((part: HalfPart) =>
      pick(ops, [x], partLanes(ops, part, like.lanes, 0)),
    );
  },
);

export const vrevs = permutation<Permute1>(
  "vrevs",
  { operands: [X], options: MASKED, result: "vec of x" },
  "The lanes of a vector or mask in reverse order.",
  "S.vstore(S.vrevs(S.vload(x)), y);",
  (ops, x, given) => {
    const like = lanesArgument(ops, x, "x", 0);
    const o = options(ops, given, ["mask", "r"], 1);
    return underMask(ops, o, pick(ops, [x], count(like.lanes).reverse()), like, 1);
  },
);

/**
 * Lanes that move by what is known at run time go through memory, where each must have its own bytes: masks and 4-bit elements
 * are made bytes for `move`, and its result is made lanes of their kind again.
 */
export function throughBytes(ops: Ops, x: Value, like: LaneShape, move: (lanes: Value) => Value): Value {
  const { dtype } = like;
  if (dtype === "i4" || dtype === "u4") {
    const bytes = ops.op("cast", [x], { dtype: dtype === "i4" ? "i8" : "u8" });
    return ops.op("cast", [move(bytes)], { dtype });
  }
  if (dtype !== "bool") return move(x);
  const all = (v: number): Value => ops.op("splat", [v], { dtype: "u8", lanes: like.lanes });
  return ops.op("ne", [move(ops.op("sel", [x, all(1), all(0)])), all(0)]);
}

export const vshfl = permutation<Rotate>(
  "vshfl",
  {
    operands: [
      X,
      {
        name: "shift",
        kind: "scalar",
        values: (_d, n) => [0, 1, n - 1, n, n + 3, -1, -n - 2],
        doc: "an integer",
      },
    ],
    options: MASKED,
    result: "vec of x",
  },
  "Rotates the lanes of a vector or mask down: lane i of the result is lane (i + shift) modulo the lane count of x, so that a negative shift rotates up. The shift may be a run-time number.",
  "S.vstore(S.vshfl(S.vload(x), 3), y);",
  (ops, x, shift, given) => {
    const like = lanesArgument(ops, x, "x", 0);
    integer(ops, shift, "shift", 1);
    const o = options(ops, given, ["mask", "r"], 2);
    const n = like.lanes;
    const s = shapeOf(shift);
    if (s.is === "number" && s.value !== undefined) {
      const by = ((s.value % n) + n) % n;
      return underMask(
        ops,
        o,
        pick(
          ops,
          [x],
          count(n).map((i) => (i + by) % n),
        ),
        like,
        2,
      );
    }
    const inside = ops.op("mod", [ops.number(shift as Value), ops.number(n)]);
    const by = ops.op("mod", [ops.op("add", [inside, ops.number(n)]), ops.number(n)]);
    const rotated = throughBytes(ops, x as Value, like, (v) => ops.op("slide", [v, v, by]));
    return underMask(ops, o, rotated, like, 2);
  },
);

export const vsldl = permutation<Permute2>(
  "vsldl",
  {
    operands: [
      X,
      { name: "y", kind: "vec|scalar", dtype: "x" },
      { name: "shift", kind: "static", values: (_d, n) => count(n + 1), doc: "0 to the lane count" },
    ],
    options: MASKED,
    result: "vec of x",
  },
  "A window of two vectors (or masks) laid end to end: as many lanes as x has, from lane `shift` of x on, then those of y. The shift is static, 0 (x) to the lane count (y).",
  "S.vstore(S.vsldl(S.vload(x), S.vload(x.at(8)), 3), y);",
  (ops, x, y, shift, given) => {
    const like = lanesArgument(ops, x, "x", 0);
    const other = lanesLike(ops, y, like, "y", 1);
    const by = staticLane(ops, shift, "shift", 2, like.lanes + 1);
    const o = options(ops, given, ["mask", "r"], 3);
    const lanes = count(like.lanes).map((i) => i + by);
    return underMask(ops, o, pick(ops, [x, other], lanes), like, 3);
  },
);

/** A static lane number below `limit`. */
function staticLane(ops: Ops, v: unknown, what: string, argument: number, limit: number): number {
  present(ops, v, what, argument);
  const s = shapeOf(v);
  if (s.is === "number" && s.value === undefined)
    return ops.refuse("KPU2007", `${ops.name}: ${what} must be static`, { argument });
  integer(ops, v, what, argument);
  const value = v as number;
  if (value >= 0 && value < limit) return value;
  return ops.refuse("KPU4001", `${ops.name}: ${what} must be 0 to ${limit - 1}, got ${value}`, { argument });
}

export const vreplic = permutation<Replicate>(
  "vreplic",
  {
    operands: [
      X,
      {
        name: "index",
        kind: "scalar",
        optional: true,
        values: (_d, n) => [0, n >> 1, n - 1],
        doc: "a lane of x; 0 when absent",
      },
    ],
    options: MASKED,
    result: "vec of x",
  },
  "One lane of a vector or mask in every lane. The index may be a run-time number; one that is no lane of x is an error (KPU4001).",
  "S.vstore(S.vreplic(S.vload(x), 5), y);",
  (ops, x, index = 0, given) => {
    const like = lanesArgument(ops, x, "x", 0);
    integer(ops, index, "index", 1);
    const o = options(ops, given, ["mask", "r"], 2);
    const s = shapeOf(index);
    if (s.is === "number" && s.value !== undefined) {
      const at = staticLane(ops, index, "index", 1, like.lanes);
      return underMask(ops, o, pick(ops, [x], new Array<number>(like.lanes).fill(at)), like, 2);
    }
    const lane = ops.op("extract", [x as Value, ops.number(index as Value)]);
    const value = like.dtype === "bool" ? lane : ops.number(lane);
    const all = ops.op("splat", [value], { dtype: like.dtype, lanes: like.lanes });
    return underMask(ops, o, all, like, 2);
  },
);

export const vtranspose = permutation<Transpose>(
  "vtranspose",
  {
    operands: [
      X,
      {
        name: "rows",
        kind: "static",
        values: (_d, n) => count(n + 1).filter((k) => k > 0 && n % k === 0),
        doc: "rows of the matrix that the lanes are, row by row",
      },
    ],
    result: "vec of x",
  },
  "Transposes the matrix whose rows are laid end to end in the lanes of x (a vector or mask): lane r * columns + c of x becomes lane c * rows + r. `rows` is static and divides the lane count.",
  "S.vstore(S.vtranspose(S.vload(x), 2), y);",
  (ops, x, rows) => {
    const like = lanesArgument(ops, x, "x", 0);
    const n = laneCount(ops, rows, 1);
    if (like.lanes % n !== 0) {
      ops.refuse("KPU3010", `${ops.name}: rows must divide the lane count ${like.lanes}, got ${n}`, {
        argument: 1,
      });
    }
    const columns = like.lanes / n;
    return pick(
      ops,
      [x],
      count(like.lanes).map((i) => (i % n) * columns + Math.floor(i / n)),
    );
  },
);
