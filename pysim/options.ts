/** Options of a direct call, checked once. */
import { fail } from "../ir/diagnostic.ts";
import { MAX_TILES, resolveTarget, type Target, type TargetName } from "../ir/target.ts";
import type { Checks } from "./allocator.ts";
import type { TransferPolicy } from "./transfers.ts";

/**
 * Which tile runs next where several can:
 *
 *   round-robin   in order, each until it waits
 *   random        drawn from the seed
 *   adversarial   one tile, drawn from the seed per epoch, is kept back until all others wait for it
 *   one-tile      a tile runs until it cannot go on
 */
export const POLICIES = ["round-robin", "random", "adversarial", "one-tile"] as const;
export type SchedulePolicy = (typeof POLICIES)[number];

export interface SimulateOptions {
  /** Preset name or record; "edge" by default. */
  readonly target?: TargetName | Target;
  /** Number of tiles; the target's by default. */
  readonly tiles?: number;
  /** Seed of all that is drawn: the same seed gives the same run. */
  readonly seed?: number;
  readonly policy?: SchedulePolicy;
  /** When asynchronous transfers move their data. */
  readonly transfers?: TransferPolicy;
  /** All checks but lossy and nonfinite are on by default; bounds cannot be switched off. */
  readonly checks?: boolean | Partial<Checks>;
  /** Takes the lines of S.print; console.log by default. */
  readonly print?: (line: string) => void;
}

export interface RunOptions {
  readonly target: Target;
  readonly tiles: number;
  readonly seed: number;
  readonly policy: SchedulePolicy;
  readonly transfers: TransferPolicy;
  readonly checks: Checks;
  readonly print: (line: string) => void;
}

const KNOWN = ["target", "tiles", "seed", "policy", "transfers", "checks", "print"];
const CHECKS: readonly (keyof Checks)[] = ["init", "race", "transfers", "lossy", "nonfinite"];
/** Checks of what may well be meant: only who asks gets them. */
const ASKED_FOR: readonly (keyof Checks)[] = ["lossy", "nonfinite"];

function oneOf<T extends string>(what: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  return fail("KPU6006", `${what} must be one of ${allowed.join(", ")}, got ${String(value)}`);
}

function known(what: string, given: object, allowed: readonly string[]): void {
  const unknown = Object.keys(given).find((key) => !allowed.includes(key));
  if (unknown === undefined) return;
  fail("KPU6006", `${what} has no option "${unknown}"`, { help: `it has ${allowed.join(", ")}` });
}

export function resolveOptions(o: SimulateOptions): RunOptions {
  known("a direct call", o, KNOWN);
  const target = resolveTarget(o.target);
  const tiles = o.tiles ?? target.tiles;
  if (!Number.isInteger(tiles) || tiles < 1 || tiles > MAX_TILES) {
    fail("KPU6006", `tiles must be an integer in 1..${MAX_TILES}, got ${tiles}`);
  }
  const seed = o.seed ?? 1;
  if (!Number.isSafeInteger(seed)) fail("KPU6006", `seed must be an integer, got ${seed}`);
  const given = o.checks ?? true;
  if (typeof given === "object") known("checks", given, CHECKS);
  const check = (name: keyof Checks): boolean => {
    const usual = !ASKED_FOR.includes(name);
    return typeof given === "boolean" ? given && usual : (given[name] ?? usual);
  };
  return {
    target,
    tiles,
    seed,
    policy: oneOf("policy", o.policy ?? "round-robin", POLICIES),
    transfers: oneOf("transfers", o.transfers ?? "eager", ["eager", "late"]),
    checks: {
      init: check("init"),
      race: check("race"),
      transfers: check("transfers"),
      lossy: check("lossy"),
      nonfinite: check("nonfinite"),
    },
    print: o.print ?? ((line) => console.log(line)),
  };
}
