/**
 * What commands asked of memory whose answer depends on addresses: rows of DRAM, and the L3 tile. steady.ts asks whether
 * the same commands, at addresses moved by further rounds, would get the same answers.
 */
import type { Dram } from "./dram.ts";
import type { EngineCommand, Place, Program } from "./program.ts";

/** Rounds that each tile moved on: the counter of which loop, or -1, and by how much. */
export interface Progress {
  readonly slot: Int32Array;
  readonly rounds: Float64Array;
}

/** Entries that happened so many more times, each time one more step of progress further. */
interface Repeat {
  readonly from: number;
  readonly to: number;
  readonly times: number;
  readonly progress: Progress;
}

/** By how much an address moves when the loops of its tile move on. */
export function shiftOf(place: Place | undefined, tile: number, { slot, rounds }: Progress): number {
  if (place === undefined) return 0;
  const at = place.slots.indexOf(slot[tile]!);
  return at < 0 ? 0 : place.strides[at]! * rounds[tile]!;
}

export class AccessLog {
  /** Of each entry its command, or -1 minus the number of a repeat. */
  readonly #command: number[] = [];
  readonly #source: number[] = [];
  readonly #target: number[] = [];
  /** Where its answers of DRAM begin: of each access how many channels, then channel, opening and ticks of each, then activations. */
  readonly #answer: number[] = [];
  readonly #answers: number[] = [];
  readonly #repeats: Repeat[] = [];
  /** What is moved on while entries are checked, outermost first, and how often. */
  readonly #moves: Progress[] = [];
  readonly #times: number[] = [];
  #moved = false;
  readonly #commands: Program["commands"];
  readonly #l3Bytes: number;

  constructor({ commands, config }: Program) {
    this.#commands = commands;
    this.#l3Bytes = config.l3.bytesPerTile;
  }

  get length(): number {
    return this.#command.length;
  }

  clear(): void {
    for (const list of [this.#command, this.#source, this.#target, this.#answer, this.#answers])
      list.length = 0;
    this.#repeats.length = 0;
  }

  add(c: EngineCommand, source: number, target: number): void {
    this.#command.push(c.index);
    this.#source.push(source);
    this.#target.push(target);
    this.#answer.push(this.#answers.length);
  }

  /** DRAM has answered the last command. */
  answered(dram: Dram): void {
    this.#answers.push(dram.touched);
    for (let i = 0; i < dram.touched; i++)
      this.#answers.push(dram.channel[i]!, dram.opening[i]!, dram.occupied[i]!);
    this.#answers.push(dram.activations);
  }

  /** The entries from one on have happened again, so many times. */
  repeat(from: number, times: number, progress: Progress): void {
    const repeat = this.#repeats.push({ from, to: this.length, times, progress }) - 1;
    this.#command.push(-1 - repeat);
    this.#source.push(0);
    this.#target.push(0);
    this.#answer.push(this.#answers.length);
  }

  /**
   * How often the entries from one on would get the same answers again, each time one step of progress further; at most
   * `times`. The rows of DRAM are then as after the last of these.
   */
  same(from: number, times: number, progress: Progress, dram: Dram): number {
    const to = this.length;
    if (from === to) return times;
    this.#moved = false;
    const before = new Float64Array(dram.open.length);
    for (let k = 1; k <= times; k++) {
      before.set(dram.open);
      if (!this.#again(from, to, k, progress, dram)) {
        dram.open.set(before);
        return k - 1;
      }
      // Nothing moves, and the rows are what they were: so it goes on.
      if (!this.#moved && before.every((row, i) => row === dram.open[i])) return times;
    }
    return times;
  }

  #again(from: number, to: number, times: number, progress: Progress, dram: Dram): boolean {
    this.#moves.push(progress);
    this.#times.push(times);
    const same = this.#entries(from, to, dram);
    this.#moves.pop();
    this.#times.pop();
    return same;
  }

  #entries(from: number, to: number, dram: Dram): boolean {
    for (let i = from; i < to; i++) {
      const index = this.#command[i]!;
      if (index >= 0) {
        if (!this.#entry(this.#commands[index]!, i, dram)) return false;
        continue;
      }
      const repeat = this.#repeats[-1 - index]!;
      for (let k = 1; k <= repeat.times; k++)
        if (!this.#again(repeat.from, repeat.to, k, repeat.progress, dram)) return false;
    }
    return true;
  }

  #entry({ tile, src, dst }: EngineCommand, i: number, dram: Dram): boolean {
    let answer = this.#answer[i]!;
    if (src !== undefined) {
      answer = this.#end(src, this.#source[i]!, this.#shift(src, tile), answer, dram);
      if (answer < 0) return false;
    }
    return dst === undefined || this.#end(dst, this.#target[i]!, this.#shift(dst, tile), answer, dram) >= 0;
  }

  #shift(place: Place, tile: number): number {
    let shift = 0;
    if (place.slots.length > 0)
      for (let i = 0; i < this.#moves.length; i++)
        shift += this.#times[i]! * shiftOf(place, tile, this.#moves[i]!);
    if (shift !== 0) this.#moved = true;
    return shift;
  }

  /** Where the answers of what follows begin, or -1 if this one differs. */
  #end(place: Place, address: number, shift: number, answer: number, dram: Dram): number {
    switch (place.level) {
      case "dram":
        dram.access(address + shift, place.runs);
        return this.#sameAnswer(dram, answer);
      case "l3": {
        const first = Math.floor((address + place.low) / this.#l3Bytes);
        const last = Math.floor((address + place.high - 1) / this.#l3Bytes);
        const same =
          shift === 0 ||
          (first === last &&
            first === Math.floor((address + shift + place.low) / this.#l3Bytes) &&
            last === Math.floor((address + shift + place.high - 1) / this.#l3Bytes));
        return same ? answer : -1;
      }
      default:
        return answer;
    }
  }

  #sameAnswer(dram: Dram, answer: number): number {
    const answers = this.#answers;
    let at = answer;
    if (answers[at++] !== dram.touched) return -1;
    for (let i = 0; i < dram.touched; i++) {
      if (answers[at++] !== dram.channel[i]) return -1;
      if (answers[at++] !== dram.opening[i]) return -1;
      if (answers[at++] !== dram.occupied[i]) return -1;
    }
    return answers[at++] === dram.activations ? at : -1;
  }
}
