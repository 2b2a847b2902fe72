/**
 * Replays a program: events in the order of time, each of which is the next instruction of a core, the end of a command, or
 * the moment in which an engine may begin its next one. Nothing happens between events, so time jumps from one to the next.
 *
 * Whatever several commands share (a DRAM channel, an L3 tile, a link, the L2 of a tile) serves them in the order in which
 * they begin; at one time the unit with the smaller number is first, cores come behind units. So a command's end is known
 * when it begins.
 */
import { type CoreWork, type EngineCommand, Op, type Place, type Program } from "./program.ts";
import { Stages } from "./stages.ts";
import {
  Core,
  type CounterPlaces,
  counterPlaces,
  MachineState,
  REASON,
  REASON_COUNT,
  type Slot,
  type Unit,
} from "./state.ts";

/** Is told of each command when it begins, and of each stretch of work of a core. Times are ticks. */
export interface Watcher {
  command(
    c: EngineCommand,
    unit: number,
    issued: number,
    begin: number,
    end: number,
    source: number,
    target: number,
  ): void;
  core(work: CoreWork, tile: number, begin: number, end: number): void;
}

/** Is asked when a core is about to begin another round of a loop; may move the machine on by many rounds. */
export interface RoundHook {
  round(loop: number, now: number, until: number): void;
  /** A command that asks DRAM, L3 or the network begins: rows that it opens, and its bytes times hops. */
  began(c: EngineCommand, source: number, target: number, activations: number, hops: number): void;
}

export class Replay {
  readonly program: Program;
  readonly state: MachineState;
  readonly stages: Stages;
  readonly places: CounterPlaces;
  watcher: Watcher | undefined;
  hook: RoundHook | undefined;
  /** The tile whose rounds are looked at: the first that still runs. */
  leader = 0;

  readonly #units: number;

  constructor(program: Program) {
    this.program = program;
    this.state = new MachineState(program);
    this.places = counterPlaces(program);
    this.stages = new Stages(program, this.state);
    this.#units = program.units;
  }

  /** Handles all events up to a time. True when nothing is left to do. */
  run(until: number): boolean {
    const { state } = this;
    const { heap } = state;
    const units = this.#units;
    while (heap.size > 0) {
      const actor = heap.first();
      const time = heap.times[actor]!;
      if (time > until) return false;
      if (actor < units) this.#unit(state.units[actor]!, time);
      else this.#core(actor - units, time, until);
    }
    return true;
  }

  // -------------------------------------------------------------------------------------------- cores

  #core(tile: number, due: number, until: number): void {
    const { state, program, places } = this;
    const { heap, counters } = state;
    const { ops, args, issueTicks } = program;
    const actor = this.#units + tile;
    // Until it stops or lets another actor go first, the core stays in the heap where it is, and what it does in between is
    // written down at the end.
    let limit = Math.min(until, heap.lastBefore(actor));
    let time = due;
    let at = state.pc[tile]!;
    let mode = state.mode[tile]!;
    let issued = 0;
    let done = 0;
    // Infinity for one that stops, undefined while it goes on.
    let next: number | undefined;
    while (next === undefined) {
      const arg = args[at]!;
      const op = ops[at]!;
      switch (op) {
        case Op.issue:
        case Op.wait:
        case Op.barrier:
          if (mode === Core.runs) {
            issued++;
            time += issueTicks;
          }
          if (time > limit) {
            mode = Core.issued;
            next = time;
            break;
          }
          done++;
          mode = Core.runs;
          if (op === Op.issue) {
            const command = program.commands[arg]!;
            const unit = this.#leastLoaded(command.unitClass);
            if (unit === undefined) {
              state.queueing[command.unitClass]!.push(tile);
              mode = Core.waitsForQueue;
              next = Infinity;
              break;
            }
            this.#enqueue(unit, command, time);
            // Behind another one it changes nothing yet.
            if (((unit.tail - unit.middle) | 0) === 1) {
              this.#look(unit, time);
              limit = Math.min(until, heap.lastBefore(actor));
            }
          } else if (op === Op.wait) {
            if (state.completed[arg] !== state.signalled[arg]) {
              mode = Core.waitsForEvent;
              next = Infinity;
              break;
            }
          } else {
            if (++state.atBarrier < program.tiles) {
              mode = Core.waitsForTiles;
              next = Infinity;
              break;
            }
            state.atBarrier = 0;
            this.#passBarrier(time);
            limit = Math.min(until, heap.lastBefore(actor));
          }
          at++;
          break;
        case Op.work:
          if (mode !== Core.works) {
            if (time > limit) {
              next = time;
              break;
            }
            done++;
            const end = this.#work(arg, tile, time);
            if (end > limit) {
              mode = Core.works;
              next = end;
              break;
            }
            time = end;
          }
          mode = Core.runs;
          at++;
          break;
        case Op.begin:
          this.#beginSpan(arg, tile, time);
          at++;
          break;
        case Op.end:
          this.#endSpan(arg, tile, time);
          at++;
          break;
        case Op.loop: {
          const { slot, count, body, exit } = program.loops[arg]!;
          state.rounds[slot] = 0;
          at = count === 0 ? exit : body;
          break;
        }
        case Op.next: {
          const { slot, count, body } = program.loops[arg]!;
          const round = state.rounds[slot]! + 1;
          if (round >= count) {
            at++;
            break;
          }
          // Everything before this moment has happened, so that states of different rounds can be compared.
          const looks = this.hook !== undefined && tile === this.leader;
          if (looks && time > heap.lastBefore(actor)) {
            next = time;
            break;
          }
          state.rounds[slot] = round;
          at = body;
          if (!looks) break;
          counters[places.coreBusy + tile]! += issued * issueTicks;
          counters[places.coreDone + tile]! += done;
          issued = done = 0;
          state.pc[tile] = at;
          state.mode[tile] = mode;
          heap.set(actor, time);
          this.hook?.round(arg, time, until);
          time = heap.times[actor]!;
          limit = Math.min(until, heap.lastBefore(actor));
          if (time > until) next = time;
          break;
        }
        default:
          if (time > until) next = time;
          else {
            mode = Core.halted;
            next = Infinity;
          }
      }
    }
    counters[places.coreBusy + tile]! += issued * issueTicks;
    counters[places.coreDone + tile]! += done;
    state.pc[tile] = at;
    state.mode[tile] = mode;
    heap.set(actor, next);
    if (next !== Infinity) return;
    state.since[tile] = time;
    while (this.leader < program.tiles && state.mode[this.leader] === Core.halted) this.leader++;
  }

  #passBarrier(time: number): void {
    const { pc, mode } = this.state;
    for (let t = 0; t < this.program.tiles; t++)
      if (mode[t] === Core.waitsForTiles) {
        pc[t]! += 1;
        this.#goOn(t, REASON.barrier, time);
      }
  }

  /** The end of what a core begins to work on. */
  #work(index: number, tile: number, time: number): number {
    const { state, program, places, stages } = this;
    const { counters } = state;
    const work = program.works[index]!;
    const own = time + work.ticks;
    const end = stages.work(work, tile, time);
    counters[places.worked + index]! += 1;
    counters[places.coreBusy + tile]! += work.ticks;
    if (end > own) counters[places.coreStall + tile * REASON_COUNT + stages.reason]! += end - own;
    state.since[tile] = time;
    this.#computes(time, own);
    this.#moves(time, end);
    this.watcher?.core(work, tile, time, end);
    return end;
  }

  /** Something computes for a time. What is noted begins in the order of time. */
  #computes(begin: number, end: number): void {
    const { state, places } = this;
    const { computesUntil } = state;
    if (end <= computesUntil) return;
    state.counters[places.computing]! += end - Math.max(begin, computesUntil);
    state.computesUntil = end;
  }

  /** Something is under way for a time. */
  #moves(begin: number, end: number): void {
    const { state, places } = this;
    const { movesUntil } = state;
    if (end <= movesUntil) return;
    state.counters[places.moving]! += end - Math.max(begin, movesUntil);
    state.movesUntil = end;
  }

  /** A core that stood still continues. */
  #goOn(tile: number, reason: number, time: number): void {
    const { state, places } = this;
    const at = places.coreStall + tile * REASON_COUNT + reason;
    state.counters[at]! += time - state.since[tile]!;
    state.mode[tile] = Core.runs;
    state.heap.set(this.#units + tile, time);
  }

  #beginSpan(span: number, tile: number, time: number): void {
    const { state, places } = this;
    state.spanBegin[span] = time;
    for (let r = 0; r < REASON_COUNT; r++)
      state.spanStallBegin[span * REASON_COUNT + r] =
        state.counters[places.coreStall + tile * REASON_COUNT + r]!;
  }

  #endSpan(span: number, tile: number, time: number): void {
    const { state, places } = this;
    const { counters } = state;
    counters[places.spanTicks + span] = counters[places.spanTicks + span]! + time - state.spanBegin[span]!;
    counters[places.spanCount + span]! += 1;
    for (let r = 0; r < REASON_COUNT; r++) {
      const at = places.spanStall + span * REASON_COUNT + r;
      const stalled = counters[places.coreStall + tile * REASON_COUNT + r]!;
      counters[at] = counters[at]! + stalled - state.spanStallBegin[span * REASON_COUNT + r]!;
    }
    state.spanBegin[span] = Number.NaN;
  }

  // -------------------------------------------------------------------------------------------- engines

  /** The engine of a class with the least to do and a place in its queue; undefined if all queues are full. */
  #leastLoaded(unitClass: number): Unit | undefined {
    const { units } = this.state;
    const { queue, classes } = this.program;
    const { first, count } = classes[unitClass]!;
    let best: Unit | undefined;
    for (let u = first; u < first + count; u++) {
      const unit = units[u]!;
      if (((unit.tail - unit.middle) | 0) < queue && (best === undefined || unit.load < best.load))
        best = unit;
    }
    return best;
  }

  #enqueue(unit: Unit, command: EngineCommand, time: number): void {
    const { state } = this;
    const { rounds, completed, signalled } = state;
    const slot = unit.slot(unit.tail);
    unit.tail = (unit.tail + 1) | 0;
    unit.load += command.load;
    slot.command = command;
    slot.issuedAt = time;
    slot.source = command.src === undefined ? 0 : addressOf(command.src, rounds);
    slot.target = command.dst === undefined ? 0 : addressOf(command.dst, rounds);
    const { after, signal } = command;
    let waits = 0;
    for (let i = 0; i < after.length; i++) {
      const event = after[i]!;
      const done = completed[event]!;
      if (done === signalled[event]) continue;
      state.after[slot.afterFrom + waits] = event;
      state.afterCompleted[slot.afterFrom + waits] = done;
      waits++;
    }
    slot.afterCount = waits;
    if (signal >= 0) signalled[signal]! += 1;
  }

  #unit(unit: Unit, time: number): void {
    while (unit.head !== unit.middle) {
      const slot = unit.slot(unit.head);
      if (slot.endsAt > time) break;
      unit.head = (unit.head + 1) | 0;
      this.#complete(unit, slot.command!, time);
    }
    if (unit.retry <= time) unit.retry = Infinity;
    this.#look(unit, time);
  }

  /** The unit begins what it may. It acts next at the end of its first command, or when another one may begin. */
  #look(unit: Unit, time: number): void {
    if (unit.middle !== unit.tail && unit.waitsFor === -1) this.#begin(unit, time);
    const next = unit.head === unit.middle ? unit.retry : Math.min(unit.slot(unit.head).endsAt, unit.retry);
    this.state.heap.set(unit.number, next);
  }

  #complete(unit: Unit, command: EngineCommand, time: number): void {
    const { state, places, program } = this;
    unit.load -= command.load;
    state.counters[places.done + unit.number]! += 1;
    const { signal, tile } = command;
    if (signal < 0) return;
    state.completed[signal]! += 1;
    if (state.mode[tile] === Core.waitsForEvent && program.args[state.pc[tile]!] === signal) {
      state.pc[tile]! += 1;
      this.#goOn(tile, REASON.event, time);
    }
    let waiting = state.firstWaiting[signal]!;
    state.firstWaiting[signal] = -1;
    while (waiting >= 0) {
      const other = state.units[waiting]!;
      waiting = other.nextWaiting;
      other.waitsFor = -1;
      // The unit itself looks at its queue when all its ends at this time are handled.
      if (other !== unit) this.#look(other, time);
    }
  }

  /** Begins commands of a unit's queue, in order, as far as they may. */
  #begin(unit: Unit, time: number): void {
    const { window } = unit.unitClass;
    while (unit.middle !== unit.tail && ((unit.middle - unit.head) | 0) < window) {
      const slot = unit.slot(unit.middle);
      const command = slot.command!;
      if (slot.afterCount > 0 && this.#waitsForEvents(unit, slot)) return;
      if (unit.lastShape >= 0) {
        const earliest = unit.free + this.program.products.interval(unit.lastShape, command.shape);
        if (earliest > time) {
          unit.retry = earliest;
          return;
        }
      }
      unit.middle = (unit.middle + 1) | 0;
      this.#start(unit, slot, command, time);
      if (unit.queueing.length > 0) this.#admit(unit, time);
    }
  }

  /** Whether the command waits for an event; then its unit is woken by the event. */
  #waitsForEvents(unit: Unit, slot: Slot): boolean {
    const { after, afterCompleted, completed } = this.state;
    for (; slot.afterCount > 0; slot.afterCount--) {
      const last = slot.afterFrom + slot.afterCount - 1;
      const event = after[last]!;
      if (completed[event] !== afterCompleted[last]) continue;
      this.#wakeBy(event, unit);
      return true;
    }
    return false;
  }

  /** The unit joins those that wait for an event, which stand in the order of their numbers. */
  #wakeBy(event: number, unit: Unit): void {
    const { firstWaiting, units } = this.state;
    unit.waitsFor = event;
    let next = firstWaiting[event]!;
    if (next < 0 || next > unit.number) {
      firstWaiting[event] = unit.number;
      unit.nextWaiting = next;
      return;
    }
    let before = units[next]!;
    while ((next = before.nextWaiting) >= 0 && next < unit.number) before = units[next]!;
    before.nextWaiting = unit.number;
    unit.nextWaiting = next;
  }

  /** The core that has waited longest gets the place that has become free. */
  #admit(unit: Unit, time: number): void {
    const { state, program } = this;
    const tile = unit.queueing.shift() as number;
    const at = state.pc[tile]!;
    state.pc[tile] = at + 1;
    this.#enqueue(unit, program.commands[program.args[at]!]!, time);
    this.#goOn(tile, REASON.queue, time);
  }

  // -------------------------------------------------------------------------------------------- commands

  /** A command begins: when it ends, and what its unit did and waited for since its last end. */
  #start(unit: Unit, slot: Slot, command: EngineCommand, time: number): void {
    const { state, program, stages, places } = this;
    const { counters } = state;
    const { index, shape } = command;
    const { number, lastEnd } = unit;
    const { issuedAt, source, target } = slot;
    let wanted: number;
    let own: number;
    // What it waited for before, and while it was under way.
    let before: number = REASON.operand;
    let during: number = REASON.operand;
    if (shape >= 0) {
      own = program.products.ticks(shape);
      wanted = time + own;
      unit.free = time;
      unit.lastShape = shape;
    } else {
      own = command.startup + command.service;
      wanted = stages.transfer(command, unit, time, source, target);
      before = REASON.event;
      during = stages.reason;
      if (command.asks) this.hook?.began(command, source, target, stages.activations, stages.hops);
    }
    // Commands of a unit end in order.
    const end = Math.max(wanted, lastEnd);
    slot.beganAt = time;
    slot.endsAt = end;
    unit.lastEnd = end;
    counters[places.begun + index]! += 1;
    if (command.computes) this.#computes(time, end);
    this.#moves(time, end);
    const from = Math.max(issuedAt, lastEnd);
    const stall = places.stall + number * REASON_COUNT;
    if (time > from) counters[stall + before]! += time - from;
    const alone = end - Math.max(time, lastEnd);
    const busy = Math.min(alone, own);
    counters[places.busy + number]! += busy;
    if (alone > busy) counters[stall + during]! += alone - busy;
    this.watcher?.command(command, number, issuedAt, time, end, source, target);
  }
}

function addressOf(place: Place, rounds: Float64Array): number {
  const { slots, strides } = place;
  let address = place.base;
  for (let i = 0; i < slots.length; i++) address += strides[i]! * rounds[slots[i]!]!;
  return address;
}
