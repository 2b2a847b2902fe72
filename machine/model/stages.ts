/**
 * When a transfer ends: what it passes, and what of that is shared. A transfer that begins at b is ready at b plus the startup
 * of its engine. From then on all its stages work at the same time: each server (DRAM channel, L3 tile, link, L2, special
 * function unit) from when it is free, and the engine itself from when the first byte has reached it. The transfer ends
 * with the last stage, and the latency of its way.
 *
 *     flows = ready + latency + opening of the first DRAM row
 *     end = max(max(flows, engine free) + bytes / engine rate, max over servers (max(ready, server free) + its ticks) + latency)
 */
import { cyclesFor, type Fraction, fractionOf } from "./clock.ts";
import { Dram } from "./dram.ts";
import {
  bankCycles,
  type CoreWork,
  type EngineCommand,
  type Place,
  type Program,
  type Spread,
} from "./program.ts";
import {
  type CounterPlaces,
  counterPlaces,
  type MachineState,
  REASON,
  type Servers,
  serversOf,
  type Unit,
} from "./state.ts";

export class Stages {
  readonly dram: Dram;
  readonly servers: Servers;
  /** What the last transfer or work waited for longest. */
  reason = 0;
  /** Rows of DRAM that the last transfer opened, and its bytes times hops. */
  activations = 0;
  hops = 0;
  /** Is told what each access of a transfer needs of DRAM, in order. */
  onDram: ((command: EngineCommand, place: Place, address: number, dram: Dram) => void) | undefined;

  readonly #program: Program;
  readonly #state: MachineState;
  readonly #places: CounterPlaces;
  readonly #l3Rate: Fraction;
  readonly #linkRate: Fraction;
  readonly #rowHit: number;
  readonly #hopTicks: number;
  readonly #l3Bytes: number;

  // Of the transfer at hand.
  #command: EngineCommand | undefined;
  #node = 0;
  #ready = 0;
  /** The latest end of its servers. */
  #last = 0;
  /** Ticks on the way, beside those of the stages, and what most of them are. */
  #latency = 0;
  #way = 0;
  #opening = 0;

  constructor(program: Program, state: MachineState) {
    const { config, clocks } = program;
    this.#program = program;
    this.#state = state;
    this.#places = counterPlaces(program);
    this.dram = new Dram(config, clocks);
    this.servers = serversOf(program);
    this.#l3Rate = fractionOf(config.l3.bytesPerCycle);
    this.#linkRate = fractionOf(config.noc.linkBytesPerCycle);
    this.#rowHit = config.dram.latency.rowHit * clocks.memory;
    this.#hopTicks = config.noc.hopCycles * clocks.control;
    this.#l3Bytes = config.l3.bytesPerTile;
  }

  /** The end of a transfer that begins at a time; it takes its turn at all servers of its way. */
  transfer(command: EngineCommand, unit: Unit, time: number, source: number, target: number): number {
    if (!command.asks) return this.#inTile(command, unit, time);
    const { network } = this.#program;
    const { counters } = this.#state;
    this.#command = command;
    this.#node = command.kind === "dma" ? network.dmaNodes[unit.number]! : network.tileNodes[command.tile]!;
    this.#ready = time + command.startup;
    this.#last = 0;
    this.#latency = command.sfuLatency;
    this.#way = REASON.sfu;
    this.#opening = 0;
    this.activations = 0;
    this.hops = 0;
    if (command.src !== undefined) this.#visit(command.src, source, false);
    if (command.dst !== undefined) this.#visit(command.dst, target, true);
    if (command.spread !== undefined) this.#serveSpread(command.spread, command.tile);
    if (command.sfuTicks > 0) this.#serve(this.servers.sfu + command.tile, 0, command.sfuTicks, REASON.sfu);
    counters[this.#places.activations + command.index]! += this.activations;
    counters[this.#places.hops + command.index]! += this.hops;
    return this.#end(command, unit, this.#latency, this.#opening, this.#way);
  }

  /** A transfer between the L2 of its tile and its fabric, or the work of a unit. */
  #inTile(command: EngineCommand, unit: Unit, time: number): number {
    const { tile, src, dst, spread, sfuTicks, sfuLatency } = command;
    const l2 = this.servers.l2 + tile;
    this.#ready = time + command.startup;
    this.#last = 0;
    if (src?.level === "l2") this.#serve(l2, 0, src.bankTicks, REASON.l2);
    if (dst?.level === "l2") this.#serve(l2, 0, dst.bankTicks, REASON.l2);
    if (spread !== undefined) this.#serveSpread(spread, tile);
    if (sfuTicks > 0) this.#serve(this.servers.sfu + tile, 0, sfuTicks, REASON.sfu);
    return this.#end(command, unit, sfuLatency, 0, REASON.sfu);
  }

  /** When the engine and the last server are done. */
  #end(command: EngineCommand, unit: Unit, latency: number, opening: number, way: number): number {
    const served = this.#last + latency;
    const own = Math.max(this.#ready + latency + opening, unit.free) + command.service;
    unit.free = own;
    if (served > own) return served;
    this.reason = way;
    return own;
  }

  /** The end of a core's own work. What it reads and writes of shared memories takes its turn there. */
  work(work: CoreWork, tile: number, time: number): number {
    const own = time + work.ticks;
    if (work.spread === undefined) return own;
    this.#ready = time;
    this.#last = own;
    this.#serveSpread(work.spread, tile);
    return this.#last;
  }

  /** All channels and L3 tiles, and the L2 of the tile, take their part. */
  #serveSpread({ channelTicks, l3Ticks, l2Ticks }: Spread, tile: number): void {
    const { servers } = this;
    for (let c = servers.channel; channelTicks > 0 && c < servers.l3; c++)
      this.#serve(c, 0, channelTicks, REASON.dram);
    for (let s = servers.l3; l3Ticks > 0 && s < servers.l2; s++) this.#serve(s, 0, l3Ticks, REASON.l3);
    if (l2Ticks > 0) this.#serve(servers.l2 + tile, 0, l2Ticks, REASON.l2);
  }

  /** The stages at one end. */
  #visit(place: Place, address: number, writes: boolean): void {
    const { kind, tile } = this.#command!;
    const { network } = this.#program;
    switch (place.level) {
      case "dram":
        this.#visitDram(place, address);
        return;
      case "l3": {
        const first = Math.floor((address + place.low) / this.#l3Bytes);
        const last = Math.floor((address + place.high - 1) / this.#l3Bytes);
        if (first === last) {
          this.#serve(this.servers.l3 + first, 0, place.bankTicks, REASON.l3);
          this.#pass(network.l3Nodes[first]!, writes, place.linkTicks, place.bytes);
        } else this.#visitL3s(place, address, writes, first, last);
        return;
      }
      case "l2":
        this.#serve(this.servers.l2 + tile, 0, place.bankTicks, REASON.l2);
        if (kind === "dma") this.#pass(network.tileNodes[tile]!, writes, place.linkTicks, place.bytes);
        return;
      case "local":
        this.#pass(network.tileNodes[tile]!, writes, place.linkTicks, place.bytes);
        return;
      case "l1":
        return;
    }
  }

  #visitDram(place: Place, address: number): void {
    const { dram } = this;
    dram.access(address, place.runs);
    for (let i = 0; i < dram.touched; i++) {
      const opening = dram.opening[i]!;
      this.#opening = Math.max(this.#opening, opening);
      this.#serve(this.servers.channel + dram.channel[i]!, opening, dram.occupied[i]!, REASON.dram);
    }
    this.#latency += this.#rowHit;
    this.#way = REASON.dram;
    this.activations += dram.activations;
    this.onDram?.(this.#command!, place, address, dram);
  }

  /** Each of several L3 tiles takes the part of the runs that it holds. */
  #visitL3s(place: Place, address: number, writes: boolean, first: number, last: number): void {
    const { config, clocks, network } = this.#program;
    const { count, bytes, stride } = place.runs;
    const before = this.#latency;
    let longest = before;
    for (let tile = first; tile <= last; tile++) {
      const low = tile * this.#l3Bytes;
      const high = low + this.#l3Bytes;
      let part = 0;
      let accesses = 0;
      for (let r = 0; r < count; r++) {
        const begin = address + r * stride;
        const inside = Math.min(begin + bytes, high) - Math.max(begin, low);
        if (inside === bytes && stride > 0) {
          // So do all runs that end before the tile does.
          const runs = Math.min(count - r, Math.floor((high - bytes - begin) / stride) + 1);
          part += runs * bytes;
          accesses += runs * cyclesFor(bytes, this.#l3Rate);
          r += runs - 1;
        } else if (inside > 0) {
          part += inside;
          accesses += cyclesFor(inside, this.#l3Rate);
        } else if (stride > 0) {
          if (begin >= high) break;
          // Those that end before the tile begins.
          r = Math.max(r, Math.ceil((low - bytes - address) / stride) - 1);
        }
      }
      if (part === 0) continue;
      this.#serve(
        this.servers.l3 + tile,
        0,
        bankCycles(accesses, config.l3.banks) * clocks.control,
        REASON.l3,
      );
      this.#latency = before;
      const linkTicks = cyclesFor(part, this.#linkRate) * clocks.control;
      this.#pass(network.l3Nodes[tile]!, writes, linkTicks, part);
      longest = Math.max(longest, this.#latency);
    }
    this.#latency = longest;
  }

  /** Bytes go through the network between a node and that of the engine. */
  #pass(node: number, writes: boolean, ticks: number, bytes: number): void {
    const { network } = this.#program;
    if (network.links === 0 || node === this.#node) return;
    const { links, hops } = writes ? network.route(this.#node, node) : network.route(node, this.#node);
    for (let i = 0; i < links.length; i++) this.#serve(this.servers.link + links[i]!, 0, ticks, REASON.noc);
    this.hops += bytes * hops;
    this.#latency += hops * this.#hopTicks;
    if (this.#way !== REASON.dram) this.#way = REASON.noc;
  }

  /** A server takes its part when it is free, at the earliest so many ticks after the transfer is ready. */
  #serve(server: number, delay: number, ticks: number, reason: number): void {
    const { serverFree, counters } = this.#state;
    const end = Math.max(this.#ready + delay, serverFree[server]!) + ticks;
    serverFree[server] = end;
    counters[this.#places.served + server]! += ticks;
    if (end > this.#last) {
      this.#last = end;
      this.reason = reason;
    }
  }
}
