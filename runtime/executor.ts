/** One program in one memory: instantiated once, run many times. */
import { ARG_BYTES, align, type CompiledKernel, HEAD } from "../codegen/index.ts";
import type { Location } from "../ir/diagnostic.ts";
import { fail, KpuError } from "../ir/diagnostic.ts";
import { writeElements } from "../ir/elements.ts";
import { type BoundArg, type MemoryRegion, memoryRegions } from "../ir/hostargs.ts";
import { scalarOf } from "../ir/kir.ts";
import type { PerfMark } from "../ir/spans.ts";
import type { Device } from "./device.ts";
import { HostCalls } from "./host.ts";
import { Wasm, type WasmModule } from "./webassembly.ts";

type TileFunction = (tile: number, tiles: number, state: number) => number;

export interface RunState {
  readonly tiles: number;
  readonly print: (line: string) => void;
}

interface PlacedRegion {
  readonly region: MemoryRegion;
  readonly address: number;
  /** The host's bytes; undefined when the region is in device memory and used in place. */
  readonly host: Uint8Array | undefined;
  readonly written: boolean;
}

export class Executor {
  readonly #k: CompiledKernel;
  readonly #device: Device;
  readonly #base: number;
  readonly #host: HostCalls;
  readonly #tile: TileFunction;

  constructor(k: CompiledKernel, module: WasmModule, device: Device) {
    this.#k = k;
    this.#device = device;
    this.#base = device.reserve(k.emitted.programBytes);
    this.#host = new HostCalls(k, this.#base, () => device);
    const base = new Wasm.Global({ value: "i32", mutable: false }, this.#base);
    const { fail: failing, call, outside } = this.#host;
    const instance = new Wasm.Instance(module, {
      kpu: { memory: device.memory, base, fail: failing, host: call, outside },
    });
    this.#tile = instance.exports["tile"] as TileFunction;
    k.machine.tables.forEach((t, i) => {
      writeElements(t.dtype, device.view, this.#base + k.layout.tables[i]!, t.values);
    });
  }

  /** Runs all tiles; gives what each of them marked. */
  run(args: readonly BoundArg[], o: RunState): readonly (readonly PerfMark[])[] {
    const placed = this.#place(args, o.tiles);
    this.#host.begin(o.tiles, o.print);
    this.#tiles(o.tiles);
    const { bytes } = this.#device;
    for (const { region, address, host, written } of placed) {
      if (host !== undefined && written)
        host.set(bytes.subarray(address, address + region.end - region.start));
    }
    return this.#host.marks;
  }

  /** Copies host memory in and writes the argument block. */
  #place(args: readonly BoundArg[], tiles: number): PlacedRegion[] {
    const { layout, forwarding, emitted, params, machine } = this.#k;
    const device = this.#device;
    const own = device.memory.buffer;
    const tileAreas = align(device.top);
    let at = align(tileAreas + tiles * emitted.tileBytes);
    const addresses: number[] = [];
    const placed: PlacedRegion[] = memoryRegions(args).map((region) => {
      const inPlace = region.buffer === own;
      const address = inPlace ? region.start : at;
      if (!inPlace) at = align(at + region.end - region.start + 1);
      for (const m of region.members) addresses[m] = address - region.start;
      const host = inPlace
        ? undefined
        : new Uint8Array(region.buffer, region.start, region.end - region.start);
      return { region, address, host, written: region.members.some((m) => params[m]?.written) };
    });
    device.ensure(at);
    const { bytes, view } = device;
    for (const { address, host } of placed) if (host !== undefined) bytes.set(host, address);
    view.setUint32(this.#base + HEAD.tiles, tileAreas, true);
    view.setUint32(this.#base + HEAD.tileBytes, emitted.tileBytes, true);
    const shares = ({ region, written }: PlacedRegion): boolean =>
      written && region.members.some((m) => forwarding.sources.includes(m));
    view.setUint32(this.#base + HEAD.apart, placed.some(shares) ? 0 : 1, true);
    machine.params.forEach((p, i) => {
      const arg = args[i] as BoundArg;
      const slot = this.#base + layout.args + i * ARG_BYTES;
      if (arg.kind === "scalar") writeScalar(view, slot, scalarOf(p.dtype), arg.value);
      else {
        const address = arg.isNull ? 0 : addresses[i]! + arg.byteOffset;
        writeWide(view, slot, address);
        writeWide(view, slot + 8, address);
        writeWide(view, slot + 16, address + arg.byteLength);
      }
    });
    return placed;
  }

  /** Tile after tile up to the next barrier, until all have ended. */
  #tiles(tiles: number): void {
    const states = new Int32Array(tiles);
    try {
      do {
        for (let t = 0; t < tiles; t++) {
          this.#host.enter(t);
          const status = this.#tile(t, tiles, states[t]!);
          if (status === 0) this.#host.leave(t);
          states[t] = status;
        }
        this.#mustMeet(states);
      } while (states[0] !== 0);
    } catch (error) {
      throw asDiagnostic(error, this.#k.name);
    }
  }

  /** After a round: all tiles have ended, or all wait at one barrier. */
  #mustMeet(states: Int32Array): void {
    const first = states[0]!;
    if (states.every((s) => s === first)) return;
    const place = (s: number): string => {
      const l = this.#locationOf(s);
      return l === undefined ? `barrier ${s}` : `the barrier at ${l.file}:${l.line}:${l.column}`;
    };
    const { name } = this.#k;
    const data = { kernel: name, states: Array.from(states) };
    const ended = states.indexOf(0);
    if (ended >= 0) {
      const waits = states.findIndex((s) => s !== 0);
      fail(
        "KPU5003",
        `tile ${ended} of ${name} returned while tile ${waits} waits at ${place(states[waits]!)}`,
        {
          location: this.#locationOf(states[waits]!),
          help: "let every tile reach every barrier; guard the work, not the barrier",
          data,
        },
      );
    }
    const other = states.findIndex((s) => !this.#samePlace(s, first));
    if (other < 0) return;
    fail("KPU5002", `tile 0 of ${name} waits at ${place(first)}, tile ${other} at ${place(states[other]!)}`, {
      location: this.#locationOf(states[other]!),
      help: "all tiles must meet at the same barrier",
      data,
    });
  }

  #locationOf(barrier: number): Location | undefined {
    return this.#k.machine.locations[this.#k.emitted.barriers.at[barrier - 1] ?? 0];
  }
  /** One barrier of the source may stand in the program several times: inlined or unrolled. */
  #samePlace(a: number, b: number): boolean {
    if (a === b) return true;
    const [p, q] = [this.#locationOf(a), this.#locationOf(b)];
    return (
      p !== undefined && q !== undefined && p.file === q.file && p.line === q.line && p.column === q.column
    );
  }
}

function writeScalar(view: DataView, at: number, type: "i32" | "i64" | "f32" | "bool", value: number): void {
  if (type === "f32") view.setFloat32(at, value, true);
  else if (type === "i64") writeWide(view, at, value);
  else view.setInt32(at, value, true);
}
/** A non-negative integer below 2^53 in 64 bits. */
function writeWide(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** What WebAssembly itself stops for: an access outside of the whole memory. */
function asDiagnostic(error: unknown, kernel: string): unknown {
  if (error instanceof KpuError || !(error instanceof Wasm.RuntimeError)) return error;
  try {
    fail("KPU4001", `${kernel} accesses memory outside of the device (${error.message})`, {
      help: "build with { checks: true } to see where",
      data: { kernel },
    });
  } catch (diagnosed) {
    return diagnosed;
  }
}
