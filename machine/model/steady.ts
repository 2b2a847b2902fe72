/**
 * Loops without their rounds. When a core is about to begin a round, and the machine is as it was some rounds before, all that
 * happened since will happen again, and again: the machine is moved on by as many such periods as the loops still have.
 *
 * "As it was" is exact, up to what the past cannot change: all times count from now, addresses of waiting commands may have
 * moved by their strides, and a server that is free does not know since when. Two things depend on addresses themselves, rows of
 * DRAM and the L3 tile; what was asked of them is logged, and each further period is asked again (access-log.ts), up
 * to the first that would get another answer. So results are those of the replay without this, bit for bit.
 *
 * Each round is compared with the two before it, since most periods are that short, and with one remembered longer, which is
 * replaced after 4, 8, 16, ... rounds (Brent, An improved Monte Carlo factorization algorithm, BIT 20, 1980): a longer period p
 * after t rounds of settling is found within about 3 max(p, t). Each level of loops has states of its own.
 */
import { AccessLog, type Moment, type Progress, shiftOf } from "./access-log.ts";
import { type EngineCommand, Op, type Program } from "./program.ts";
import type { Replay, RoundHook } from "./replay.ts";
import { Core, type MachineState, REASON_COUNT, type Slot, type Unit } from "./state.ts";

/** Entries of the log after which remembered states are forgotten: some tens of megabytes. */
const MOST_ENTRIES = 1 << 18;
/** Rounds for which the first state of a loop is kept. */
const FIRST_KEPT = 4;
/** States that are remembered of a loop at most. */
const MOST_KEPT = 3;

/** A state that later ones are compared with. */
interface Remembered {
  now: number;
  readonly state: Float64Array;
  length: number;
  readonly addresses: Float64Array;
  readonly rounds: Float64Array;
  /** Those that are not of single commands and works. */
  readonly counters: Float64Array;
  readonly since: Float64Array;
  readonly spanBegin: Float64Array;
  readonly spanStallBegin: Float64Array;
  logged: Moment;
}

/** What is remembered of a loop: a state kept for long, then up to two of the rounds before, oldest first. */
interface Level {
  loop: number;
  readonly kept: Remembered[];
  /** Rounds for which the first has been kept, and for which it is to be kept. */
  age: number;
  until: number;
}

export class Steady implements RoundHook {
  /** Rounds of all loops that were not replayed. */
  skipped = 0;

  readonly #replay: Replay;
  readonly #program: Program;
  readonly #state: MachineState;
  readonly #log: AccessLog;
  /** By depth of the loop; those deeper than the loop at hand are of loops that have ended. */
  readonly #levels: Level[] = [];
  /** States that nothing is remembered in. */
  readonly #spare: Remembered[] = [];
  /** Innermost loop around each instruction, and around each loop; -1 for none. */
  readonly #loopAt: Int32Array;
  readonly #outer: readonly number[];
  #logs = false;

  /** The state at hand: numbers, and addresses and commands of what waits, as long as said. */
  readonly #now: Float64Array;
  #length = 0;
  readonly #addresses: Float64Array;
  readonly #waiting: Slot[] = [];
  #waitingCount = 0;

  constructor(replay: Replay) {
    const { program, state } = replay;
    this.#replay = replay;
    this.#program = program;
    this.#state = state;
    this.#log = new AccessLog(program);
    replay.stages.onDram = (command, place, address, dram) => {
      if (this.#logs) this.#log.answered(command, place, address, dram);
    };
    const loopAt = new Int32Array(program.ops.length).fill(-1);
    // Outer loops come before those in them.
    this.#outer = program.loops.map(({ body, exit }, loop) => {
      const outer = loopAt[body - 1]!;
      loopAt.fill(loop, body, exit);
      return outer;
    });
    this.#loopAt = loopAt;
    const { slots } = state;
    const perSlot = 3 + program.mostAfter;
    const others = state.serverFree.length + state.signalled.length + 4 * program.tiles + 2;
    const lists = program.classes.length * (1 + program.tiles);
    this.#now = new Float64Array(
      8 * program.units + perSlot * slots + others + lists + program.spans.length * (1 + REASON_COUNT) + 1,
    );
    this.#addresses = new Float64Array(2 * slots);
  }

  began(c: EngineCommand, source: number, target: number, activations: number, hops: number): void {
    if (!this.#logs) return;
    if (this.#log.length >= MOST_ENTRIES) this.#forget();
    else this.#log.began(c, source, target, activations, hops);
  }

  round(loop: number, now: number, until: number): void {
    const { depth, slot, count } = this.#program.loops[loop]!;
    const left = count - 1 - this.#state.rounds[slot]!;
    const level = this.#levelOf(loop, depth);
    // The next round is the first that can be as this one was.
    if (left < (level.kept.length === 0 ? 2 : 1)) return;
    this.#describe(now);
    for (const r of level.kept) {
      const moved = this.#state.rounds[slot]! - r.rounds[slot]!;
      if (moved > left || !this.#isAsBefore(r)) continue;
      const progress = this.#progress(r);
      if (progress === undefined) continue;
      const periods = this.#periods(r, progress, now, until);
      if (periods === 0) continue;
      const next = this.#advance(r, progress, periods, now);
      this.#log.repeat(r.logged, periods, progress);
      this.skipped += periods * moved;
      // The numbers of the description are the same; the addresses have moved.
      this.#describe(next);
      this.#remember(level, next);
      return;
    }
    if (level.kept.length > 0 && ++level.age >= level.until) {
      const until = 2 * level.until;
      this.#empty(level);
      level.until = until;
    }
    this.#remember(level, now);
  }

  // -------------------------------------------------------------------------------------------- memory

  /** What is remembered of a loop, after what is of loops that have ended is forgotten. */
  #levelOf(loop: number, depth: number): Level {
    for (let d = this.#levels.length; d <= depth; d++)
      this.#levels.push({ loop: -1, kept: [], age: 0, until: FIRST_KEPT });
    for (let d = depth + 1; d < this.#levels.length; d++) this.#empty(this.#levels[d]!);
    for (let d = depth, around = loop; d >= 0; d--, around = this.#outer[around]!) {
      const level = this.#levels[d]!;
      if (level.loop === around) continue;
      this.#empty(level);
      level.loop = around;
    }
    return this.#levels[depth]!;
  }

  #empty(level: Level): void {
    while (level.kept.length > 0) this.#spare.push(level.kept.pop() as Remembered);
    level.age = 0;
    level.until = FIRST_KEPT;
  }

  #forget(): void {
    for (const level of this.#levels) this.#empty(level);
    this.#logs = false;
    this.#log.clear();
  }

  /** The description at hand is what later rounds are compared with. */
  #remember({ kept }: Level, now: number): void {
    if (this.#levels.every((level) => level.kept.length === 0)) this.#log.clear();
    this.#logs = true;
    // The first stays.
    if (kept.length === MOST_KEPT) this.#spare.push(...kept.splice(1, 1));
    const { rounds, counters, since, spanBegin, spanStallBegin } = this.#state;
    const { shared } = this.#replay.places;
    const r: Remembered = this.#spare.pop() ?? {
      now,
      state: new Float64Array(this.#now.length),
      length: 0,
      addresses: new Float64Array(this.#addresses.length),
      rounds: new Float64Array(rounds.length),
      counters: new Float64Array(shared),
      since: new Float64Array(since.length),
      spanBegin: new Float64Array(spanBegin.length),
      spanStallBegin: new Float64Array(spanStallBegin.length),
      logged: this.#log.moment,
    };
    r.now = now;
    r.length = this.#length;
    r.logged = this.#log.moment;
    for (let i = 0; i < this.#length; i++) r.state[i] = this.#now[i]!;
    for (let i = 0; i < 2 * this.#waitingCount; i++) r.addresses[i] = this.#addresses[i]!;
    for (let i = 0; i < shared; i++) r.counters[i] = counters[i]!;
    r.rounds.set(rounds);
    r.since.set(since);
    r.spanBegin.set(spanBegin);
    r.spanStallBegin.set(spanStallBegin);
    kept.push(r);
  }

  #isAsBefore({ state, length }: Remembered): boolean {
    if (length !== this.#length) return false;
    for (let i = 0; i < length; i++) if (state[i] !== this.#now[i]) return false;
    return true;
  }

  // -------------------------------------------------------------------------------------------- description

  /**
   * The state in numbers that are equal if and only if the machine goes on in the same way, but for addresses. Times count
   * from now; a time that has passed is 0 where only later events ask for it.
   */
  #describe(now: number): void {
    const state = this.#state;
    const { heap } = state;
    const { units, tiles } = this.#program;
    const out = this.#now;
    let n = 0;
    this.#waitingCount = 0;
    for (const unit of state.units) {
      const { head, middle, tail } = unit;
      const last = unit.lastEnd - now;
      const waits = middle !== tail;
      // A command that waits first counts its wait from the last end.
      out[n++] = waits || last > 0 ? last : 0;
      if (unit.lastShape < 0) out[n++] = Math.max(0, unit.free - now);
      else if (last > 0) {
        out[n++] = unit.lastShape;
        out[n++] = unit.free - now;
      } else out[n++] = -1;
      out[n++] = (middle - head) | 0;
      out[n++] = (tail - middle) | 0;
      if (head === tail) continue;
      out[n++] = unit.retry === Infinity ? -1 : unit.retry - now;
      out[n++] = unit.waitsFor;
      n = this.#describeQueue(unit, now, n);
    }
    for (let s = 0; s < state.serverFree.length; s++) out[n++] = Math.max(0, state.serverFree[s]! - now);
    for (let t = 0; t < tiles; t++) {
      const mode = state.mode[t]!;
      out[n++] = state.pc[t]!;
      out[n++] = mode;
      if (mode === Core.works) out[n++] = state.since[t]! - now;
      if (mode === Core.runs || mode === Core.issued || mode === Core.works)
        out[n++] = heap.times[units + t]! - now;
    }
    for (let e = 0; e < state.signalled.length; e++)
      out[n++] = (state.signalled[e]! - state.completed[e]!) | 0;
    for (const queueing of state.queueing) {
      out[n++] = queueing.length;
      for (const tile of queueing) out[n++] = tile;
    }
    out[n++] = state.atBarrier;
    out[n++] = Math.max(0, state.computesUntil - now);
    out[n++] = Math.max(0, state.movesUntil - now);
    for (const begin of state.spanBegin) out[n++] = Number.isNaN(begin) ? 0 : 1;
    this.#length = n;
  }

  #describeQueue(unit: Unit, now: number, from: number): number {
    const { after, afterCompleted, completed } = this.#state;
    const out = this.#now;
    let n = from;
    for (let i = unit.head; i !== unit.middle; i = (i + 1) | 0) {
      const { command, beganAt, endsAt } = unit.slot(i);
      out[n++] = command!.index;
      out[n++] = beganAt - now;
      out[n++] = endsAt - now;
    }
    for (let i = unit.middle; i !== unit.tail; i = (i + 1) | 0) {
      const slot = unit.slot(i);
      out[n++] = slot.command!.index;
      if (i === unit.middle) out[n++] = slot.issuedAt - now;
      let waits = 0;
      for (let a = slot.afterFrom; a < slot.afterFrom + slot.afterCount; a++) {
        if (completed[after[a]!] !== afterCompleted[a]) continue;
        out[n++] = after[a]!;
        waits++;
      }
      out[n++] = waits;
      this.#addresses[2 * this.#waitingCount] = slot.source;
      this.#addresses[2 * this.#waitingCount + 1] = slot.target;
      this.#waiting[this.#waitingCount++] = slot;
    }
    return n;
  }

  // -------------------------------------------------------------------------------------------- periods

  /** The loop of each tile that moved on since; undefined if what they did cannot go on in the same way. */
  #progress({ rounds: before }: Remembered): Progress | undefined {
    const { tiles, loops } = this.#program;
    const { rounds, pc } = this.#state;
    const progress = {
      loop: new Int32Array(tiles).fill(-1),
      slot: new Int32Array(tiles).fill(-1),
      rounds: new Float64Array(tiles),
    };
    for (let t = 0; t < tiles; t++)
      for (let loop = this.#loopAt[pc[t]!]!; loop >= 0; loop = this.#outer[loop]!) {
        const { slot } = loops[loop]!;
        const moved = rounds[slot]! - before[slot]!;
        if (moved === 0) continue;
        // Rounds of a loop that began anew, or of two loops at once.
        if (moved < 0 || progress.slot[t] !== -1) return undefined;
        progress.loop[t] = loop;
        progress.slot[t] = slot;
        progress.rounds[t] = moved;
      }
    return progress;
  }

  /** How often what happened since will happen again. */
  #periods(r: Remembered, progress: Progress, now: number, until: number): number {
    const { rounds } = this.#state;
    const { loops, tiles } = this.#program;
    let periods = now > r.now ? Math.floor((until - now) / (now - r.now)) : Infinity;
    for (let t = 0; t < tiles; t++) {
      if (progress.loop[t] === -1) continue;
      const { slot, count } = loops[progress.loop[t]!]!;
      periods = Math.min(periods, Math.floor((count - 1 - rounds[slot]!) / progress.rounds[t]!));
    }
    if (!(periods > 0) || !this.#sameWaits(r, now)) return 0;
    for (let i = 0; i < this.#waitingCount; i++) {
      const { src, dst, tile } = this.#waiting[i]!.command!;
      for (const [place, at] of [
        [src, 2 * i],
        [dst, 2 * i + 1],
      ] as const)
        if (this.#addresses[at]! - r.addresses[at]! !== shiftOf(place, tile, progress)) return 0;
    }
    return this.#log.same(r.logged, periods, progress, this.#replay.stages.dram);
  }

  /**
   * Whether cores that stand still and spans that are open do so since the same time, and will until after the periods, or
   * came to it in each period anew.
   */
  #sameWaits(r: Remembered, now: number): boolean {
    const { mode, since, spanBegin, spanStallBegin, counters } = this.#state;
    const { tiles, spans } = this.#program;
    const { coreStall } = this.#replay.places;
    const period = now - r.now;
    for (let t = 0; t < tiles; t++) {
      const moved = since[t]! - r.since[t]!;
      if (isStill(mode[t]!) && moved !== 0 && moved !== period) return false;
    }
    for (let s = 0; s < spans.length; s++) {
      if (Number.isNaN(spanBegin[s]!)) continue;
      const moved = spanBegin[s]! - r.spanBegin[s]!;
      if (moved === 0) continue;
      if (moved !== period) return false;
      for (let k = 0; k < REASON_COUNT; k++) {
        const at = coreStall + spans[s]!.tile * REASON_COUNT + k;
        const stalls = spanStallBegin[s * REASON_COUNT + k]! - r.spanStallBegin[s * REASON_COUNT + k]!;
        if (stalls !== counters[at]! - r.counters[at]!) return false;
      }
    }
    return true;
  }

  /** Moves the machine on by periods; the time after them. */
  #advance(r: Remembered, progress: Progress, periods: number, now: number): number {
    const state = this.#state;
    const program = this.#program;
    const { counters, rounds } = state;
    const ticks = periods * (now - r.now);
    state.heap.shift(ticks);
    for (const unit of state.units) {
      unit.free += ticks;
      unit.lastEnd += ticks;
      // Infinity stays.
      unit.retry += ticks;
      for (let i = unit.head; i !== unit.tail; i = (i + 1) | 0) {
        const slot = unit.slot(i);
        slot.beganAt += ticks;
        slot.endsAt += ticks;
        slot.issuedAt += ticks;
      }
    }
    for (let s = 0; s < state.serverFree.length; s++) state.serverFree[s]! += ticks;
    state.computesUntil += ticks;
    state.movesUntil += ticks;
    for (let i = 0; i < this.#waitingCount; i++) {
      const slot = this.#waiting[i]!;
      const { src, dst, tile } = slot.command!;
      slot.source += periods * shiftOf(src, tile, progress);
      slot.target += periods * shiftOf(dst, tile, progress);
    }
    for (let t = 0; t < program.tiles; t++) {
      const mode = state.mode[t]!;
      if (mode === Core.works || (isStill(mode) && state.since[t] !== r.since[t])) state.since[t]! += ticks;
      const slot = progress.slot[t]!;
      if (slot < 0) continue;
      rounds[slot]! += periods * progress.rounds[t]!;
      this.#count(progress.loop[t]!, periods * progress.rounds[t]!);
    }
    for (let s = 0; s < program.spans.length; s++) {
      if (Number.isNaN(state.spanBegin[s]!) || state.spanBegin[s] === r.spanBegin[s]) continue;
      state.spanBegin[s]! += ticks;
      for (let k = s * REASON_COUNT; k < (s + 1) * REASON_COUNT; k++)
        state.spanStallBegin[k]! += periods * (state.spanStallBegin[k]! - r.spanStallBegin[k]!);
    }
    for (let i = 0; i < r.counters.length; i++) counters[i]! += periods * (counters[i]! - r.counters[i]!);
    this.#log.count(r.logged, periods, counters, this.#replay.places);
    return now + ticks;
  }

  /**
   * Counts what so many rounds of a loop begin. That is what they issue: what waits is the same before and after them, and where
   * the core is in the body too.
   */
  #count(loop: number, times: number): void {
    const { ops, args, loops } = this.#program;
    const { counters } = this.#state;
    const { begun, worked } = this.#replay.places;
    const { body, exit } = loops[loop]!;
    for (let at = body; at < exit; at++) {
      const arg = args[at]!;
      if (ops[at] === Op.issue) counters[begun + arg]! += times;
      else if (ops[at] === Op.work) counters[worked + arg]! += times;
      else if (ops[at] === Op.loop) {
        this.#count(arg, times * loops[arg]!.count);
        at = loops[arg]!.exit - 1;
      }
    }
  }
}

function isStill(mode: number): boolean {
  return mode === Core.waitsForEvent || mode === Core.waitsForQueue || mode === Core.waitsForTiles;
}
