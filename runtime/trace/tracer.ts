/**
 * The commands of one tile, without running it: the program is walked with numbers where they are known and with nothing
 * where they are data. A loop is walked once for all its rounds, its counter being `from + step * round` ({@link Affine});
 * where a decision changes with the round it is walked in parts ({@link Demand}). What every run of the program issues is
 * thus found in a time that does not depend on how often its loops go round, and exactly.
 */
import { fail } from "../../ir/diagnostic.ts";
import { DTYPES, type DTypeName, type Scope } from "../../ir/dtype.ts";
import type { Apply, Expr, Kernel, Local, LocationIndex, Stmt } from "../../ir/kir.ts";
import { OPS } from "../../ir/ops.ts";
import { assignedIn, exprsOf, forEachStmt } from "../../ir/walk.ts";
import type { Address, Core, CoreClass, Item } from "../../machine/trace.ts";
import {
  type Affine,
  add,
  alone,
  constant,
  type Demand,
  floorDivide,
  isConstant,
  isDemand,
  isZero,
  ofRounds,
  type Rounds,
  scale,
  settled,
  subtract,
} from "./affine.ts";
import { engineCommand } from "./commands.ts";
import { numberOp } from "./numbers.ts";
import { append, Rolled } from "./rolled.ts";
import { isCommand } from "./slice.ts";
import {
  DATA,
  distance,
  movedBy,
  moving,
  number,
  type Pointer,
  pending,
  sameValue,
  type Value,
} from "./value.ts";
import { CoreWork, LEVEL_OF, largerOf, type Work, workOf } from "./work.ts";

/** How a statement was left: undefined when control goes on to the next. */
type Jump =
  | { readonly kind: "break" | "continue"; readonly label: string }
  | { readonly kind: "return" }
  | undefined;

/** Items that the trace of one tile may have. */
const MOST_ITEMS = 500_000;
/** Longest period of carried variables that is looked for. */
const MOST_CARRIED_TURNS = 4;

export interface TileFacts {
  readonly kernel: Kernel;
  readonly deciding: ReadonlySet<Local>;
  readonly tile: number;
  readonly tiles: number;
  readonly values: ReadonlyMap<Local, Value>;
  /** Where scopes begin in their level, in bytes. */
  readonly starts: { readonly [K in Scope | "tables"]: number };
  /** Walks every round by itself, and keeps it an item of its own: slow, the same commands. */
  readonly oneByOne: boolean;
  /** Statements to walk before the program is refused. */
  readonly steps: number;
}

/** Thrown to the walk of the loop that a demand is made of. */
class Undecided extends Error {
  readonly demand: Demand;
  constructor(demand: Demand) {
    super("the rounds of a loop do not decide alike");
    this.demand = demand;
  }
}

/** What a part of the walk that is walked again starts from. */
interface Saved {
  readonly values: ReadonlyMap<Local, Value>;
  readonly held: ReadonlySet<number>;
  readonly started: ReadonlySet<number>;
}
/** Values of what a loop carries, at the begin of a round. */
type State = readonly Value[];

type LoopStmt = Extract<Stmt, { kind: "for" | "loop" }>;

export class Tracer {
  readonly #facts: TileFacts;
  #values: Map<Local, Value>;
  #items: Item[] = [];
  readonly #work = new CoreWork();
  /** Loops that are walked at once, outermost first. */
  readonly #open: Rounds[] = [];
  /** Events that the program has, and those of them that a command is under way for. */
  #held = new Set<number>();
  #started = new Set<number>();
  #steps = 0;
  readonly #works = new Map<Stmt, Work>();
  readonly #assigned = new Map<Stmt, readonly Local[]>();
  /** Rounds of a loop's body, as they were found when it was walked before. */
  readonly #turns = new Map<Stmt, number>();

  constructor(facts: TileFacts) {
    this.#facts = facts;
    this.#values = new Map(facts.values);
  }

  trace(): readonly Item[] {
    this.#list(this.#facts.kernel.body);
    this.#flush();
    if (sizeOf(this.#items) > MOST_ITEMS)
      this.#refuse("KPU9021", 0, `its trace has more than ${MOST_ITEMS} items`, TOO_LONG);
    return this.#items;
  }

  // -------------------------------------------------------------------------------------------- statements

  #list(stmts: readonly Stmt[]): Jump {
    for (const s of stmts) {
      const jump = this.#stmt(s);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  #stmt(s: Stmt): Jump {
    if (++this.#steps > this.#facts.steps)
      this.#refuse("KPU9021", s.at, "its loops go round too often to be walked", TOO_LONG);
    switch (s.kind) {
      case "let":
      case "assign":
      case "effect":
        this.#value(s);
        return undefined;
      case "if": {
        this.#count(s, "branch");
        const cond = this.#eval(s.cond);
        if (cond.is === "data") return this.#either(s);
        return this.#list(this.#holds(cond) ? s.then : s.else);
      }
      case "for":
        return this.#for(s);
      case "loop":
        return this.#loop(s);
      case "block": {
        const jump = this.#list(s.body);
        return jump?.kind === "break" && jump.label === s.label ? undefined : jump;
      }
      case "break":
      case "continue":
        return { kind: s.kind, label: s.label };
      case "return":
        return { kind: "return" };
    }
  }

  #value(s: Extract<Stmt, { kind: "let" | "assign" | "effect" }>): void {
    this.#count(s);
    const { value } = s;
    const result =
      isCommand(s) && value.kind === "apply"
        ? this.#command(value, value.at || s.at)
        : s.kind !== "effect" && this.#facts.deciding.has(s.local)
          ? this.#eval(value)
          : DATA;
    if (s.kind !== "effect" && this.#facts.deciding.has(s.local)) this.#values.set(s.local, result);
  }

  /** A branch on data: no way may do more than the core's own work, and the larger of the two is counted. */
  #either(s: Extract<Stmt, { kind: "if" }>): Jump {
    this.#flush();
    const before = this.#save();
    const outer = this.#items;
    const ways = [s.then, s.else].map((body) => {
      this.#restore(before);
      this.#items = [];
      const jump = this.#list(body);
      this.#flush();
      return { jump, items: this.#items, after: this.#save() };
    });
    this.#items = outer;
    const [yes, no] = ways as [(typeof ways)[number], (typeof ways)[number]];
    const work = ways.map((w) => w.items[0]);
    const isWork = ways.every((w) => w.items.length <= 1 && (w.items[0]?.kind ?? "core") === "core");
    if (!isWork || ways.some((w) => w.jump !== undefined))
      return this.#refuse("KPU9020", s.at, "this condition is data, and decides what happens next", {
        help: "use masks and S.vsel for what depends on data, so that every run gives the same commands",
      });
    const [a, b] = work.map((item) => (item?.kind === "core" ? item : undefined)) as [Core?, Core?];
    const larger = a === undefined ? b : b === undefined ? a : largerOf(a, b);
    if (larger !== undefined) append(this.#items, larger);
    for (const [local, value] of yes.after.values) {
      const other = no.after.values.get(local);
      this.#values.set(local, other !== undefined && sameValue(value, other) ? value : DATA);
    }
    return undefined;
  }

  // -------------------------------------------------------------------------------------------- loops

  #for(s: Extract<Stmt, { kind: "for" }>): Jump {
    const from = this.#integer(s.from, s.at);
    const to = this.#integer(s.to, s.at);
    const span = single(s.step > 0 ? subtract(to, from) : subtract(from, to));
    const count = Math.max(0, Math.ceil(span / Math.abs(s.step)));
    return this.#rounds(s, count, (round) => {
      this.#values.set(s.local, moving(add(from, scale(round, s.step))));
      this.#count(s, "scalar", "branch");
      return this.#list(s.body);
    });
  }

  #loop(s: Extract<Stmt, { kind: "loop" }>): Jump {
    const leave: Jump = { kind: "break", label: s.label };
    const goesOn = (): boolean => {
      const jump = this.#list(s.test);
      if (jump !== undefined) throw new TypeError("a jump out of the test of a loop");
      this.#count(s, "branch");
      const cond = this.#eval(s.cond);
      if (cond.is === "data")
        return this.#refuse("KPU9020", s.at, "how often this loop goes round is data", {
          help: "go round as often as an argument says, and use masks for what depends on data",
        });
      return this.#holds(cond);
    };
    return this.#rounds(s, Infinity, () => {
      if (s.testFirst && !goesOn()) return leave;
      const jump = this.#list(s.body);
      if (jump !== undefined && !(jump.kind === "continue" && jump.label === s.label)) return jump;
      return this.#list(s.update) ?? (s.testFirst || goesOn() ? undefined : leave);
    });
  }

  /**
   * The rounds of a loop: as many at once as decide alike, the others alone. A loop that carries something goes a few rounds
   * alone first, to see by how much it moves in each.
   */
  #rounds(s: LoopStmt, count: number, walk: (round: Affine) => Jump): Jump {
    if (count === 0) return undefined;
    this.#flush();
    const outer = this.#items;
    const carried = this.#carriedBy(s);
    const { oneByOne } = this.#facts;
    const rolled = new Rolled();
    /** Where parts end that are walked by themselves, the next one last. */
    const ends = [count];
    let history = [this.#state(carried)];
    let turns = this.#turns.get(s) ?? 1;
    /** Rounds to go alone before the next try, and after the next one that fails. */
    let [alone, patience] = [0, 1];
    let next = 0;
    let jump: Jump;
    try {
      for (let end = ends.at(-1); end !== undefined; end = ends.at(-1)) {
        if (next >= end) {
          ends.pop();
          continue;
        }
        if (alone === 0 && !oneByOne) {
          const guess = guessOf(history, turns);
          const times = guess === undefined ? 0 : Math.floor((end - next) / guess.turns);
          if (guess !== undefined && times >= 2) {
            const rounds: Rounds = { count: times, depth: this.#open.length };
            const found = this.#together(s, carried, guess, rounds, next, walk);
            if (found.is === "loop") {
              rolled.together(rounds.count, found.parts);
              next += rounds.count * guess.turns;
              history = [this.#state(carried)];
              patience = 1;
              continue;
            }
            const { why } = found;
            if (why.demand === "split") ends.push(next + why.at * guess.turns);
            else if (why.demand === "turns" && times >= 2 * why.turns) {
              turns = guess.turns * why.turns;
              this.#turns.set(s, turns);
            } else {
              alone = patience;
              patience *= 2;
            }
            continue;
          }
        }
        this.#items = oneByOne ? outer : [];
        jump = walk(constant(next));
        this.#flush();
        if (!oneByOne) rolled.round(this.#items);
        if (jump?.kind === "continue" && jump.label === s.label) jump = undefined;
        if (jump !== undefined) break;
        next++;
        if (alone > 0) alone--;
        if (carried.length > 0) {
          history.push(this.#state(carried));
          if (history.length > HISTORY) history.shift();
        }
      }
    } finally {
      this.#items = outer;
    }
    for (const item of rolled.items()) append(this.#items, item);
    return jump?.kind === "break" && jump.label === s.label ? undefined : jump;
  }

  /**
   * `rounds` bodies of some rounds each from round `first` on, walked at once: the items of each of these. There may be fewer
   * `rounds` in the end.
   */
  #together(
    s: LoopStmt,
    carried: readonly Local[],
    { turns, moves }: Guess,
    rounds: Rounds,
    first: number,
    walk: (round: Affine) => Jump,
  ):
    | { readonly is: "loop"; readonly parts: readonly (readonly Item[])[] }
    | { readonly is: "undecided"; readonly why: Demand } {
    const before = this.#save();
    const start = carried.map((l, i) =>
      movedBy(before.values.get(l) as Value, ofRounds(rounds, 0, moves[i] as number)),
    );
    carried.forEach((l, i) => {
      this.#values.set(l, start[i] as Value);
    });
    const parts: Item[][] = [];
    this.#items = [];
    this.#open.push(rounds);
    try {
      for (let t = 0; t < turns; t++) {
        const jump = walk(ofRounds(rounds, first + t, turns));
        // Which leaves it in its first round.
        if (jump !== undefined && !(jump.kind === "continue" && jump.label === s.label))
          throw new Undecided({ demand: "split", rounds, at: 1 });
        this.#flush();
        parts.push(this.#items);
        this.#items = [];
      }
      const isLoop =
        isSameSet(before.held, this.#held) &&
        isSameSet(before.started, this.#started) &&
        this.#state(carried).every((v, i) =>
          sameValue(v, movedBy(start[i] as Value, constant(moves[i] as number))),
        );
      // What was found for all rounds is right for the first.
      if (!isLoop) rounds.count = 1;
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      this.#restore(before);
      if (error.demand.rounds !== rounds) throw error;
      return { is: "undecided", why: error.demand };
    } finally {
      this.#open.pop();
    }
    if (rounds.count === Infinity)
      this.#refuse("KPU9021", s.at, "this loop never ends", {
        help: "leave it by a condition that some round makes false",
      });
    if (rounds.count > 1)
      carried.forEach((l, i) => {
        const by = constant((moves[i] as number) * rounds.count);
        this.#values.set(l, movedBy(before.values.get(l) as Value, by));
      });
    return { is: "loop", parts };
  }

  /** Deciding variables from outside of a loop that it assigns. */
  #carriedBy(s: LoopStmt): readonly Local[] {
    let found = this.#assigned.get(s);
    if (found === undefined) {
      const own = new Set<Local>();
      forEachStmt([s], (x) => {
        if (x.kind === "let" || x.kind === "for") own.add(x.local);
      });
      found = [...assignedIn([s])].filter((l) => !own.has(l) && this.#facts.deciding.has(l));
      this.#assigned.set(s, found);
    }
    return found;
  }

  /** @throws Undecided for a value that is another one in each round of a loop around */
  #state(carried: readonly Local[]): State {
    return carried.map((l) => {
      const v = this.#values.get(l) ?? DATA;
      if (v.is === "pending") throw new Undecided(v.why);
      return v;
    });
  }

  #save(): Saved {
    return { values: new Map(this.#values), held: new Set(this.#held), started: new Set(this.#started) };
  }
  /** Work that was counted since is forgotten. */
  #restore(saved: Saved): void {
    this.#values = new Map(saved.values);
    this.#held = new Set(saved.held);
    this.#started = new Set(saved.started);
    this.#work.take();
  }

  // -------------------------------------------------------------------------------------------- expressions

  #eval(e: Expr): Value {
    switch (e.kind) {
      case "const":
        return number(e.value);
      case "ref":
        return this.#values.get(e.local) ?? DATA;
      case "apply":
        return e.type.kind === "vec" || e.type.kind === "mask" ? DATA : this.#apply(e);
    }
  }

  #apply(e: Apply): Value {
    if (OPS[e.op].effect === "read") return DATA;
    const { tile, tiles, starts } = this.#facts;
    switch (e.op) {
      case "tile_id":
        return number(tile);
      case "tile_count":
        return number(tiles);
      case "alloc":
      case "alloc_const": {
        const scope = e.op === "alloc" ? (e.attrs["scope"] as Scope) : "local";
        const start = starts[e.op === "alloc" ? scope : "tables"];
        const offset = (e.attrs["offset"] as number | undefined) ?? 0;
        const dtype = e.attrs["dtype"] as DTypeName;
        return { is: "pointer", level: LEVEL_OF[scope], dtype, at: constant(start + offset) };
      }
    }
    const args = e.args.map((a) => this.#eval(a));
    const [p, q, r] = args;
    switch (e.op) {
      case "ptr_add":
        if (p?.is !== "pointer" || q === undefined) return p?.is === "null" ? p : DATA;
        if (q.is === "pending") return q;
        if (q.is !== "number") return DATA;
        return { ...p, at: add(p.at, scale(q.value, DTYPES[p.dtype].bits / 8)) };
      case "ptr_cast":
        return p?.is === "pointer" ? { ...p, dtype: e.attrs["dtype"] as DTypeName } : (p ?? DATA);
      case "ptr_null":
        return p?.is === "pointer" || p?.is === "null" ? number(p.is === "null") : DATA;
      case "ptr_eq":
      case "ptr_diff": {
        if (p?.is !== "pointer" || q?.is !== "pointer") return DATA;
        const by = subtract(p.at, q.at);
        if (e.op === "ptr_diff") {
          const elements = settled(() => floorDivide(by, DTYPES[p.dtype].bytes));
          return isDemand(elements) ? pending(elements) : moving(elements);
        }
        const isEqual = p.level === q.level && settled(() => isZero(by));
        return typeof isEqual === "boolean" ? number(isEqual) : pending(isEqual);
      }
      case "select": {
        if (p?.is === "pending") return p;
        if (q === undefined || r === undefined || p?.is !== "number") return DATA;
        const isNot = settled(() => isZero(p.value));
        return isDemand(isNot) ? pending(isNot) : isNot ? r : q;
      }
      default:
        return numberOp(e, args);
    }
  }

  /** Whether a condition that is no data holds. */
  #holds(cond: Value): boolean {
    if (cond.is === "pending") throw new Undecided(cond.why);
    if (cond.is !== "number") throw new TypeError(`a condition is ${cond.is}`);
    const isNot = settled(() => isZero(cond.value));
    if (isDemand(isNot)) throw new Undecided(isNot);
    return !isNot;
  }

  #integer(e: Expr, at: LocationIndex): Affine {
    const v = this.#eval(e);
    if (v.is === "pending") throw new Undecided(v.why);
    if (v.is === "number") return v.value;
    return this.#refuse("KPU9020", at, "this number is data: it comes out of memory", {
      help: "give counts and offsets as arguments, so that every run gives the same commands",
    });
  }

  // -------------------------------------------------------------------------------------------- commands

  #command(e: Apply, at: LocationIndex): Value {
    switch (e.op) {
      case "event_alloc": {
        const id = lowestFree(this.#held);
        this.#held.add(id);
        return { is: "event", id };
      }
      case "event_free":
        this.#held.delete(this.#event(e.args[0], at));
        return DATA;
      case "event_wait": {
        const event = this.#event(e.args[0], at);
        // Of a transfer of nothing there is nothing to wait for.
        if (this.#started.delete(event)) this.#push({ kind: "wait", event, at });
        return DATA;
      }
      case "barrier":
        this.#push({ kind: "barrier", at });
        return DATA;
      case "perf_begin":
      case "perf_end": {
        const phase = e.op === "perf_begin" ? "begin" : "end";
        this.#push({ kind: "mark", id: e.attrs["id"] as string | number, phase, at });
        return DATA;
      }
      default:
        this.#engine(e, at);
        return DATA;
    }
  }

  /** A command on an event; one that is complete when its op returns is waited for at once, on an event of its own. */
  #engine(e: Apply, at: LocationIndex): void {
    const last = e.args.at(-1);
    const isAsync = last?.type.kind === "scalar" && last.type.name === "event";
    const command = engineCommand(e, {
      pointer: (i) => this.#pointer(e.args[i] as Expr, at),
      count: (i) => single(this.#integer(e.args[i] as Expr, at)),
      address: (a) => this.#address(a),
    });
    const signal = isAsync ? this.#event(last, at) : lowestFree(this.#started);
    if (command === undefined) return;
    this.#push({ ...command, signal, at });
    if (isAsync) this.#started.add(signal);
    else this.#push({ kind: "wait", event: signal, at });
  }

  #pointer(e: Expr, at: LocationIndex): Pointer {
    const v = this.#eval(e);
    if (v.is === "pending") throw new Undecided(v.why);
    if (v.is === "pointer") return v;
    return this.#refuse("KPU9020", at, "this address is data: it comes out of memory", {
      help: "give offsets as arguments, or let S.dmaGather take the rows that an index in memory names",
    });
  }
  #event(e: Expr | undefined, at: LocationIndex): number {
    const v = e === undefined ? DATA : this.#eval(e);
    if (v.is === "pending") throw new Undecided(v.why);
    if (v.is === "event") return v.id;
    return this.#refuse("KPU9020", at, "which event this is depends on data", {
      help: "choose events by arguments and counters of loops",
    });
  }

  #address(a: Affine): Address {
    const strides = this.#open.map((rounds) => {
      const step = a.terms.get(rounds) ?? 0;
      // An odd number of 4-bit elements.
      if (!Number.isInteger(step)) throw new Undecided({ demand: "turns", rounds, turns: 2 });
      return step;
    });
    while (strides[0] === 0) strides.shift();
    const base = Math.floor(a.base);
    return strides.length === 0 ? { base } : { base, strides: strides.reverse() };
  }

  #count(s: Stmt, ...more: readonly CoreClass[]): void {
    let work = this.#works.get(s);
    if (work === undefined) {
      // The bounds of a counted loop are looked at once, its counter in every round.
      work = workOf(s.kind === "for" ? [] : exprsOf(s), ...more);
      this.#works.set(s, work);
    }
    this.#work.count(work, s.at);
  }
  #push(item: Item): void {
    this.#flush();
    append(this.#items, item);
  }
  #flush(): void {
    const core = this.#work.take();
    if (core !== undefined) append(this.#items, core);
  }

  #refuse(code: "KPU9020" | "KPU9021", at: LocationIndex, message: string, o: { help: string }): never {
    const { kernel } = this.#facts;
    return fail(code, `${kernel.name} cannot be timed without its data: ${message}`, {
      ...o,
      location: kernel.locations[at],
    });
  }
}

const TOO_LONG = {
  help: "loops whose bounds, conditions and addresses follow from arguments and counters by +, - and * are one item each",
};

/** By how much what a loop carries moves in so many rounds. */
interface Guess {
  readonly turns: number;
  readonly moves: readonly number[];
}
const HISTORY = 8 * MOST_CARRIED_TURNS + 2;

/** What the rounds so far suggest; undefined while they suggest nothing. */
function guessOf(history: readonly State[], turns: number): Guess | undefined {
  if (history.at(-1)?.length === 0) return { turns, moves: [] };
  for (let period = turns; period <= turns * MOST_CARRIED_TURNS; period *= 2) {
    const [last, before] = [movesOver(history, period, 1), movesOver(history, period, 2)];
    if (last !== undefined && before?.every((x, i) => x === last[i])) return { turns: period, moves: last };
  }
  return undefined;
}

function movesOver(history: readonly State[], period: number, back: number): readonly number[] | undefined {
  const [a, b] = [history.at(-back - period), history.at(-back)];
  if (a === undefined || b === undefined) return undefined;
  const moves: number[] = [];
  for (const [i, value] of b.entries()) {
    const by = distance(a[i] as Value, value);
    if (by === undefined) return undefined;
    // It moves by another distance in each round of a loop around.
    if (!isConstant(by)) throw new Undecided(alone(by));
    moves.push(by.base);
  }
  return moves;
}

/** The one number that it is. */
function single(a: Affine): number {
  if (!isConstant(a)) throw new Undecided(alone(a));
  return a.base;
}

function lowestFree(taken: ReadonlySet<number>): number {
  let id = 0;
  while (taken.has(id)) id++;
  return id;
}
const isSameSet = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean =>
  a.size === b.size && [...a].every((x) => b.has(x));
const sizeOf = (items: readonly Item[]): number =>
  items.reduce((n, i) => n + 1 + (i.kind === "loop" ? sizeOf(i.body) : 0), 0);
