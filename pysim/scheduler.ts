/**
 * Runs the tiles of a kernel that blocks: one cooperative scheduler, no clock, no threads. A tile runs until it waits;
 * which of those that can run goes next is the policy's choice, and all that is drawn is drawn from the seed.
 */
import type { WaitSite } from "../capture/index.ts";
import type { Location, Note } from "../ir/diagnostic.ts";
import { Random } from "../ir/random.ts";
import type { SchedulePolicy } from "./options.ts";
import type { Request, TileSimulation } from "./simulation.ts";

export type Coroutine = Generator<unknown, void, unknown>;

const READY = 0;
const AT_BARRIER = 1;
const DONE = 2;

/** The next tile among those whose state is READY; there is at least one. */
type Choose = (state: Uint8Array, last: number) => number;

/** The first ready tile from `from` on, in steps of 1 or -1, around the end. */
function seek(state: Uint8Array, from: number, step: 1 | -1, not = -1): number {
  const n = state.length;
  let t = (from + n) % n;
  for (let i = 0; i < n; i++) {
    if (state[t] === READY && t !== not) return t;
    t = (t + step + n) % n;
  }
  return not;
}

function chooser(policy: SchedulePolicy, seed: number, sim: TileSimulation): Choose {
  const random = new Random(seed);
  const { tiles } = sim.clock;
  switch (policy) {
    case "round-robin":
      return (state, last) => seek(state, last + 1, 1);
    case "one-tile":
      return (state, last) => seek(state, Math.max(last, 0), 1);
    case "random":
      return (state) => seek(state, random.below(tiles), 1);
    case "adversarial": {
      let epoch = -1;
      let kept = 0;
      return (state, last) => {
        if (epoch !== sim.clock.epoch) {
          epoch = sim.clock.epoch;
          kept = random.below(tiles);
        }
        return seek(state, last - 1, -1, kept);
      };
    }
  }
}

export class Scheduler {
  readonly #sim: TileSimulation;
  readonly #tiles: readonly Coroutine[];
  readonly #choose: Choose;
  readonly #state: Uint8Array;
  /** What each tile waits at. */
  readonly #site: (WaitSite | undefined)[];
  /** Waits whose transfers complete when the tile goes on, to its next line or to a barrier. */
  readonly #waiting: (Request | undefined)[];
  #ready: number;
  #done = 0;
  /** Barriers that all tiles passed. */
  barriers = 0;

  constructor(sim: TileSimulation, tiles: readonly Coroutine[], policy: SchedulePolicy, seed: number) {
    this.#sim = sim;
    this.#tiles = tiles;
    this.#choose = chooser(policy, seed, sim);
    this.#state = new Uint8Array(tiles.length);
    this.#site = new Array<undefined>(tiles.length).fill(undefined);
    this.#waiting = new Array<undefined>(tiles.length).fill(undefined);
    this.#ready = tiles.length;
  }

  run(): void {
    let last = -1;
    try {
      while (this.#done < this.#tiles.length) {
        if (this.#ready === 0) this.#meet();
        last = this.#choose(this.#state, last);
        this.#step(last);
      }
    } catch (e) {
      this.#stop(last);
      throw e;
    }
  }

  #step(tile: number): void {
    const sim = this.#sim;
    sim.clock.run(tile);
    const arrived = this.#waiting[tile];
    if (arrived !== undefined) {
      this.#waiting[tile] = undefined;
      sim.transfers.complete(arrived.events);
      if (arrived.kind === "barrier") {
        this.#arrive(tile, arrived);
        return;
      }
    }
    if ((this.#tiles[tile] as Coroutine).next().done) {
      sim.atEndOfTile();
      this.#state[tile] = DONE;
      this.#done++;
      this.#ready--;
      return;
    }
    const request = sim.requested;
    if (request === undefined) throw new TypeError(`tile ${tile} suspended without a request`);
    sim.requested = undefined;
    if (request.kind === "wait" || request.events.length > 0) this.#waiting[tile] = request;
    else this.#arrive(tile, request);
  }

  #arrive(tile: number, request: Request): void {
    this.#site[tile] = request.site;
    this.#state[tile] = AT_BARRIER;
    this.#ready--;
  }

  /** No tile can run: they met at a barrier, or never will. */
  #meet(): void {
    const { length } = this.#tiles;
    const site = this.#site[this.#state.indexOf(AT_BARRIER)];
    if (this.#done > 0) this.#earlyReturn();
    for (let t = 0; t < length; t++) if (this.#site[t] !== site) this.#divergence();
    this.#sim.clock.nextEpoch();
    this.#state.fill(READY);
    this.#ready = length;
    this.barriers++;
  }

  #earlyReturn(): never {
    const gone = this.#tilesIn(DONE);
    const waiting = this.#tilesIn(AT_BARRIER);
    const site = this.#site[waiting[0] as number];
    return this.#fail(
      "KPU5003",
      `${tileList(gone)} returned, and ${tileList(waiting)} wait${waiting.length === 1 ? "s" : ""} at a barrier for ${gone.length === 1 ? "it" : "them"}`,
      site,
      {
        help: "let every tile pass the same barriers: no return before the last one, no barrier under a condition on the tile",
        data: { returned: gone, waiting },
      },
    );
  }

  #divergence(): never {
    const groups = this.#groups();
    const texts = groups.map(({ tiles, location }) => `${tileList(tiles)} at line ${location?.line ?? "?"}`);
    return this.#fail(
      "KPU5002",
      `the tiles wait at different barriers: ${texts.join(", ")}`,
      groups[0]?.site,
      {
        help: "let every tile pass the same barriers, outside of conditions on the tile",
        data: { groups: groups.map(({ tiles, location }) => ({ tiles, line: location?.line })) },
      },
    );
  }

  /** Waiting tiles by where they wait. */
  #groups(): { site: WaitSite | undefined; tiles: number[]; location: Location | undefined }[] {
    const groups = new Map<WaitSite | undefined, number[]>();
    for (const t of this.#tilesIn(AT_BARRIER)) {
      const site = this.#site[t];
      const group = groups.get(site);
      if (group === undefined) groups.set(site, [t]);
      else group.push(t);
    }
    return [...groups].map(([site, tiles]) => ({ site, tiles, location: site?.locate() }));
  }

  #fail(
    code: "KPU5002" | "KPU5003",
    message: string,
    site: WaitSite | undefined,
    o: { help: string; data: Readonly<Record<string, unknown>> },
  ): never {
    const notes: Note[] = this.#groups().map(({ tiles, location }) => ({
      message: `${tileList(tiles)} wait${tiles.length === 1 ? "s" : ""} here for all other tiles`,
      ...(location ? { location } : {}),
    }));
    const location = site?.locate();
    return this.#sim.faults.fail(code, message, { ...o, notes, ...(location ? { location } : {}) });
  }

  #tilesIn(state: number): number[] {
    const tiles: number[] = [];
    this.#state.forEach((s, t) => {
      if (s === state) tiles.push(t);
    });
    return tiles;
  }

  /** Ends the other tiles after an error in one. */
  #stop(failed: number): void {
    this.#tiles.forEach((c, t) => {
      if (t !== failed) c.return();
    });
  }
}

/** `tile 3`, `tiles 0, 2`, `tiles 0..62`. */
function tileList(tiles: readonly number[]): string {
  const first = tiles[0] as number;
  const last = tiles[tiles.length - 1] as number;
  if (tiles.length === 1) return `tile ${first}`;
  if (tiles.length > 2 && last - first === tiles.length - 1) return `tiles ${first}..${last}`;
  return `tiles ${tiles.join(", ")}`;
}
