/** A seed to a program. */
import { type DTypeName, isPacked, type Scope as MemoryScope } from "../ir/dtype.ts";
import { FABRIC_DTYPES } from "../ir/path/operands.ts";
import { Random } from "../ir/random.ts";
import { Catalogue } from "./catalogue.ts";
import { maskArgument, maskOf, vector } from "./lanes.ts";
import { type Area, type Maker, Scope } from "./maker.ts";
import {
  allocation,
  barrier,
  initialise,
  parameters,
  partOf,
  phase,
  type Shared,
  someDTypes,
  someLanes,
} from "./phases.ts";
import { type PathBuffers, pathBuffers } from "./products.ts";
import { bool, fitting, integer, num } from "./scalars.ts";
import { block, declare, HELPER_SPAN, someType } from "./statements.ts";
import {
  BOOL,
  type Captured,
  type Expr,
  type Helper,
  type HelperParam,
  I32,
  int,
  NUM,
  type Program,
  type Stmt,
  simple,
  type Ty,
  template,
  VOID,
} from "./tree.ts";

let catalogue: Catalogue | undefined;
/** The forms of all records; made once, in a fifth of a second. */
export function theCatalogue(): Catalogue {
  return (catalogue ??= new Catalogue());
}

export interface GenerateOptions {
  /** Statements of a kernel, about. Default: drawn. */
  readonly size?: number;
  /** Tiles that run it. Default: drawn. */
  readonly tiles?: number;
  /** Register width. Default: drawn. */
  readonly registerBits?: number;
  /** False for a kernel without asynchronous transfers. */
  readonly events?: boolean;
  /** True for a kernel with buffers of the matrix path, false for one without; it takes events. Default: drawn. */
  readonly products?: boolean;
  /** Stands before every name, so that two generators can share a kernel. */
  readonly prefix?: string;
}

/** The valid kernel of a seed. */
export function generate(seed: number, o: GenerateOptions = {}): Program {
  return new Smith(seed, o).program();
}

export class Smith implements Maker {
  readonly r: Random;
  readonly catalogue = theCatalogue();
  scope = new Scope();
  readonly dtypes: readonly DTypeName[];
  readonly lanes: readonly number[];
  readonly tiles: number;
  readonly registerBits: number;
  readonly helpers: Helper[] = [];
  readonly captured: Captured[] = [];
  readonly called = new Set<string>();
  events: string[] = [];
  path: PathBuffers | undefined;
  pinned = false;
  readonly #seed: number;
  readonly #names = new Map<string, number>();
  readonly #options: GenerateOptions;

  constructor(seed: number, o: GenerateOptions = {}) {
    this.#seed = seed;
    this.#options = o;
    const r = (this.r = new Random(seed));
    this.dtypes = someDTypes(r, o.products === true ? [r.pick(FABRIC_DTYPES)] : []);
    this.lanes = someLanes(r);
    this.tiles = o.tiles ?? r.weighted([4, 1], [4, 2], [2, 3], [1, 4]);
    this.registerBits = o.registerBits ?? r.weighted([5, 256], [2, 128], [2, 512], [1, 1024]);
  }

  fresh(prefix: string): string {
    const n = this.#names.get(prefix) ?? 0;
    this.#names.set(prefix, n + 1);
    return `${this.#options.prefix ?? ""}${prefix}${n}`;
  }
  capture(prefix: string, text: string, ...tags: string[]): string {
    const known = this.captured.find((c) => c.text === text && c.name.startsWith(prefix));
    if (known !== undefined) return known.name;
    const name = this.fresh(prefix);
    this.captured.push({ name, text, tags });
    return name;
  }
  num(depth: number): Expr {
    return num(this, depth);
  }
  int(low: number, high: number, depth: number, proven = false): Expr {
    return integer(this, low, high, depth, proven);
  }
  bool(depth: number): Expr {
    return bool(this, depth);
  }
  vec(dtype: DTypeName, lanes: number, depth: number): Expr {
    return vector(this, dtype, lanes, depth);
  }
  mask(lanes: number, depth: number): Expr {
    return maskOf(this, lanes, depth);
  }
  fitting(dtype: DTypeName, depth: number): Expr {
    return fitting(this, dtype, depth);
  }
  maskArgument(lanes: number, depth: number): Expr {
    return maskArgument(this, lanes, depth);
  }
  value(type: Ty, depth: number): Expr {
    switch (type.is) {
      case "num":
        return this.num(depth);
      case "int":
        return this.int(type.low, type.high, depth, !type.loose);
      case "bool":
        return this.bool(depth);
      case "vec":
        return this.vec(type.dtype, type.lanes, depth);
      case "mask":
        return this.mask(type.lanes, depth);
      default:
        throw new TypeError(`no expression gives ${type.is}`);
    }
  }
  block(size: number): Stmt[] {
    return block(this, size);
  }

  program(): Program {
    const { r, tiles } = this;
    const size = this.#options.size ?? r.weighted([3, 3], [4, 7], [3, 12], [1, 20]);
    const part = r.pick([8, 16, 16, 32]);
    const { params, shared } = parameters(this, part);
    const helperCount = r.weighted([3, 0], [2, 1], [1, 2]);
    for (let i = 0; i < helperCount; i++) this.helpers.push(this.#helper());
    for (const p of params) {
      if (p.pointer) continue;
      const type: Ty =
        p.dtype === "bool"
          ? BOOL
          : p.dtype === "i32"
            ? I32
            : p.dtype === "u8"
              ? int(0, 255)
              : p.dtype === "i16"
                ? int(-32768, 32767)
                : NUM;
      declare(this, p.name, type);
    }
    const body = this.#body(shared, part, size);
    return {
      seed: this.#seed,
      captured: this.captured,
      helpers: this.helpers.filter((h) => this.called.has(h.name)),
      params,
      body,
      tiles,
      registerBits: this.registerBits,
      pinned: this.pinned,
    };
  }

  #body(params: readonly Shared[], part: number, size: number): Stmt[] {
    const { r, scope, tiles } = this;
    const out: Stmt[] = [];
    const buffers = [...params];
    const near: Area[] = [];
    const setup: Stmt[] = [];
    const first: Area[] = [];
    for (const b of params) {
      const { area, make } = partOf(this, b, "0", true);
      if (make !== undefined) setup.push(make);
      first.push(area);
    }
    scope.areas = first;
    if (r.chance(0.3)) near.push(this.#table(out));
    const count = r.weighted([2, 0], [3, 1], [2, 2]);
    for (let i = 0; i < count; i++) {
      const where = r.weighted<MemoryScope>(
        [3, "local"],
        [1, "l2"],
        [1, "private"],
        [2, "l3"],
        [0.5, "global"],
      );
      const { shared, make, shape } = allocation(this, where, r.pick([8, 16, part]));
      out.push(make);
      if (where === "l3" || where === "global") {
        const { area, make: pointer } = partOf(this, shared, "0", true);
        if (pointer !== undefined) setup.push(pointer);
        setup.push(initialise(this, area));
        buffers.push(shared);
        scope.areas.push(area);
      } else {
        const area: Area = {
          text: shared.name,
          dtype: shared.dtype,
          size: shared.size,
          write: true,
          buffer: shared.name,
          ...(shape ? { shape } : {}),
        };
        setup.push(initialise(this, area));
        near.push(area);
        scope.areas.push(area);
      }
    }
    const { products = r.chance(0.5) } = this.#options;
    const least = this.#options.products === true ? 1 : 0;
    const events = this.#options.events === false ? 0 : Math.max(least, r.weighted([2, 0], [2, 1], [1, 2]));
    if (events > 0) {
      this.events = Array.from({ length: events }, () => this.fresh("e"));
      out.push(
        simple("events", template([`const [${this.events.join(", ")}] = S.allocEvents(${events})`]), {
          declares: this.events,
          tags: ["allocEvents"],
        }),
      );
    }
    const all = [...this.events];
    const way = products && events > 0 ? pathBuffers(this) : undefined;
    if (way !== undefined) out.push(...way.make);
    this.path = way?.path;
    out.push(...setup);
    scope.areas = [...near];
    const phases = tiles > 1 || r.chance(0.3) ? r.weighted([3, 1], [3, 2], [1, 3]) : 1;
    // A buffer of l3 was written by its owner only: the first phase keeps to that.
    const plain = phases === 1 && r.chance(0.5);
    if (plain) {
      scope.areas = [...near, ...first, ...scope.areas.filter((a) => !near.includes(a))];
      scope.returns = events === 0 ? VOID : undefined;
      out.push(...this.block(size));
    } else {
      let event: string | undefined;
      for (let k = 0; k < phases; k++) {
        out.push(barrier(event));
        event = undefined;
        scope.returns = k === phases - 1 && events === 0 ? VOID : undefined;
        if (k === 0 && tiles > 1 && r.chance(0.3))
          out.push(this.#uniformLoop(buffers, near, Math.ceil(size / phases)));
        else {
          const made = phase(this, buffers, near, Math.ceil(size / phases), k, k < phases - 1);
          out.push(...made.stmts);
          event = made.event;
        }
      }
    }
    if (events > 0)
      out.push(simple("free", template([`S.freeEvents(${all.join(", ")})`]), { tags: ["freeEvents"] }));
    return out;
  }

  /** A loop that every tile goes round equally often, with a barrier in it: parts turn from round to round. */
  #uniformLoop(buffers: readonly Shared[], near: readonly Area[], size: number): Stmt {
    const { r, scope } = this;
    const q = this.fresh("q");
    const rounds = r.between(1, 3);
    // A return would leave the other tiles at the barrier.
    scope.returns = undefined;
    const body = scope.inside(
      () => {
        declare(this, q, int(0, rounds - 1));
        const made = phase(this, buffers, near, size, q, true);
        return [...made.stmts, barrier(made.event)];
      },
      { rounds },
    );
    return {
      kind: "uniform loop",
      heads: [template([`for (let ${q} = 0; ${q} < ${rounds}; ${q}++)`])],
      bodies: [body],
      binds: [[{ name: q, first: "0" }]],
      tags: ["barrier in a loop"],
    };
  }

  /** A constant table of the closure. */
  #table(out: Stmt[]): Area {
    const { r } = this;
    const dtype = r.pick(this.dtypes);
    const size = r.pick([4, 8, 16]);
    const values = Array.from({ length: size }, () =>
      dtype === "bool" ? r.chance(0.5) : r.between(0, isPacked(dtype) ? 7 : 100),
    );
    const list = this.capture("TABLE", `[${values.join(", ")}]`, "captured array");
    const name = this.fresh("t");
    out.push(
      simple("alloc", template([`const ${name} = S.allocConst(${dtype}, ${list})`]), {
        declares: [name],
        tags: ["allocConst", `allocConst ${dtype}`],
      }),
    );
    return { text: name, dtype, size, write: false, buffer: name };
  }

  #helper(): Helper {
    const { r } = this;
    const outer = this.scope;
    this.scope = new Scope();
    this.scope.rounds = 4;
    this.scope.depth = 2;
    const params: HelperParam[] = [];
    const name = this.fresh("fn");
    for (let i = r.between(1, 3); i > 0; i--) {
      if (r.chance(0.3)) {
        const dtype = r.pick(this.dtypes);
        const p = this.fresh("p");
        params.push({ name: p, type: { is: "ptr", dtype } });
        this.scope.areas.push({ text: p, dtype, size: HELPER_SPAN, write: true, buffer: p });
      } else {
        const type = someType(this);
        const v = this.fresh("a");
        params.push({ name: v, type });
        declare(this, v, type);
      }
    }
    // Two pointers may be one: a transfer between them could overlap.
    this.scope.areas = this.scope.areas.map((a) => ({ ...a, buffer: "a parameter" }));
    if (r.chance(0.3)) {
      const v = this.fresh("a");
      params.push({ name: v, type: NUM, fallback: String(r.between(0, 9)) });
      declare(this, v, NUM);
    }
    const result = r.chance(0.25) ? VOID : someType(this);
    this.scope.returns = result;
    const body = this.block(r.between(1, 5));
    if (result.is !== "void") body.push(simple("return", template(["return ", ""], this.value(result, 2))));
    this.scope = outer;
    return { name, params, result, body, func: r.chance(0.2) };
  }
}
