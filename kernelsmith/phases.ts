/**
 * The plan of a kernel: its memory, and who may touch what between two barriers. Every buffer that tiles share is cut
 * into one part per tile; in each phase a tile either owns one part (which one turns from phase to phase) or all parts are
 * read only. That is enough for freedom from races whatever the statements do.
 */

import { storeRule } from "../ir/convert.ts";
import {
  ALL_DTYPES,
  DTYPES,
  type DTypeName,
  hasIntegers,
  isPacked,
  isStorage,
  type Scope,
} from "../ir/dtype.ts";
import { edgeValues } from "../ir/edges.ts";
import type { Random } from "../ir/random.ts";
import { statement } from "./accesses.ts";
import type { Area, Maker } from "./maker.ts";
import { untilBarrier } from "./transfers.ts";
import { call, leaf, literal, NUM, type Param, type Stmt, simple, template, VOID } from "./tree.ts";

export interface Shared {
  readonly name: string;
  readonly dtype: DTypeName;
  /** Elements of one tile's part. */
  readonly size: number;
  readonly constant: boolean;
}

/** Interesting and ordinary numbers of a dtype. */
export function someValues(r: Random, d: DTypeName, count: number): number[] {
  const edges = edgeValues(d);
  const { min, max } = DTYPES[d];
  const flavour = r.below(4);
  return Array.from({ length: count }, (_, i) => {
    if (r.chance(flavour === 0 ? 0.8 : 0.25)) return r.pick(edges);
    if (d === "bool") return r.below(2);
    if (hasIntegers(d))
      return flavour === 1
        ? Math.min(max, i)
        : r.chance(0.5)
          ? Math.max(min, r.between(-16, 16))
          : r.between(min, max);
    const x = flavour === 1 ? i : (r.next() - 0.5) * r.pick([2, 16, 300, 1e5, 1e-3]);
    return storeRule(d)(x);
  });
}

/** One dtype of every kind more often than two of one kind; those of `more` for sure. */
export function someDTypes(r: Random, more: readonly DTypeName[]): DTypeName[] {
  const count = r.weighted([2, 1], [4, 2], [3, 3], [1, 4]);
  const list = [...new Set([...more, ...r.shuffled(ALL_DTYPES).slice(0, count)])];
  return list.some((d) => d !== "bool" && !isStorage(d)) ? list : [...list, r.pick(["f32", "i8", "i32"])];
}

export function someLanes(r: Random): number[] {
  const usual = r.pick([4, 8, 16, 32]);
  const odd = r.pick([1, 2, 3, 5, 7, 11, 13, 24, 33, 64]);
  return r.chance(0.4) ? [usual] : r.chance(0.6) ? [usual, usual * 2 > 64 ? 16 : usual * 2] : [usual, odd];
}

/** Pointer parameters cut into parts, scalars, and their values. */
export function parameters(m: Maker, size: number): { params: Param[]; shared: Shared[] } {
  const { r, dtypes, tiles } = m;
  const params: Param[] = [];
  const shared: Shared[] = [];
  const count = r.between(2, 4);
  for (let i = 0; i < count; i++) {
    const dtype = i < dtypes.length ? (dtypes[i] as DTypeName) : r.pick(dtypes);
    const name = "xyzw"[i] as string;
    const constant = i > 0 && r.chance(0.25);
    params.push({ name, dtype, pointer: true, constant, values: someValues(r, dtype, size * tiles) });
    shared.push({ name, dtype, size, constant });
  }
  for (const dtype of r
    .shuffled<DTypeName>(["i32", "f32", "bool", "u8", "i16", "f16"])
    .slice(0, r.between(0, 3))) {
    const name = m.fresh("s");
    const [value] = someValues(r, dtype, 1) as [number];
    params.push({ name, dtype, pointer: false, constant: false, values: [value] });
  }
  return { params, shared };
}

/** A buffer that the kernel allocates, and the statement that does. */
export function allocation(
  m: Maker,
  scope: Scope,
  size: number,
): { shared: Shared; make: Stmt; shape: Area["shape"] } {
  const { r } = m;
  const dtype = r.pick(m.dtypes);
  const name = m.fresh("t");
  const common = scope === "l3" || scope === "global";
  const total = common ? size * m.tiles : size;
  const rows = !common && size >= 4 && r.chance(0.4) ? r.pick([2, 4]) : 1;
  const shape = rows > 1 ? ([rows, size / rows] as const) : undefined;
  const extents = shape ? `[${shape.join(", ")}]` : String(total);
  const where = scope === "local" && r.chance(0.5) ? "" : `, "${scope}"`;
  const make = simple("alloc", template([`const ${name} = S.alloc(${dtype}, ${extents}${where})`]), {
    declares: [name],
    tags: ["alloc", `alloc ${scope}`],
  });
  return { shared: { name, dtype, size, constant: false }, make, shape };
}

/** Gives a fresh buffer its first values, all of them, in one of several ways. */
export function initialise(m: Maker, area: Area): Stmt {
  const { r, scope } = m;
  const { text, dtype, size } = area;
  const bool = dtype === "bool";
  const moves = !isPacked(dtype);
  const source = scope.areas.find((a) => a.dtype === dtype && a.size >= size && a.buffer !== area.buffer);
  const p = leaf({ is: "ptr", dtype }, text);
  if (moves && source !== undefined && r.chance(0.4)) {
    const args = [p, leaf({ is: "ptr", dtype }, source.text), literal(NUM, size)];
    return statement("transfer", call(VOID, "S.dmaCopy", args, [], "dmaCopy", `dmaCopy ${dtype}`));
  }
  if (moves && r.chance(0.4)) {
    const args = [p, bool ? m.bool(1) : m.num(1), literal(NUM, size)];
    return statement("transfer", call(VOID, "S.dmaMemset", args, [], "dmaMemset", `dmaMemset ${dtype}`));
  }
  const i = m.fresh("j");
  // A vector of 4-bit elements starts with a byte.
  const step = m.lanes.find((n) => size % n === 0 && (moves || n % 2 === 0));
  if (step !== undefined && r.chance(0.6)) {
    const value = bool ? m.mask(step, 1) : m.vec(dtype, step, 1);
    const store = statement(
      "store",
      call(
        VOID,
        "S.vstore",
        [value, leaf({ is: "ptr", dtype }, area.shape ? `${text}.at(0, ${i})` : `${text}.at(${i})`)],
        [],
        "vstore",
        `vstore ${dtype}`,
      ),
    );
    return {
      kind: "for",
      heads: [template([`for (let ${i} = 0; ${i} < ${size}; ${i} += ${step})`])],
      bodies: [[store]],
      binds: [[{ name: i, first: "0" }]],
      tags: [],
    };
  }
  const value = bool ? m.bool(1) : m.num(1);
  const set = statement("set", call(VOID, `${text}.set`, [leaf(NUM, i), value], [], "set", `set ${dtype}`));
  return {
    kind: "for",
    heads: [template([`for (let ${i} = 0; ${i} < ${size}; ${i}++)`])],
    bodies: [[set]],
    binds: [[{ name: i, first: "0" }]],
    tags: [],
  };
}

/** What a tile sees of a shared buffer in a phase, and the pointer that says so. */
export function partOf(
  m: Maker,
  b: Shared,
  turn: string,
  write: boolean,
): { area: Area; make: Stmt | undefined } {
  const { tiles } = m;
  const area = { dtype: b.dtype, size: b.size, write: write && !b.constant, buffer: b.name };
  if (tiles === 1) return { area: { ...area, text: b.name }, make: undefined };
  const name = m.fresh("p");
  const tile = turn === "0" ? "S.tileId()" : `((S.tileId() + ${turn}) % S.tileCount())`;
  const make = simple("const", template([`const ${name} = ${b.name}.at(${tile} * ${b.size})`]), {
    declares: [name],
    tags: ["tileId", "tileCount", "Ptr.at"],
  });
  return { area: { ...area, text: name }, make };
}

/** One barrier-free stretch: buffers are owned or read only, as drawn. The barrier that closes it may have an event to wait for. */
export function phase(
  m: Maker,
  buffers: readonly Shared[],
  own: readonly Area[],
  size: number,
  turn: number | string,
  closing: boolean,
): { readonly stmts: readonly Stmt[]; readonly event: string | undefined } {
  const { r, scope } = m;
  const pointers: Stmt[] = [];
  const areas: Area[] = [...own];
  for (const b of buffers) {
    const write = !b.constant && r.chance(0.7);
    // A part that is only read may be anybody's.
    const at = typeof turn === "string" ? turn : String(write ? turn : turn + r.between(0, m.tiles - 1));
    const { area, make } = partOf(m, b, at, write);
    if (make !== undefined) pointers.push(make);
    areas.push(area);
  }
  const before = scope.areas;
  scope.areas = areas;
  const made = m.block(size);
  const last = closing && r.chance(0.3) ? untilBarrier(m) : undefined;
  scope.areas = before;
  return { stmts: [...pointers, ...made, ...(last?.start ?? [])], event: last?.event };
}

/** A barrier, which waits for an event of a transfer first where there is one. */
export function barrier(event?: string): Stmt {
  if (event === undefined) return simple("barrier", template(["S.barrier()"]), { tags: ["barrier"] });
  return simple("barrier", template([`S.barrier({ events: ${event} })`]), {
    tags: ["barrier", "barrier events"],
  });
}
