/**
 * Allocations of direct execution: one buffer per tile in the near scopes, one for all tiles in l3 and global, within
 * the target's capacities.
 */
import type { DType } from "../dsl/dtypes.ts";
import { describe } from "../ir/bounds.ts";
import { bytesOf, isShared, type Scope } from "../ir/dtype.ts";
import { nextBuffer, type Target } from "../ir/target.ts";
import type { Faults } from "./faults.ts";
import { Buffer, CHECK_NOTHING, CHECK_SHADOW, CHECK_SLOWLY, Region } from "./memory.ts";
import { type Clock, Shadow } from "./shadow.ts";

/** Which checks a run makes; bounds are always checked. The last two are off unless asked for. */
export interface Checks {
  /** Reads of memory that was never written. */
  readonly init: boolean;
  /** Races between tiles. */
  readonly race: boolean;
  /** Use of memory that a transfer has in flight. */
  readonly transfers: boolean;
  /** Scalar stores and fills that do not keep the number: it wraps, loses its fraction, or becomes infinite. */
  readonly lossy: boolean;
  /** NaN and infinity that an intrinsic makes of finite operands, or that a scalar store or fill writes. */
  readonly nonfinite: boolean;
}

export class Allocator {
  readonly #target: Target;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #checks: Checks;
  /** Region that a replay watches. */
  readonly #watched: number | undefined;
  /** Buffers by scope; the near scopes per tile. */
  readonly #held = new Map<string, Buffer[]>();
  /** How many shared buffers each tile has asked for: the n-th of every tile is one buffer. */
  readonly #sharedTurn: number[];
  readonly #shared: Buffer[] = [];
  #regions = 0;

  constructor(target: Target, clock: Clock, faults: Faults, checks: Checks, watched: number | undefined) {
    this.#target = target;
    this.#clock = clock;
    this.#faults = faults;
    this.#checks = checks;
    this.#watched = watched;
    this.#sharedTurn = new Array<number>(clock.tiles).fill(0);
  }

  /** Memory [start, end) of an ArrayBuffer. */
  region(
    buffer: ArrayBufferLike,
    start: number,
    end: number,
    dtype: DType,
    o: { shared: boolean; initialised: boolean },
  ): Region {
    const shared = o.shared && this.#checks.race && this.#clock.tiles > 1;
    const initialised = o.initialised || !this.#checks.init;
    const region = new Region(this.#regions++, buffer, start, end, CHECK_NOTHING);
    if (shared || !initialised) {
      region.shadow = this.#clock.keeps(new Shadow(end - region.start, dtype.name, { shared, initialised }));
      region.checks = CHECK_SHADOW;
    }
    if (region.id === this.#watched) {
      region.watched = true;
      region.checks |= CHECK_SLOWLY;
    }
    return region;
  }

  alloc(dtype: DType, elements: number, scope: Scope): Buffer {
    if (!isShared(scope)) return this.#make(dtype, elements, scope);
    const tile = this.#clock.tile;
    const turn = this.#sharedTurn[tile] as number;
    this.#sharedTurn[tile] = turn + 1;
    const known = this.#shared[turn];
    if (known === undefined) {
      const made = this.#make(dtype, elements, scope);
      this.#shared.push(made);
      return made;
    }
    if (
      known.dtype !== dtype ||
      known.scope !== scope ||
      known.byteLength !== bytesOf(dtype.name, elements)
    ) {
      this.#faults.fail(
        "KPU4004",
        `tile ${tile} allocates ${scope} ${dtype.name}[${elements}] where another tile allocated ${describe(known)}`,
        {
          help: "all tiles share one l3 or global buffer: allocate the same on every tile, outside of conditions",
        },
      );
    }
    return known;
  }

  /** A read-only table in the tile's local memory. */
  table(dtype: DType, values: readonly number[]): Buffer {
    const made = this.#make(dtype, values.length, "local", true);
    values.forEach((x, i) => {
      made.lanes.set(i, x);
    });
    return made;
  }

  #make(dtype: DType, elements: number, scope: Scope, initialised = false): Buffer {
    const key = isShared(scope) ? scope : `${scope} ${this.#clock.tile}`;
    const held = this.#held.get(key) ?? [];
    const byteLength = bytesOf(dtype.name, elements);
    this.#fits(held, scope, dtype, elements);
    const region = this.region(new ArrayBuffer(byteLength), 0, byteLength, dtype, {
      shared: isShared(scope),
      initialised,
    });
    const made = new Buffer(`${scope}#${held.length + 1}`, scope, dtype, region, 0, byteLength);
    held.push(made);
    this.#held.set(key, held);
    return made;
  }

  #fits(held: readonly Buffer[], scope: Scope, dtype: DType, elements: number): void {
    if (scope === "global") return;
    const capacity = this.#target.capacity[scope];
    const used = held.reduce((end, b) => nextBuffer(end + b.byteLength), 0);
    const asked = bytesOf(dtype.name, elements);
    if (used + asked <= capacity) return;
    const others =
      held.length === 0
        ? ""
        : `; held: ${held.map((b) => `${b.name} ${b.dtype.name}[${b.elements}]`).join(", ")}`;
    this.#faults.fail(
      "KPU4003",
      `${dtype.name}[${elements}] needs ${asked} bytes of ${scope}, but ${capacity - used} of its ${capacity} are free on ${this.#target.name}${others}`,
      {
        help: "allocate less, reuse a buffer, or use a farther scope",
        data: { scope, asked, used, available: capacity - used, capacity, held: held.map((b) => b.name) },
      },
    );
  }
}
