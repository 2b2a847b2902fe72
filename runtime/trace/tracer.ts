/**
 * The commands of one tile, without running it: the program is walked with numbers where they are known and with nothing
 * where they are data. A loop is walked once for all its rounds, its counter being `from + step * round` ({@link Affine});
 * where a decision changes with the round it is walked in parts ({@link Demand}). What every run of the program issues is
 * thus found in a time that does not depend on how often its loops go round, and exactly.
 */
import { fail } from "../../ir/diagnostic.ts";
import type { LocationIndex } from "../../ir/kir.ts";
import type { Address, Core, Item } from "../../machine/trace.ts";
import {
  type Affine,
  add,
  alone,
  baseOf,
  type Demand,
  isConstant,
  isDemand,
  isZero,
  ofRounds,
  type Rounds,
  scale,
  settled,
  subtract,
} from "./affine.ts";
import type { Operands } from "./commands.ts";
import type { Frame, Starts } from "./expressions.ts";
import type { CommandStep, ForStep, IfStep, Jump, LoopStep, Prepared, Step } from "./prepared.ts";
import { append, appendAll, Rolled } from "./rolled.ts";
import {
  DATA,
  distance,
  isNumber,
  movedBy,
  type Pending,
  type Pointer,
  sameValue,
  type Value,
} from "./value.ts";
import { largerOf, WorkDone } from "./work.ts";

/** Items that the trace of one tile may have. */
const MOST_ITEMS = 500_000;
/** Longest period of carried variables that is looked for. */
const MOST_CARRIED_TURNS = 4;

export interface TileFacts {
  readonly program: Prepared;
  readonly tile: number;
  readonly tiles: number;
  /** By the numbers of variables; all that are no arguments are data. */
  readonly values: readonly Value[];
  readonly starts: Starts;
  /** Walks every round by itself, and keeps it an item of its own: slow, the same commands. */
  readonly oneByOne: boolean;
  /** Steps to walk before the program is refused. */
  readonly steps: number;
}

/** Thrown to the walk of the loop that a demand is made of. */
class Undecided {
  readonly demand: Demand;
  constructor(demand: Demand) {
    this.demand = demand;
  }
}

/** Events, as a part of the walk that is walked again finds them. */
interface Events {
  readonly held: ReadonlySet<number>;
  readonly started: ReadonlySet<number>;
}
/** Values of what a loop carries, at the begin of a round. */
type State = readonly Value[];

export class Tracer {
  readonly #facts: TileFacts;
  readonly #frame: Frame;
  #items: Item[] = [];
  readonly #idle = WorkDone.none();
  /** Since the last command. */
  #work = this.#idle;
  /** Loops that are walked at once, outermost first. */
  readonly #open: Rounds[] = [];
  /** Events that the program has, and those of them that a command is under way for. */
  #held = new Set<number>();
  #started = new Set<number>();
  #steps = 0;
  /** Rounds of a loop's body, as they were found when it was walked before. */
  readonly #turns = new Map<ForStep | LoopStep, number>();
  /** Operands of the command at hand, and behind them those of others. */
  readonly #args: Value[] = [];
  #at: LocationIndex = 0;
  readonly #operands: Operands = {
    pointer: (i) => this.#pointer(this.#args[i] as Value),
    count: (i) => single(this.#integer(this.#args[i] as Value, this.#at)),
    address: (i, bytes) => this.#address(add(this.#pointer(this.#args[i] as Value).at, bytes)),
  };

  constructor(facts: TileFacts) {
    const { tile, tiles, starts, values } = facts;
    this.#facts = facts;
    this.#frame = { values: [...values], tile, tiles, starts };
  }

  trace(): readonly Item[] {
    this.#list(this.#facts.program.body);
    this.#flush();
    if (sizeOf(this.#items) > MOST_ITEMS)
      this.#refuse("KPU9021", 0, `its trace has more than ${MOST_ITEMS} items`, TOO_LONG);
    return this.#items;
  }

  // -------------------------------------------------------------------------------------------- statements

  #list(steps: readonly Step[]): Jump {
    for (const s of steps) {
      const jump = this.#step(s);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  #step(s: Step): Jump {
    if (s.is === "work") {
      this.#work = this.#work.and(s.work, s.at);
      return undefined;
    }
    if (++this.#steps > this.#facts.steps)
      this.#refuse("KPU9021", s.at, "its loops go round too often to be walked", TOO_LONG);
    switch (s.is) {
      case "set":
        this.#frame.values[s.to] = s.value(this.#frame);
        return undefined;
      case "command": {
        const value = this.#command(s);
        if (s.to >= 0) this.#frame.values[s.to] = value;
        return undefined;
      }
      case "if": {
        const cond = s.cond(this.#frame);
        if (isData(cond)) return this.#either(s);
        return this.#list(this.#holds(cond) ? s.yes : s.no);
      }
      case "for":
        return this.#for(s);
      case "loop":
        return this.#loop(s);
      case "block": {
        const jump = this.#list(s.body);
        return jump?.kind === "break" && jump.label === s.label ? undefined : jump;
      }
      case "jump":
        return s.jump;
    }
  }

  /** A branch on data: no way may do more than the core's own work, and the larger of the two is counted. */
  #either(s: IfStep): Jump {
    this.#flush();
    const before = this.#events();
    const { values } = this.#frame;
    const outer = this.#items;
    const ways = [s.yes, s.no].map((body) => {
      this.#restore(before);
      this.#frame.values = [...values];
      this.#items = [];
      const jump = this.#list(body);
      this.#flush();
      return { jump, items: this.#items, values: this.#frame.values };
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
    this.#frame.values = yes.values.map((value, i) =>
      sameValue(value, no.values[i] as Value) ? value : DATA,
    );
    return undefined;
  }

  // -------------------------------------------------------------------------------------------- loops

  #for(s: ForStep): Jump {
    const { from, to, step, counter, body, at } = s;
    const first = this.#integer(from(this.#frame), at);
    const last = this.#integer(to(this.#frame), at);
    const span = single(step > 0 ? subtract(last, first) : subtract(first, last));
    const count = Math.max(0, Math.ceil(span / Math.abs(step)));
    return this.#rounds(s, count, (round) => {
      if (counter >= 0) this.#frame.values[counter] = add(first, scale(round, step));
      return this.#list(body);
    });
  }

  #loop(s: LoopStep): Jump {
    const leave: Jump = { kind: "break", label: s.label };
    const goesOn = (): boolean => {
      const jump = this.#list(s.test);
      if (jump !== undefined) throw new TypeError("a jump out of the test of a loop");
      const cond = s.cond(this.#frame);
      if (isData(cond))
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
  #rounds(s: ForStep | LoopStep, count: number, walk: (round: Affine) => Jump): Jump {
    if (count === 0) return undefined;
    this.#flush();
    const outer = this.#items;
    const { carried } = s;
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
            const found = this.#together(s, guess, rounds, next, walk);
            if (found.is === "loop") {
              rolled.together(rounds.count, found.parts);
              next += rounds.count * found.parts.length;
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
        jump = walk(next);
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
    appendAll(this.#items, rolled.items());
    return jump?.kind === "break" && jump.label === s.label ? undefined : jump;
  }

  /**
   * `rounds` bodies of some rounds each from round `first` on, walked at once: the items of each of these. There may be fewer
   * `rounds` in the end; of a single one there may be only the first rounds.
   */
  #together(
    s: ForStep | LoopStep,
    { turns, moves }: Guess,
    rounds: Rounds,
    first: number,
    walk: (round: Affine) => Jump,
  ):
    | { readonly is: "loop"; readonly parts: readonly (readonly Item[])[] }
    | { readonly is: "undecided"; readonly why: Demand } {
    const { carried } = s;
    const events = this.#events();
    const before = carried.map((l) => this.#frame.values[l] as Value);
    const start = before.map((v, i) => movedBy(v, ofRounds(rounds, 0, moves[i] as number)));
    this.#set(carried, start);
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
        // It is no loop: the rounds of the next body may begin behind this one.
        if (rounds.count === 1) break;
      }
      const isLoop =
        isSameSet(events.held, this.#held) &&
        isSameSet(events.started, this.#started) &&
        this.#state(carried).every((v, i) => sameValue(v, movedBy(start[i] as Value, moves[i] as number)));
      // What was found for all rounds is right for the first.
      if (!isLoop) rounds.count = 1;
    } catch (error) {
      if (!(error instanceof Undecided)) throw error;
      // What a round defines itself is defined again.
      this.#restore(events);
      this.#set(carried, before);
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
      this.#set(
        carried,
        before.map((v, i) => movedBy(v, (moves[i] as number) * rounds.count)),
      );
    return { is: "loop", parts };
  }

  /** @throws Undecided for a value that is another one in each round of a loop around */
  #state(carried: readonly number[]): State {
    return carried.map((l) => settledValue(this.#frame.values[l] as Value));
  }

  #set(variables: readonly number[], values: State): void {
    for (const [i, l] of variables.entries()) this.#frame.values[l] = values[i] as Value;
  }

  #events(): Events {
    return { held: new Set(this.#held), started: new Set(this.#started) };
  }
  /** Work that was counted since is forgotten. */
  #restore({ held, started }: Events): void {
    this.#held = new Set(held);
    this.#started = new Set(started);
    this.#work = this.#idle;
  }

  // -------------------------------------------------------------------------------------------- values

  /** Whether a condition that is no data holds. */
  #holds(given: Value): boolean {
    const cond = settledValue(given);
    if (!isNumber(cond)) throw new TypeError(`a condition is ${cond.is}`);
    const isNot = settled(() => isZero(cond));
    if (isDemand(isNot)) throw new Undecided(isNot);
    return !isNot;
  }

  #integer(given: Value, at: LocationIndex): Affine {
    const v = settledValue(given);
    if (isNumber(v)) return v;
    return this.#refuse("KPU9020", at, "this number is data: it comes out of memory", {
      help: "give counts and offsets as arguments, so that every run gives the same commands",
    });
  }

  #pointer(given: Value): Pointer {
    const v = settledValue(given);
    if (!isNumber(v) && v.is === "pointer") return v;
    return this.#refuse("KPU9020", this.#at, "this address is data: it comes out of memory", {
      help: "give offsets as arguments, or let S.dmaGather take the rows that an index in memory names",
    });
  }
  #event(given: Value): number {
    const v = settledValue(given);
    if (!isNumber(v) && v.is === "event") return v.id;
    return this.#refuse("KPU9020", this.#at, "which event this is depends on data", {
      help: "choose events by arguments and counters of loops",
    });
  }

  #address(a: Affine): Address {
    if (typeof a === "number") return { base: Math.floor(a) };
    const strides = this.#open.map((rounds) => {
      const step = a.terms.find((t) => t.rounds === rounds)?.step ?? 0;
      // An odd number of 4-bit elements.
      if (!Number.isInteger(step)) throw new Undecided({ demand: "turns", rounds, turns: 2 });
      return step;
    });
    while (strides[0] === 0) strides.shift();
    const base = Math.floor(a.base);
    return strides.length === 0 ? { base } : { base, strides: strides.reverse() };
  }

  // -------------------------------------------------------------------------------------------- commands

  #command(s: CommandStep): Value {
    const { e, at } = s;
    this.#at = at;
    for (const [i, value] of s.args.entries()) this.#args[i] = value(this.#frame);
    switch (e.op) {
      case "event_alloc": {
        const id = lowestFree(this.#held);
        this.#held.add(id);
        return { is: "event", id };
      }
      case "event_free":
        this.#held.delete(this.#event(this.#args[0] ?? DATA));
        return DATA;
      case "event_wait": {
        const event = this.#event(this.#args[0] ?? DATA);
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
        this.#engine(s);
        return DATA;
    }
  }

  /** A command on an event; one that is complete when its op returns is waited for at once, on an event of its own. */
  #engine({ e, site, at }: CommandStep): void {
    if (site === undefined) throw new TypeError(`${e.op} is the op of no engine`);
    const last = e.args.at(-1);
    const isAsync = last?.type.kind === "scalar" && last.type.name === "event";
    const signal = isAsync ? this.#event(this.#args[e.args.length - 1] ?? DATA) : lowestFree(this.#started);
    const command = site.command(this.#operands, signal, at);
    if (command === undefined) return;
    this.#push(command);
    if (isAsync) this.#started.add(signal);
    else this.#push({ kind: "wait", event: signal, at });
  }

  #push(item: Item): void {
    this.#flush();
    append(this.#items, item);
  }
  #flush(): void {
    if (this.#work === this.#idle) return;
    append(this.#items, this.#work.item());
    this.#work = this.#idle;
  }

  #refuse(code: "KPU9020" | "KPU9021", at: LocationIndex, message: string, o: { help: string }): never {
    const { kernel } = this.#facts.program;
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
    moves.push(baseOf(by));
  }
  return moves;
}

const isData = (v: Value): boolean => !isNumber(v) && v.is === "data";

/** @throws Undecided for a value that is another one in each round of a loop around */
function settledValue(v: Value): Exclude<Value, Pending> {
  if (typeof v !== "number" && v.is === "pending") throw new Undecided(v.why);
  return v;
}

/** The one number that it is. */
function single(a: Affine): number {
  if (!isConstant(a)) throw new Undecided(alone(a));
  return baseOf(a);
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
