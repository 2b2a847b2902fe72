/** What the productions of the grammar share: the random source, the names in scope, and each other. */
import type { DTypeName } from "../ir/dtype.ts";
import type { Random } from "../ir/random.ts";
import type { Catalogue } from "./catalogue.ts";
import type { PathBuffers } from "./products.ts";
import { type Expr, type Helper, ref, type Stmt, suits, type Ty } from "./tree.ts";

export interface Variable {
  readonly name: string;
  readonly type: Ty;
  /** Assignments may give it any value of the type. */
  readonly mutable: boolean;
}

/**
 * Memory that this tile may use now: `size` initialised elements from the pointer `text` on. Where `write` is false other
 * tiles may read it too, or a transfer has it in flight.
 */
export interface Area {
  readonly text: string;
  readonly dtype: DTypeName;
  readonly size: number;
  readonly write: boolean;
  /** Rows and columns, for a buffer whose `.at` takes two indices. */
  readonly shape?: readonly [rows: number, columns: number];
  /** Areas of one buffer share it: a transfer between them would overlap. */
  readonly buffer: string;
  /** What its pointer exercises. */
  readonly tags?: readonly string[];
}

/** A loop that `break` and `continue` may name. */
export interface Loop {
  readonly label: string | undefined;
}

export class Scope {
  variables: Variable[] = [];
  areas: Area[] = [];
  loops: Loop[] = [];
  /** Rounds that the enclosing loops make together, at most. */
  rounds = 1;
  /** Nesting of statements. */
  depth = 0;
  /** What `return` may give here; undefined where a return would skip a barrier or a wait. */
  returns: Ty | undefined = undefined;

  /** Runs with this scope and drops what was declared. */
  inside<T>(make: () => T, o: { rounds?: number; loop?: Loop } = {}): T {
    const { variables, areas, loops, rounds, depth } = this;
    this.variables = [...variables];
    this.areas = [...areas];
    if (o.loop !== undefined) this.loops = [...loops, o.loop];
    this.rounds *= o.rounds ?? 1;
    this.depth++;
    try {
      return make();
    } finally {
      Object.assign(this, { variables, areas, loops, rounds, depth });
    }
  }

  matching(type: Ty): Variable[] {
    return this.variables.filter((v) => suits(v.type, type));
  }
  readable(dtype: DTypeName, least = 1): Area[] {
    return this.areas.filter((a) => a.dtype === dtype && a.size >= least);
  }
  writable(): Area[] {
    return this.areas.filter((a) => a.write);
  }
}

export interface Maker {
  readonly r: Random;
  readonly catalogue: Catalogue;
  scope: Scope;
  /** Dtypes and lane counts that this kernel is about. */
  readonly dtypes: readonly DTypeName[];
  readonly lanes: readonly number[];
  readonly tiles: number;
  readonly registerBits: number;
  readonly helpers: Helper[];
  /** Names of the helpers that something calls. */
  readonly called: Set<string>;
  /** Events that no transfer is in flight on. */
  events: string[];
  /** Buffers of the matrix path; undefined where the kernel has no products. */
  readonly path: PathBuffers | undefined;
  /** Set when a vector takes the register's lane count. */
  pinned: boolean;

  fresh(prefix: string): string;
  /** The name of a captured constant with this text. */
  capture(prefix: string, text: string, ...tags: string[]): string;
  num(depth: number): Expr;
  /** An integer; with `proven`, one whose bounds the checker can prove. */
  int(low: number, high: number, depth: number, proven?: boolean): Expr;
  bool(depth: number): Expr;
  vec(dtype: DTypeName, lanes: number, depth: number): Expr;
  mask(lanes: number, depth: number): Expr;
  value(type: Ty, depth: number): Expr;
  /** A number that a vector of the dtype takes as a scalar operand. */
  fitting(dtype: DTypeName, depth: number): Expr;
  /** A mask in any of the forms of a mask option: a mask, a mask string, an array. */
  maskArgument(lanes: number, depth: number): Expr;
  /** About `size` statements. */
  block(size: number): Stmt[];
}

/** A variable of the type, when there is one. */
export function known(m: Maker, type: Ty): Expr | undefined {
  const list = m.scope.matching(type);
  if (list.length === 0) return undefined;
  // The younger ones more often: values flow on.
  const at = list.length - 1 - Math.floor(m.r.next() ** 2 * list.length);
  const v = list[at] as Variable;
  return ref(v.type, v.name);
}

/** Whether a type's values are one number or boolean. */
export const isScalar = (t: Ty): boolean => t.is === "num" || t.is === "int" || t.is === "bool";
