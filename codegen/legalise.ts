/**
 * Level virtual to level machine: every vector and mask fits one register, every buffer has an address in its scope.
 *
 *   before   let %v: f32x20 = load<f32x20> %p            alloc<f32> [300] in local
 *   after    let %v_0: f32x8 = load<f32x8> %p            alloc<f32> [300] in local at 0
 *            let %v_1: f32x8 = load<f32x8> (ptr_add %p, 8)
 *            let %v_2: f32x4 = load<f32x4> (ptr_add %p, 16)
 *
 * A vector of dtype d is split into pieces of registerBits / bits(d) lanes, the last one shorter. A mask has no width of
 * its own: each mask local is split as the vectors it works with, and re-split by shuffles where it meets others.
 */
import { bytesOf, DTYPES, type DTypeName, isFloat, type Scope } from "../ir/dtype.ts";
import {
  type Apply,
  type Attrs,
  type Expr,
  type Kernel,
  type Local,
  mask,
  ptrType,
  type Stmt,
  scalar,
  type Type,
  vec,
} from "../ir/kir.ts";
import { OPS, type OpName } from "../ir/ops.ts";
import { nextBuffer, type Target } from "../ir/target.ts";
import { localsOf, someIn } from "../ir/walk.ts";
import { maskWidths } from "./maskwidth.ts";
import { compressPieces, expandPieces, type Splitting, slidePieces, tablePieces } from "./packing.ts";

export function legalise(k: Kernel, target: Pick<Target, "registerBits">): Kernel {
  if (k.level !== "virtual") throw new TypeError(`legalise needs a kernel of level virtual, got ${k.level}`);
  return new Legaliser(k, target.registerBits).kernel();
}

/** Pieces of a vector or mask and how many lanes all but the last have. */
interface Pieces {
  readonly exprs: readonly Expr[];
  readonly size: number;
}

class Legaliser {
  readonly #k: Kernel;
  readonly #bits: number;
  readonly #maskSize: (l: Local) => number;
  readonly #locals = new Map<Local, readonly Local[]>();
  readonly #allocated: Record<Scope, number> = {
    global: 0,
    l3: 0,
    l2: 0,
    l1: 0,
    acc: 0,
    local: 0,
    private: 0,
  };
  readonly #tables: number[] = [];
  readonly #scratch: Local;
  #scratchBytes = 0;
  #nextId: number;
  #out: Stmt[] = [];
  #at = 0;

  constructor(k: Kernel, bits: number) {
    this.#k = k;
    this.#bits = bits;
    this.#nextId = localsOf(k).reduce((n, l) => Math.max(n, l.id + 1), 0);
    this.#scratch = { id: this.#nextId++, name: "scratch", type: ptrType("u8", "private"), mutable: false };
    const widths = maskWidths(k);
    this.#maskSize = (l) => bits / (widths.get(l) ?? 8);
    let at = 0;
    for (const t of k.tables) {
      this.#tables.push(at);
      at += nextBuffer(bytesOf(t.dtype, t.values.length));
    }
  }

  kernel(): Kernel {
    const body = this.#list(this.#k.body);
    const scratch = this.#scratchBytes > 0 ? [this.#scratchBuffer()] : [];
    return { ...this.#k, level: "machine", registerBits: this.#bits, body: [...scratch, ...body] };
  }

  /** One buffer for all ops that need one, as large as the largest wants. */
  #scratchBuffer(): Stmt {
    const attrs = { dtype: "u8", scope: "private", count: this.#scratchBytes } as const;
    const value = this.#apply("alloc", [], attrs, this.#scratch.type);
    return { kind: "let", local: this.#scratch, value: this.#scalar(value) as Apply, at: 0 };
  }

  // ------------------------------------------------------------------------------------------ statements

  /** Legalises a list into a list of its own. */
  #list(stmts: readonly Stmt[], last?: () => void): Stmt[] {
    const outer = this.#out;
    const here: Stmt[] = [];
    this.#out = here;
    for (const s of stmts) this.#statement(s);
    last?.();
    this.#out = outer;
    return here;
  }

  #statement(s: Stmt): void {
    this.#at = s.at;
    switch (s.kind) {
      case "let":
      case "assign":
        this.#define(s);
        return;
      case "effect":
        this.#effect(s.value, s.at);
        return;
      case "if": {
        const cond = this.#scalar(s.cond);
        // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
        this.#out.push({ ...s, cond, then: this.#list(s.then), else: this.#list(s.else) });
        return;
      }
      case "for": {
        const from = this.#scalar(s.from);
        const to = this.#scalar(s.to);
        this.#out.push({ ...s, from, to, body: this.#list(s.body) });
        return;
      }
      case "loop": {
        let cond = s.cond;
        const test = this.#list(s.test, () => {
          cond = this.#scalar(s.cond);
        });
        this.#out.push({ ...s, test, cond, body: this.#list(s.body), update: this.#list(s.update) });
        return;
      }
      case "block":
        this.#out.push({ ...s, body: this.#list(s.body) });
        return;
      default:
        this.#out.push(s);
    }
  }

  #define(s: Extract<Stmt, { kind: "let" | "assign" }>): void {
    const { local, value } = s;
    if (local.type.kind !== "vec" && local.type.kind !== "mask") {
      this.#out.push({ ...s, value: this.#scalar(value) });
      return;
    }
    const targets = this.#piecesOfLocal(local);
    let { exprs } = this.#split(value, this.#sizeOfLocal(local));
    // A later piece must not see what an earlier one has assigned.
    const own =
      s.kind === "assign" &&
      targets.length > 1 &&
      someIn(value, (e) => e.kind === "ref" && e.local === local);
    if (own) exprs = exprs.map((e) => this.#bind(e));
    exprs.forEach((e, i) => {
      this.#out.push({ ...s, local: targets[i]!, value: e });
    });
  }

  #effect(e: Apply, at: number): void {
    const emit = (args: readonly Expr[], attrs: Attrs = e.attrs): void => {
      this.#out.push({ kind: "effect", value: { ...e, args, attrs }, at });
    };
    const [p, a, b, c] = e.args;
    switch (e.op) {
      case "store":
      case "store_masked": {
        const value = this.#split(a!, this.#size(a!));
        const masks = b === undefined ? undefined : this.#split(b, value.size).exprs;
        const base = this.#base(p!, value.exprs.length);
        value.exprs.forEach((v, i) => {
          const q = this.#moved(base, i * value.size);
          emit(masks === undefined ? [q, v] : [q, v, masks[i]!]);
        });
        return;
      }
      case "store_strided": {
        const value = this.#split(a!, this.#size(a!));
        const masks = this.#split(c!, value.size).exprs;
        const many = value.exprs.length > 1;
        const stride = many ? this.#bind(this.#scalar(b!)) : this.#scalar(b!);
        const base = this.#base(p!, value.exprs.length);
        value.exprs.forEach((v, i) => {
          emit([this.#strided(base, stride, i * value.size), v, stride, masks[i]!]);
        });
        return;
      }
      case "scatter": {
        const size = Math.min(this.#size(a!), this.#size(b!));
        const index = this.#split(a!, size).exprs;
        const value = this.#split(b!, size).exprs;
        const masks = this.#split(c!, size).exprs;
        const base = this.#base(p!, index.length);
        index.forEach((x, i) => {
          emit([base, x, value[i]!, masks[i]!]);
        });
        return;
      }
      case "print": {
        const args: Expr[] = [];
        const groups: number[] = [];
        for (const x of e.args) {
          const pieces = isLanes(x) ? this.#split(x, this.#size(x)).exprs : [this.#scalar(x)];
          args.push(...pieces);
          groups.push(pieces.length);
        }
        const split = groups.some((n) => n !== 1);
        emit(args, split ? { ...e.attrs, groups } : e.attrs);
        return;
      }
      default:
        emit((this.#scalar(e) as Apply).args);
    }
  }

  // ------------------------------------------------------------------------------------------ scalars, pointers

  /** A scalar or pointer expression with legal operands. */
  #scalar(e: Expr): Expr {
    if (e.kind !== "apply") return e;
    switch (e.op) {
      case "alloc":
        return { ...e, attrs: { ...e.attrs, offset: this.#place(e) } };
      case "alloc_const":
        return { ...e, attrs: { ...e.attrs, offset: this.#tables[e.attrs["table"] as number]! } };
      case "any":
      case "all": {
        const { exprs } = this.#split(e.args[0]!, this.#size(e.args[0]!));
        return exprs
          .map((m) => this.#apply(e.op, [m], {}, e.type))
          .reduce((x, y) => this.#apply(e.op === "any" ? "or" : "and", [x, y], {}, e.type));
      }
      case "extract":
        return this.#extract(e);
      case "radd":
      case "rmin":
      case "rmax":
        return this.#reduce(e);
      case "rmin_idx":
      case "rmax_idx":
        return this.#reduceIndex(e);
      default: {
        if (e.args.some(isLanes)) throw new TypeError(`${e.op} takes lanes and gives a scalar`);
        return e.args.length === 0 ? e : { ...e, args: e.args.map((a) => this.#scalar(a)) };
      }
    }
  }

  #place(e: Apply): number {
    const scope = e.attrs["scope"] as Scope;
    const offset = this.#allocated[scope];
    const bytes = bytesOf(e.attrs["dtype"] as DTypeName, e.attrs["count"] as number);
    this.#allocated[scope] = nextBuffer(offset + bytes);
    return offset;
  }

  #extract(e: Apply): Expr {
    const [v, index] = e.args as [Expr, Expr];
    const { exprs, size } = this.#split(v, this.#size(v));
    if (exprs.length === 1) return { ...e, args: [exprs[0]!, this.#scalar(index)] };
    const constant = (value: number): Expr => ({ kind: "const", type: index.type, value, at: e.at });
    if (index.kind === "const" && typeof index.value === "number") {
      const piece = Math.floor(index.value / size);
      const found = exprs[piece];
      if (found !== undefined) return { ...e, args: [found, constant(index.value - piece * size)] };
    }
    // Every piece gives its lane, at an index kept inside it; the right one is chosen.
    const i = this.#bind(this.#scalar(index));
    const lane = (piece: number): Expr => {
      const own = this.#apply("sub", [i, constant(piece * size)], {}, index.type);
      // The first piece keeps a negative index, for the same reason.
      const low = piece === 0 ? own : this.#apply("max", [own, constant(0)], {}, index.type);
      const last = piece === exprs.length - 1;
      // The last piece keeps an index that is too large, so that it is reported.
      const inside = last ? low : this.#apply("min", [low, constant(size - 1)], {}, index.type);
      return { ...e, args: [exprs[piece]!, inside] };
    };
    let result = lane(exprs.length - 1);
    for (let piece = exprs.length - 2; piece >= 0; piece--) {
      const here = this.#apply("lt", [i, constant((piece + 1) * size)], {}, scalar("bool"));
      result = this.#apply("select", [here, lane(piece), result], {}, e.type);
    }
    return result;
  }

  /** Halves are combined across registers until one is left, exactly in the order of the op. */
  #reduce(e: Apply): Expr {
    const v = e.args[0]!;
    const own = dtypeOf(v);
    let pieces = this.#split(v, this.#size(v));
    if (pieces.exprs.length === 1) return { ...e, args: pieces.exprs };
    let n = lanesOf(v);
    const accumulate = e.op === "radd" && isFloat(own) && own !== "f32";
    if (accumulate) {
      // f16 and bf16 accumulate in f32, which takes more registers.
      const size = this.#bits / 32;
      const narrow = this.#split(v, size).exprs;
      pieces = {
        exprs: narrow.map((x) =>
          this.#bind(this.#apply("cast", [x], { dtype: "f32" }, vec("f32", lanesOf(x)))),
        ),
        size,
      };
    }
    const d: DTypeName = accumulate ? "f32" : own;
    const op: OpName = e.op === "radd" ? "add" : e.op === "rmin" ? "min" : "max";
    const { size } = pieces;
    let exprs = pieces.exprs.map((x) => this.#bind(x));
    while (n > size) {
      const half = n >> 1;
      const low = this.#slices(exprs, size, 0, half);
      const high = this.#slices(exprs, size, half, 2 * half);
      let combined = low.map((x, i) => this.#bind(this.#apply(op, [x, high[i]!], {}, x.type)));
      if (n % 2 === 1) {
        const odd = this.#slices(exprs, size, n - 1, n)[0]!;
        combined = this.#appendLane(combined, size, half, this.#bind(odd), d);
      }
      exprs = combined;
      n -= half;
    }
    const total: Apply = { ...e, args: [exprs[0]!], type: accumulate ? scalar("f32") : e.type };
    return accumulate ? this.#apply("convert", [total], { dtype: own }, scalar("f32")) : total;
  }

  #appendLane(pieces: readonly Expr[], size: number, lanes: number, one: Expr, d: DTypeName): Expr[] {
    if (lanes % size === 0) return [...pieces, one];
    const last = pieces[pieces.length - 1]!;
    const n = lanesOf(last);
    const joined = this.#apply("shuffle", [last, one], { lanes: count(n + 1) }, vec(d, n + 1));
    return [...pieces.slice(0, -1), this.#bind(joined)];
  }

  /** Piece by piece from the left; a later piece wins only where it is strictly better. */
  #reduceIndex(e: Apply): Expr {
    const [v, m] = e.args as [Expr, Expr];
    const { exprs, size } = this.#split(v, this.#size(v));
    const masks = this.#split(m, size).exprs;
    if (exprs.length === 1) return { ...e, args: [exprs[0]!, masks[0]!] };
    const i32 = scalar("i32");
    const bool = scalar("bool");
    const number = (value: number): Expr => ({ kind: "const", type: i32, value, at: e.at });
    const d = dtypeOf(v);
    let best: Expr | undefined;
    let bestValue: Expr | undefined;
    exprs.forEach((piece, p) => {
      const x = this.#bind(piece);
      const own = this.#bind({ ...e, args: [x, masks[p]!] });
      const lane = this.#apply("max", [own, number(0)], {}, i32);
      const value = this.#bind(this.#apply("extract", [x, lane], {}, scalarType(d)));
      const index = this.#apply("add", [own, number(p * size)], {}, i32);
      if (best === undefined || bestValue === undefined) {
        best = own;
        bestValue = value;
        return;
      }
      const or = (a: Expr, b: Expr): Expr => this.#apply("or", [a, b], {}, bool);
      const and = (a: Expr, b: Expr): Expr => this.#apply("and", [a, b], {}, bool);
      const compare = (op: OpName, a: Expr, b: Expr): Expr => this.#apply(op, [a, b], {}, bool);
      let better = compare(e.op === "rmin_idx" ? "lt" : "gt", value, bestValue);
      if (isFloat(d)) {
        better = or(better, and(compare("eq", value, value), compare("ne", bestValue, bestValue)));
        // Of two zeros the signs decide: 1 / -0 is below 1 / 0.
        const one: Expr = { kind: "const", type: scalarType(d), value: 1, at: e.at };
        const zero: Expr = { kind: "const", type: scalarType(d), value: 0, at: e.at };
        const inverse = (a: Expr): Expr => this.#apply("div", [one, a], {}, scalarType(d));
        const zeros = and(compare("eq", value, zero), compare("eq", bestValue, zero));
        const ordered = compare(e.op === "rmin_idx" ? "lt" : "gt", inverse(value), inverse(bestValue));
        better = or(better, and(zeros, ordered));
      }
      const active = compare("ge", own, number(0));
      const wins = this.#bind(and(active, or(compare("lt", best, number(0)), better)));
      best = this.#bind(this.#apply("select", [wins, index, best], {}, i32));
      bestValue = this.#bind(this.#apply("select", [wins, value, bestValue], {}, scalarType(d)));
    });
    return best!;
  }

  // ------------------------------------------------------------------------------------------ lanes

  /** Lanes of one piece where the expression is split without re-splitting. */
  #size(e: Expr): number {
    if (e.type.kind === "vec") return this.#bits / DTYPES[e.type.dtype].laneBits;
    if (e.kind === "ref") return this.#maskSize(e.local);
    if (e.kind === "apply") {
      const first = e.args[0];
      if (OPS[e.op].effect === "read") return this.#bits / 8;
      if (first?.type.kind === "vec") return this.#size(first);
      const inner = e.args.filter((a) => a.type.kind === "mask").map((a) => this.#size(a));
      if (inner.length > 0) return Math.min(...inner);
    }
    return this.#bits / 8;
  }
  #sizeOfLocal(l: Local): number {
    return l.type.kind === "vec" ? this.#bits / DTYPES[l.type.dtype].laneBits : this.#maskSize(l);
  }

  #piecesOfLocal(l: Local): readonly Local[] {
    const known = this.#locals.get(l);
    if (known !== undefined) return known;
    const size = this.#sizeOfLocal(l);
    const n = (l.type as { lanes: number }).lanes;
    const pieces =
      n <= size
        ? [l]
        : count(Math.ceil(n / size)).map((i) => ({
            ...l,
            id: this.#nextId++,
            name: `${l.name}_${i}`,
            type: withLanes(l.type, Math.min(size, n - i * size)),
          }));
    this.#locals.set(l, pieces);
    return pieces;
  }

  /** The pieces of `size` lanes of a vector or mask. */
  #split(e: Expr, size: number): Pieces {
    const natural = e.type.kind === "vec" || e.kind === "ref" || this.#fixed(e) ? this.#size(e) : size;
    const pieces = this.#pieces(e, natural);
    if (natural === size || (pieces.length === 1 && lanesOf(e) <= size)) return { exprs: pieces, size };
    const bound = pieces.map((p) => this.#bind(p));
    return { exprs: this.#slices(bound, natural, 0, lanesOf(e), size), size };
  }
  /** Masks that come in pieces of their own size: comparisons and loads. */
  #fixed(e: Expr): boolean {
    return (
      e.kind === "apply" &&
      (OPS[e.op].effect === "read" || (e.type.kind === "mask" && e.args[0]?.type.kind === "vec"))
    );
  }

  /** Lanes from .. to of pieces of `size` lanes, as pieces of `into` lanes. */
  #slices(pieces: readonly Expr[], size: number, from: number, to: number, into = size): Expr[] {
    const result: Expr[] = [];
    for (let start = from; start < to; start += into) {
      const end = Math.min(start + into, to);
      const first = Math.floor(start / size);
      const last = Math.floor((end - 1) / size);
      const sources = pieces.slice(first, last + 1);
      const only = sources[0]!;
      if (sources.length === 1 && start === first * size && end - start === lanesOf(only)) {
        result.push(only);
        continue;
      }
      const lanes = count(end - start).map((i) => start + i - first * size);
      result.push(this.#apply("shuffle", sources, { lanes }, withLanes(only.type, lanes.length)));
    }
    return result;
  }

  #pieces(e: Expr, size: number): readonly Expr[] {
    if (e.kind === "ref") {
      return this.#piecesOfLocal(e.local).map((local) =>
        local === e.local ? e : { ...e, local, type: local.type },
      );
    }
    if (e.kind === "const") throw new TypeError("a constant vector is a vconst");
    const n = lanesOf(e);
    const starts = count(Math.ceil(n / size)).map((i) => i * size);
    const lanesAt = (start: number): number => Math.min(size, n - start);
    const each = (make: (start: number, i: number, lanes: number) => Expr): Expr[] =>
      starts.map((start, i) => make(start, i, lanesAt(start)));
    const many = starts.length > 1;
    const shared = (x: Expr): Expr => (many ? this.#bind(this.#scalar(x)) : this.#scalar(x));
    switch (e.op) {
      case "vconst": {
        const values = e.attrs["values"] as readonly number[];
        return each((start, _i, lanes) => ({
          ...e,
          attrs: { ...e.attrs, values: values.slice(start, start + lanes) },
          type: withLanes(e.type, lanes),
        }));
      }
      case "splat": {
        const x = shared(e.args[0]!);
        return each((_s, _i, lanes) => ({
          ...e,
          args: [x],
          attrs: { ...e.attrs, lanes },
          type: withLanes(e.type, lanes),
        }));
      }
      case "tail_mask":
        return this.#tailMasks(e, starts, lanesAt);
      case "sel": {
        const [m, x, y] = e.args.map((a) => this.#split(a, size).exprs) as [Expr[], Expr[], Expr[]];
        return each((_s, i, lanes) => ({
          ...e,
          args: [m[i]!, x[i]!, y[i]!],
          type: withLanes(e.type, lanes),
        }));
      }
      case "select": {
        const cond = shared(e.args[0]!);
        const [x, y] = e.args.slice(1).map((a) => this.#split(a, size).exprs) as [Expr[], Expr[]];
        return each((_s, i, lanes) => ({ ...e, args: [cond, x[i]!, y[i]!], type: withLanes(e.type, lanes) }));
      }
      case "cast": {
        const x = e.args[0]!;
        const own = Math.min(size, this.#size(x));
        const cast = this.#split(x, own).exprs.map(
          (a): Expr => ({ ...e, args: [a], type: withLanes(e.type, lanesOf(a)) }),
        );
        if (own === size) return cast;
        const bound = cast.map((a) => this.#bind(a));
        return this.#slices(bound, own, 0, n, size);
      }
      case "dot":
        return this.#dots(e, size, n);
      case "shuffle":
        return this.#shuffles(e, starts, lanesAt);
      case "bitcast": {
        const x = e.args[0]!;
        const own = this.#split(x, this.#size(x)).exprs;
        return each((_s, i, lanes) => ({ ...e, args: [own[i]!], type: withLanes(e.type, lanes) }));
      }
      case "table":
        return tablePieces(this.#splitting, e, size);
      case "slide":
        return slidePieces(this.#splitting, e, size);
      case "load": {
        const base = this.#base(e.args[0]!, starts.length);
        return each((start, _i, lanes) => ({
          ...e,
          args: [this.#moved(base, start)],
          attrs: { ...e.attrs, lanes },
          type: withLanes(e.type, lanes),
        }));
      }
      case "load_masked":
      case "load_strided": {
        const strided = e.op === "load_strided";
        const [m, r] = e.args.slice(strided ? 2 : 1).map((a) => this.#split(a, size).exprs) as [
          Expr[],
          Expr[],
        ];
        const stride = strided ? shared(e.args[1]!) : undefined;
        const base = this.#base(e.args[0]!, starts.length);
        return each((start, i, lanes) => ({
          ...e,
          args:
            stride === undefined
              ? [this.#moved(base, start), m[i]!, r[i]!]
              : [this.#strided(base, stride, start), stride, m[i]!, r[i]!],
          type: withLanes(e.type, lanes),
        }));
      }
      case "gather": {
        const own = Math.min(size, this.#size(e.args[1]!));
        const [index, m, r] = e.args.slice(1).map((a) => this.#split(a, own).exprs) as [
          Expr[],
          Expr[],
          Expr[],
        ];
        const base = this.#base(e.args[0]!, index.length);
        const gathered = index.map(
          (x, i): Expr => ({ ...e, args: [base, x, m[i]!, r[i]!], type: withLanes(e.type, lanesOf(x)) }),
        );
        if (own === size) return gathered;
        const bound = gathered.map((a) => this.#bind(a));
        return this.#slices(bound, own, 0, n, size);
      }
      default: {
        if (many && e.op === "compress") return compressPieces(this.#splitting, e, size);
        if (many && e.op === "expand") return expandPieces(this.#splitting, e, size);
        const args = e.args.map((a) => this.#split(a, size).exprs);
        return each((_s, i, lanes) => ({
          ...e,
          args: args.map((a) => a[i]!),
          type: withLanes(e.type, lanes),
        }));
      }
    }
  }

  /** tail_mask of piece k counts from the piece's first lane; clamped first, so that nothing overflows. */
  #tailMasks(e: Apply, starts: readonly number[], lanesAt: (start: number) => number): Expr[] {
    const n = e.args[0]!;
    const piece = (x: Expr, lanes: number): Expr => ({
      ...e,
      args: [x],
      attrs: { lanes },
      type: mask(lanes),
    });
    if (starts.length === 1) return [piece(this.#scalar(n), lanesAt(0))];
    const constant = (value: number): Expr => ({ kind: "const", type: n.type, value, at: e.at });
    const counted = this.#bind(this.#apply("max", [this.#scalar(n), constant(0)], {}, n.type));
    return starts.map((start) =>
      piece(
        start === 0 ? counted : this.#apply("sub", [counted, constant(start)], {}, n.type),
        lanesAt(start),
      ),
    );
  }

  /** Pieces of acc as wide as its factors, or as their register allows: f16 factors by four come to half a register of f32. */
  #dots(e: Apply, size: number, n: number): readonly Expr[] {
    const [acc, x, y] = e.args as [Expr, Expr, Expr];
    const group = lanesOf(x) / n;
    const own = Math.min(size, Math.floor(this.#size(x) / group));
    const [accs, xs, ys] = [
      this.#split(acc, own).exprs,
      this.#split(x, own * group).exprs,
      this.#split(y, own * group).exprs,
    ];
    const dots = accs.map((a, i): Expr => ({ ...e, args: [a, xs[i]!, ys[i]!], type: a.type }));
    if (own === size) return dots;
    const bound = dots.map((a) => this.#bind(a));
    return this.#slices(bound, own, 0, n, size);
  }

  #shuffles(e: Apply, starts: readonly number[], lanesAt: (start: number) => number): Expr[] {
    // Every source piece with the number of its first lane in the concatenation.
    const sources: { expr: Expr; first: number; lanes: number }[] = [];
    let first = 0;
    for (const a of e.args) {
      for (const expr of this.#split(a, this.#size(a)).exprs) {
        const lanes = lanesOf(expr);
        sources.push({ expr: this.#bind(expr), first, lanes });
        first += lanes;
      }
    }
    const indices = e.attrs["lanes"] as readonly number[];
    return starts.map((start) => {
      const own = indices.slice(start, start + lanesAt(start));
      const used = sources.filter((s) => own.some((i) => i >= s.first && i < s.first + s.lanes));
      if (used.length === 0) used.push(sources[0]!);
      const lanes = own.map((i) => {
        if (i < 0) return -1;
        let before = 0;
        for (const s of used) {
          if (i >= s.first && i < s.first + s.lanes) return before + i - s.first;
          before += s.lanes;
        }
        throw new TypeError("a lane of a shuffle has no source");
      });
      return { ...e, args: used.map((s) => s.expr), attrs: { lanes }, type: withLanes(e.type, lanes.length) };
    });
  }

  // ------------------------------------------------------------------------------------------ building

  #apply(op: OpName, args: readonly Expr[], attrs: Attrs, type: Type): Apply {
    return { kind: "apply", type, op, args, attrs, at: this.#at };
  }

  /** For ops that go through memory. */
  readonly #splitting: Splitting = {
    apply: (op, args, attrs, type) => this.#apply(op, args, attrs, type),
    bind: (e) => this.#bind(e),
    define: (value) => {
      const local: Local = { id: this.#nextId++, name: "t", type: value.type, mutable: false };
      this.#define({ kind: "let", local, value, at: this.#at });
      return { kind: "ref", type: local.type, local, at: value.at };
    },
    effect: (value) => {
      this.#out.push({ kind: "effect", value, at: this.#at });
    },
    scalar: (e) => this.#scalar(e),
    split: (e, size) => this.#split(e, size).exprs,
    moved: (p, elements) => this.#moved(p, elements),
    scratch: (bytes) => {
      this.#scratchBytes = Math.max(this.#scratchBytes, bytes);
      return { kind: "ref", type: this.#scratch.type, local: this.#scratch, at: this.#at };
    },
  };

  /** Gives an expression a name, so that it is computed once. */
  #bind(e: Expr): Expr {
    if (e.kind !== "apply") return e;
    const local: Local = { id: this.#nextId++, name: "t", type: e.type, mutable: false };
    this.#out.push({ kind: "let", local, value: e, at: this.#at });
    return { kind: "ref", type: e.type, local, at: e.at };
  }

  #base(p: Expr, uses: number): Expr {
    const legal = this.#scalar(p);
    return uses > 1 ? this.#bind(legal) : legal;
  }
  #moved(p: Expr, elements: number): Expr {
    if (elements === 0) return p;
    return this.#apply(
      "ptr_add",
      [p, { kind: "const", type: scalar("i32"), value: elements, at: p.at }],
      {},
      p.type,
    );
  }
  #strided(p: Expr, stride: Expr, lanes: number): Expr {
    if (lanes === 0) return p;
    const wide =
      stride.type.kind === "scalar" && stride.type.name === "i64"
        ? stride
        : this.#apply("cast_scalar", [stride], { to: "i64" }, scalar("i64"));
    const by: Expr = { kind: "const", type: scalar("i64"), value: lanes, at: p.at };
    return this.#apply("ptr_add", [p, this.#apply("mul", [wide, by], {}, scalar("i64"))], {}, p.type);
  }
}

function isLanes(e: Expr): boolean {
  return e.type.kind === "vec" || e.type.kind === "mask";
}
function lanesOf(e: Expr): number {
  if (e.type.kind !== "vec" && e.type.kind !== "mask")
    throw new TypeError(`expected lanes, got ${e.type.kind}`);
  return e.type.lanes;
}
function dtypeOf(e: Expr): DTypeName {
  if (e.type.kind !== "vec") throw new TypeError(`expected a vector, got ${e.type.kind}`);
  return e.type.dtype;
}
function withLanes(t: Type, lanes: number): Type {
  return t.kind === "vec" ? vec(t.dtype, lanes) : mask(lanes);
}
function scalarType(d: DTypeName): Type {
  return scalar(isFloat(d) ? "f32" : d === "u32" ? "i64" : "i32");
}
function count(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i);
}
