/** What a direct call says about its run. */
import { INSPECT } from "../ir/inspect.ts";
import type { PerfMark } from "../ir/spans.ts";
import type { SchedulePolicy } from "./options.ts";
import type { TransferPolicy } from "./transfers.ts";

export interface RunFacts {
  readonly kernel: string;
  readonly target: string;
  readonly tiles: number;
  /** Seed, policy and transfers together replay the run. */
  readonly seed: number;
  readonly policy: SchedulePolicy;
  readonly transfers: TransferPolicy;
  /** Barriers that all tiles passed. */
  readonly barriers: number;
  /** Transfers started, synchronous ones included. */
  readonly transferCount: number;
  /** The lines that S.print made, in order. */
  readonly prints: readonly string[];
  /** What S.perfBegin and S.perfEnd marked, per tile, in order. */
  readonly marks: readonly (readonly PerfMark[])[];
}

export class SimulationReport implements RunFacts {
  readonly kernel: string;
  readonly target: string;
  readonly tiles: number;
  readonly seed: number;
  readonly policy: SchedulePolicy;
  readonly transfers: TransferPolicy;
  readonly barriers: number;
  readonly transferCount: number;
  readonly prints: readonly string[];
  readonly marks: readonly (readonly PerfMark[])[];
  constructor(facts: RunFacts) {
    this.kernel = facts.kernel;
    this.target = facts.target;
    this.tiles = facts.tiles;
    this.seed = facts.seed;
    this.policy = facts.policy;
    this.transfers = facts.transfers;
    this.barriers = facts.barriers;
    this.transferCount = facts.transferCount;
    this.prints = facts.prints;
    this.marks = facts.marks;
  }
  toString(): string {
    const n = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
    const work = [n(this.tiles, "tile"), n(this.barriers, "barrier"), n(this.transferCount, "transfer")];
    return `${this.kernel} on ${this.target}: ${work.join(", ")}; ${this.policy}, transfers ${this.transfers}, seed ${this.seed}`;
  }
  [INSPECT](): string {
    return this.toString();
  }
}
