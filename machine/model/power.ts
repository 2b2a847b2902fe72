/**
 * Power over time. The energy of a command counts evenly from its begin to its end; rows of DRAM and hops of the network
 * count when their command begins.
 */

import { countsOf } from "./counts.ts";
import { energyOf } from "./energy.ts";
import type { Replay } from "./replay.ts";
import { Core } from "./state.ts";

export interface PowerSample {
  /** Begin and end of the window. */
  readonly cycle: number;
  readonly end: number;
  /** Mean of the window, static power included. */
  readonly watts: number;
}

/** Windows of a run if nothing is said about their width: at least so many, unless they would be shorter than a cycle. */
const WINDOWS = 64;

/** Takes the energy of a replay at the end of each window. */
export class PowerMeter {
  /** Ends of windows in ticks, and pJ until then. */
  readonly #ends: number[] = [];
  readonly #energies: number[] = [];
  readonly #replay: Replay;
  readonly #merges: boolean;
  #width: number;

  readonly #commandPJ: Float64Array;
  readonly #workPJ: Float64Array;

  /** `width` in ticks; undefined for as many windows as a run of unknown length needs, which are merged as they become too many. */
  constructor(replay: Replay, width: number | undefined) {
    const { program } = replay;
    const { energy, tile } = program.config;
    this.#replay = replay;
    this.#merges = width === undefined;
    this.#width = width ?? program.clocks.control;
    const price = (item: Parameters<typeof countsOf>[0]): number =>
      energyOf(countsOf(item, tile.fabric), energy);
    this.#commandPJ = Float64Array.from(program.commands, ({ item }) => price(item));
    this.#workPJ = Float64Array.from(program.works, ({ item }) => price(item));
  }

  /** End of the window after the ones taken. */
  next(): number {
    return (this.#ends[this.#ends.length - 1] ?? 0) + this.#width;
  }

  /** The replay has handled everything up to a time. */
  take(time: number): void {
    if (time === (this.#ends[this.#ends.length - 1] ?? 0)) return;
    this.#ends.push(time);
    this.#energies.push(this.#energy(time));
    if (!this.#merges || this.#ends.length < 2 * WINDOWS) return;
    for (const list of [this.#ends, this.#energies]) {
      for (let i = 0; i < WINDOWS; i++) list[i] = list[2 * i + 1]!;
      list.length = WINDOWS;
    }
    this.#width *= 2;
  }

  /** Mean power of each window, with times in cycles of so many ticks. */
  samples(ticksPerCycle: number): PowerSample[] {
    const { ticksPerSecond } = this.#replay.program.clocks;
    return this.#ends.map((end, i) => {
      const begin = i === 0 ? 0 : this.#ends[i - 1]!;
      const energy = this.#energies[i]! - (i === 0 ? 0 : this.#energies[i - 1]!);
      const seconds = (end - begin) / ticksPerSecond;
      return { cycle: begin / ticksPerCycle, end: end / ticksPerCycle, watts: (energy * 1e-12) / seconds };
    });
  }

  /** pJ until a time: of all that began, less what is left of it. */
  #energy(time: number): number {
    const { state, program, places } = this.#replay;
    const { counters } = state;
    const { energy } = program.config;
    let pJ = (time / program.clocks.control) * energy.staticPerCycle;
    program.commands.forEach((_, c) => {
      pJ += counters[places.begun + c]! * this.#commandPJ[c]!;
      pJ += counters[places.activations + c]! * energy.activation;
      pJ += counters[places.hops + c]! * energy.bytes.noc;
    });
    program.works.forEach((_, w) => {
      pJ += counters[places.worked + w]! * this.#workPJ[w]!;
    });
    const left = (begin: number, end: number): number => (end <= time ? 0 : (end - time) / (end - begin));
    for (const unit of state.units)
      for (let i = unit.head; i !== unit.middle; i = (i + 1) | 0) {
        const { beganAt, endsAt, command } = unit.slot(i);
        pJ -= left(beganAt, endsAt) * this.#commandPJ[command!.index]!;
      }
    for (let t = 0; t < program.tiles; t++) {
      if (state.mode[t] !== Core.works) continue;
      const end = state.heap.times[program.units + t]!;
      pJ -= left(state.since[t]!, end) * this.#workPJ[program.args[state.pc[t]!]!]!;
    }
    return pJ;
  }
}
