/** Work of the control and vector core between two commands, counted op by op. */
import { DTYPES, isFloat, type Scope } from "../../ir/dtype.ts";
import type { Apply, Expr, LocationIndex, Type } from "../../ir/kir.ts";
import { OPS } from "../../ir/ops.ts";
import { forEachIn } from "../../ir/walk.ts";
import { CORE_CLASSES, type Core, type CoreClass, LEVELS, type Level } from "../../machine/trace.ts";

/** Private memory is scratch of the core, and accumulators lie behind the stream buffers at the edge of the fabric. */
export const LEVEL_OF: { readonly [K in Scope]: Level } = {
  global: "dram",
  l3: "l3",
  l2: "l2",
  l1: "l1",
  acc: "l1",
  local: "local",
  private: "local",
};

const LANES = ["int", "float", "math"] as const;
/** Every figure of a core item, in the order in which they are counted here. */
const FIELDS = [
  ...CORE_CLASSES.map((name) => `ops ${name}` as const),
  ...LANES.map((name) => `lanes ${name}` as const),
  ...LEVELS.map((name) => `read ${name}` as const),
  ...LEVELS.map((name) => `write ${name}` as const),
];
type Field = (typeof FIELDS)[number];

/** Figures that are not 0: index of the field, amount. */
export type Work = readonly (readonly [number, number])[];

/** What one execution of these expressions and further ops is. */
export function workOf(exprs: readonly Expr[], ...more: readonly CoreClass[]): Work {
  const counts = new Map<number, number>();
  const count = (field: Field, n: number): void => {
    const i = FIELDS.indexOf(field);
    if (n > 0) counts.set(i, (counts.get(i) ?? 0) + n);
  };
  for (const name of more) count(`ops ${name}`, 1);
  for (const e of exprs)
    forEachIn(e, (x) => {
      if (x.kind === "apply") countOp(x, count);
    });
  return [...counts];
}

function countOp(e: Apply, count: (field: Field, n: number) => void): void {
  const cost = classOf(e);
  if (cost === undefined) return;
  count(`ops ${cost}`, 1);
  const [first] = e.args;
  if (first?.type.kind === "ptr" && (cost === "load" || cost === "store")) {
    // A mask is data: all lanes count.
    const moved = cost === "load" ? e.type : e.args[e.op === "scatter" ? 2 : 1]?.type;
    const lanes = moved?.kind === "vec" || moved?.kind === "mask" ? moved.lanes : 1;
    const bytes = Math.ceil((lanes * DTYPES[first.type.dtype].bits) / 8);
    count(`${cost === "load" ? "read" : "write"} ${LEVEL_OF[first.type.scope]}`, bytes);
    return;
  }
  const lanes = lanesOf(e.type) ?? lanesOf(first?.type);
  if (lanes === undefined) return;
  const isFloats = lanes.kind === "vec" && isFloat(lanes.dtype);
  count(`lanes ${cost === "vmath" ? "math" : isFloats ? "float" : "int"}`, lanes.lanes);
}

const lanesOf = (t: Type | undefined): Extract<Type, { kind: "vec" | "mask" }> | undefined =>
  t?.kind === "vec" || t?.kind === "mask" ? t : undefined;

/** The class whose cost an op has; sums and products of plain numbers are the scalar unit's. */
function classOf(e: Apply): CoreClass | undefined {
  const { cost } = OPS[e.op];
  const isScalar = lanesOf(e.type) === undefined && !e.args.some((a) => lanesOf(a.type) !== undefined);
  if (isScalar && (cost === "valu" || cost === "vmul")) return "scalar";
  return CORE_CLASSES.find((c) => c === cost);
}

/** Work that was done one piece after the other. The same pieces are the same object, so that their sum is made once. */
export class WorkDone {
  readonly #counts: readonly number[];
  readonly #at: LocationIndex;
  readonly #next = new Map<Work, WorkDone>();
  #item: Core | undefined;

  private constructor(counts: readonly number[], at: LocationIndex) {
    this.#counts = counts;
    this.#at = at;
  }

  static none(): WorkDone {
    return new WorkDone(
      FIELDS.map(() => 0),
      NOWHERE,
    );
  }

  /** With one more piece; the place of the first counts. */
  and(work: Work, at: LocationIndex): WorkDone {
    const known = this.#next.get(work);
    if (known !== undefined) return known;
    const counts = [...this.#counts];
    for (const [i, n] of work) counts[i] = (counts[i] as number) + n;
    const made = new WorkDone(counts, this.#at === NOWHERE ? at : this.#at);
    this.#next.set(work, made);
    return made;
  }

  item(): Core {
    return (this.#item ??= coreOf(this.#counts, this.#at));
  }
}
const NOWHERE = -1;

/** Where the figures of each part of a core item begin. */
const OPS_AT = 0;
const LANES_AT = CORE_CLASSES.length;
const READ_AT = LANES_AT + LANES.length;
const WRITE_AT = READ_AT + LEVELS.length;

function coreOf(counts: readonly number[], at: LocationIndex): Core {
  const table = <K extends string>(names: readonly K[], from: number): Partial<Record<K, number>> => {
    const out: Partial<Record<K, number>> = {};
    for (const [i, name] of names.entries()) {
      const n = counts[from + i] as number;
      if (n > 0) out[name] = n;
    }
    return out;
  };
  const [int, float, math] = counts.slice(LANES_AT) as [number, number, number];
  return {
    kind: "core",
    ops: table(CORE_CLASSES, OPS_AT),
    lanes: { int, float, math },
    read: table(LEVELS, READ_AT),
    write: table(LEVELS, WRITE_AT),
    at,
  };
}

function countsOf(c: Core): number[] {
  return [
    ...CORE_CLASSES.map((name) => c.ops[name] ?? 0),
    ...LANES.map((name) => c.lanes[name]),
    ...LEVELS.map((name) => c.read[name] ?? 0),
    ...LEVELS.map((name) => c.write[name] ?? 0),
  ];
}

/** One after the other. */
export function sumOf(a: Core, b: Core): Core {
  const more = countsOf(b);
  return coreOf(
    countsOf(a).map((n, i) => n + (more[i] as number)),
    a.at,
  );
}
/** Of two ways that control may take the larger, figure by figure: no way is more. */
export function largerOf(a: Core, b: Core): Core {
  const other = countsOf(b);
  return coreOf(
    countsOf(a).map((n, i) => Math.max(n, other[i] as number)),
    a.at,
  );
}
/** So many times. */
export function timesOf(a: Core, times: number): Core {
  return coreOf(
    countsOf(a).map((n) => n * times),
    a.at,
  );
}
