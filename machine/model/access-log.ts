/**
 * What commands asked of memories and the network, where the answer depends on addresses or engines: rows of DRAM, the L3
 * tile, the way. steady.ts asks whether the same commands, at addresses moved by further rounds, would get the same answers,
 * and adds what further rounds count.
 */
import type { Dram } from "./dram.ts";
import type { EngineCommand, Place, Program } from "./program.ts";
import type { CounterPlaces } from "./state.ts";

/** Rounds that each tile moved on: of which loop and its counter, or -1, and by how much. */
export interface Progress {
  readonly loop: Int32Array;
  readonly slot: Int32Array;
  readonly rounds: Float64Array;
}

/** By how much an address moves when the loops of its tile move on. */
export function shiftOf(place: Place | undefined, tile: number, { slot, rounds }: Progress): number {
  if (place === undefined) return 0;
  const at = place.slots.indexOf(slot[tile]!);
  return at < 0 ? 0 : place.strides[at]! * rounds[tile]!;
}

/** A command that has begun, with the rows of DRAM that it opened, and its bytes times hops. */
interface Begun {
  readonly kind: "begun";
  readonly command: EngineCommand;
  readonly source: number;
  readonly target: number;
  readonly activations: number;
  readonly hops: number;
}

/** An access of DRAM. */
interface Access {
  readonly kind: "access";
  readonly tile: number;
  readonly place: Place;
  readonly address: number;
  /** Where its answer begins: of how many channels, then channel, opening and ticks of each, then activations. */
  readonly answer: number;
}

/** Entries of the same list that happened so many more times, each time one more step of progress further. */
interface Repeat {
  readonly kind: "repeat";
  readonly from: number;
  readonly to: number;
  readonly times: number;
  readonly progress: Progress;
}

/** A moment of the log: the lengths of its lists. */
export interface Moment {
  readonly begun: number;
  readonly accesses: number;
}

export class AccessLog {
  readonly #begun: (Begun | Repeat)[] = [];
  readonly #accesses: (Access | Repeat)[] = [];
  readonly #answers: number[] = [];
  /** What is moved on while accesses are asked again, outermost first, and how often. */
  readonly #moves: Progress[] = [];
  readonly #times: number[] = [];
  #moved = false;
  #rows = new Float64Array(0);
  readonly #l3Tiles: number;
  readonly #l3Bytes: number;

  constructor({ config }: Program) {
    this.#l3Tiles = config.l3.tiles;
    this.#l3Bytes = config.l3.bytesPerTile;
  }

  get moment(): Moment {
    return { begun: this.#begun.length, accesses: this.#accesses.length };
  }

  get length(): number {
    return this.#begun.length + this.#accesses.length;
  }

  clear(): void {
    this.#begun.length = 0;
    this.#accesses.length = 0;
    this.#answers.length = 0;
  }

  began(command: EngineCommand, source: number, target: number, activations: number, hops: number): void {
    this.#begun.push({ kind: "begun", command, source, target, activations, hops });
  }

  /** DRAM has answered. */
  answered({ tile }: EngineCommand, place: Place, address: number, dram: Dram): void {
    this.#accesses.push({ kind: "access", tile, place, address, answer: this.#answers.length });
    this.#answers.push(dram.touched);
    for (let i = 0; i < dram.touched; i++)
      this.#answers.push(dram.channel[i]!, dram.opening[i]!, dram.occupied[i]!);
    this.#answers.push(dram.activations);
  }

  /** What happened since a moment has happened again, so many times. */
  repeat({ begun, accesses }: Moment, times: number, progress: Progress): void {
    for (const [list, from] of [
      [this.#begun, begun],
      [this.#accesses, accesses],
    ] as const) {
      const to = list.length;
      if (from < to) list.push({ kind: "repeat", from, to, times, progress });
    }
  }

  /** Counts what began since a moment so many times more. */
  count({ begun }: Moment, times: number, counters: Float64Array, places: CounterPlaces): void {
    this.#count(begun, this.#begun.length, times, counters, places);
  }

  #count(from: number, to: number, times: number, counters: Float64Array, places: CounterPlaces): void {
    for (let i = from; i < to; i++) {
      const entry = this.#begun[i]!;
      if (entry.kind === "repeat") this.#count(entry.from, entry.to, times * entry.times, counters, places);
      else {
        counters[places.activations + entry.command.index]! += times * entry.activations;
        counters[places.hops + entry.command.index]! += times * entry.hops;
      }
    }
  }

  /**
   * How often what was asked since a moment would get the same answers again, each time one step of progress further; at most
   * `times`. The rows of DRAM are then as after the last of these.
   */
  same(since: Moment, times: number, progress: Progress, dram: Dram): number {
    const inTiles =
      this.#l3Tiles === 1 ? times : this.#inTiles(since.begun, this.#begun.length, times, progress, []);
    return this.#sameRows(since.accesses, inTiles, progress, dram);
  }

  // -------------------------------------------------------------------------------------------- L3 tiles

  /** For how many steps of progress, at most `times`, all stay in their L3 tiles, while repeats around them go round. */
  #inTiles(from: number, to: number, times: number, progress: Progress, around: readonly Repeat[]): number {
    let most = times;
    for (let i = from; i < to && most > 0; i++) {
      const entry = this.#begun[i]!;
      if (entry.kind === "repeat")
        most = this.#inTiles(entry.from, entry.to, most, progress, [...around, entry]);
      else {
        const { src, dst, tile } = entry.command;
        if (src?.level === "l3") most = this.#inTile(src, entry.source, tile, most, progress, around);
        if (dst?.level === "l3") most = this.#inTile(dst, entry.target, tile, most, progress, around);
      }
    }
    return most;
  }

  #inTile(
    place: Place,
    address: number,
    tile: number,
    times: number,
    progress: Progress,
    around: readonly Repeat[],
  ): number {
    if (place.slots.length === 0) return times;
    const step = shiftOf(place, tile, progress);
    let low = address + place.low;
    let high = address + place.high - 1;
    const l3 = Math.floor(low / this.#l3Bytes);
    const isInside = l3 === Math.floor(high / this.#l3Bytes);
    let moves = step !== 0;
    for (const { times: rounds, progress: inner } of around) {
      const shift = shiftOf(place, tile, inner);
      if (shift !== 0) moves = true;
      low += Math.min(shift, rounds * shift);
      high += Math.max(shift, rounds * shift);
    }
    if (!moves) return times;
    const first = l3 * this.#l3Bytes;
    const last = first + this.#l3Bytes - 1;
    if (!isInside || low + step < first || high + step > last) return 0;
    if (step === 0) return times;
    return Math.min(times, Math.floor((step > 0 ? last - high : low - first) / Math.abs(step)));
  }

  // -------------------------------------------------------------------------------------------- DRAM

  #sameRows(from: number, times: number, progress: Progress, dram: Dram): number {
    const to = this.#accesses.length;
    if (from === to) return times;
    const { open } = dram;
    if (this.#rows.length !== open.length) this.#rows = new Float64Array(open.length);
    const before = this.#rows;
    this.#moved = false;
    for (let k = 1; k <= times; k++) {
      before.set(open);
      if (!this.#again(from, to, k, progress, dram)) {
        open.set(before);
        return k - 1;
      }
      // Nothing moves, and the rows are what they were: so it goes on.
      if (!this.#moved && before.every((row, i) => row === open[i])) return times;
    }
    return times;
  }

  /** Asks again what was asked, so many steps of progress further. False as soon as an answer differs. */
  #again(from: number, to: number, times: number, progress: Progress, dram: Dram): boolean {
    this.#moves.push(progress);
    this.#times.push(times);
    let same = true;
    for (let i = from; i < to && same; i++) {
      const entry = this.#accesses[i]!;
      if (entry.kind === "access") same = this.#ask(entry, dram);
      else
        for (let k = 1; k <= entry.times && same; k++)
          same = this.#again(entry.from, entry.to, k, entry.progress, dram);
    }
    this.#moves.pop();
    this.#times.pop();
    return same;
  }

  #ask({ tile, place, address, answer }: Access, dram: Dram): boolean {
    let shift = 0;
    if (place.slots.length > 0)
      for (let i = 0; i < this.#moves.length; i++)
        shift += this.#times[i]! * shiftOf(place, tile, this.#moves[i]!);
    if (shift !== 0) this.#moved = true;
    dram.access(address + shift, place.runs);
    const answers = this.#answers;
    let at = answer;
    if (answers[at++] !== dram.touched) return false;
    for (let i = 0; i < dram.touched; i++) {
      if (answers[at++] !== dram.channel[i]) return false;
      if (answers[at++] !== dram.opening[i]) return false;
      if (answers[at++] !== dram.occupied[i]) return false;
    }
    return answers[at] === dram.activations;
  }
}
