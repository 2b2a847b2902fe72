/** Channels and rows against a walk over single bursts of addresses, which has none of the shortcuts. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { clocksOf } from "../../machine/model/clock.ts";
import { Dram } from "../../machine/model/dram.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import type { Runs } from "../../machine/trace.ts";
import { smallMachine } from "./machines.ts";

interface Asked {
  readonly channel: number;
  readonly opening: number;
  readonly occupied: number;
}

/** Each stretch of a run that lies in one row of one channel, in order. */
class Walk {
  readonly open = new Map<string, number>();
  activations = 0;
  readonly #config: Pick<MachineConfig, "dram" | "dma">;
  readonly #tick: number;

  constructor(config: Pick<MachineConfig, "dram" | "dma">, tick: number) {
    this.#config = config;
    this.#tick = tick;
  }

  access(address: number, { count, bytes, stride }: Runs): Asked[] {
    const { channels, interleaveBytes, pageBytes, banks, bytesPerCycle, latency } = this.#config.dram;
    const { burstBytes } = this.#config.dma;
    const tick = this.#tick;
    this.activations = 0;
    const asked = new Map<
      number,
      { opening: number | undefined; extra: number; bytes: number; time: number; ends: Map<number, number> }
    >();
    // Times in parts of a tick, so that they are whole numbers.
    const flow = (bytes: number): number => Math.ceil(bytes / burstBytes) * burstBytes * tick;
    // Runs that touch are one.
    const runs =
      stride === bytes
        ? [[address, count * bytes] as const]
        : Array.from({ length: count }, (_, r) => [address + r * stride, bytes] as const);
    for (const [begin, length] of runs) {
      // What a channel gets of a run is contiguous there.
      const parts = new Map<number, { low: number; high: number }>();
      for (let at = begin; at < begin + length; ) {
        const block = Math.floor(at / interleaveBytes);
        const upTo = Math.min(begin + length, (block + 1) * interleaveBytes);
        const low = Math.floor(block / channels) * interleaveBytes + (at % interleaveBytes);
        const part = parts.get(block % channels);
        if (part === undefined) parts.set(block % channels, { low, high: low + upTo - at });
        else part.high = low + upTo - at;
        at = upTo;
      }
      for (const [channel, { low, high }] of parts) {
        const state = asked.get(channel) ?? {
          ...{ opening: undefined, extra: 0, bytes: 0, time: 0, ends: new Map<number, number>() },
        };
        asked.set(channel, state);
        state.bytes += Math.ceil((high - low) / burstBytes) * burstBytes;
        for (let at = low; at < high; ) {
          const row = Math.floor(at / pageBytes);
          const upTo = Math.min(high, (row + 1) * pageBytes);
          const bank = row % banks;
          const key = `${channel} ${bank}`;
          const was = this.open.get(key);
          let cost = 0;
          if (was !== row) {
            this.activations++;
            this.open.set(key, row);
            cost = (was === undefined ? latency.rowEmpty : latency.rowConflict) - latency.rowHit;
            cost = Math.max(0, cost) * tick;
          }
          const opened = (state.ends.get(bank) ?? 0) + cost * bytesPerCycle;
          const late = cost === 0 ? 0 : Math.max(0, opened - state.time);
          if (state.opening === undefined) state.opening = cost;
          else state.extra += late;
          state.time += late + flow(upTo - at);
          state.ends.set(bank, state.time);
          at = upTo;
        }
      }
    }
    return [...asked].map(([channel, { opening, extra, bytes: all }]) => ({
      channel,
      opening: opening ?? 0,
      occupied: Math.ceil(all / bytesPerCycle) * tick + Math.ceil(extra / bytesPerCycle),
    }));
  }
}

const machine = fc
  .record({
    channels: fc.constantFrom(1, 2, 3, 4),
    bytesPerCycle: fc.constantFrom(4, 16, 64),
    pageBytes: fc.constantFrom(128, 256, 1024),
    banks: fc.constantFrom(1, 2, 4, 6),
    interleaveBytes: fc.constantFrom(64, 128, 256),
    latency: fc.constantFrom(
      { rowHit: 10, rowEmpty: 20, rowConflict: 30 },
      { rowHit: 3, rowEmpty: 5, rowConflict: 90 },
      { rowHit: 8, rowEmpty: 8, rowConflict: 8 },
    ),
  })
  .map((dram) => ({ ...smallMachine, dram: { ...smallMachine.dram, ...dram } }));

const access = fc.record({
  address: fc.nat(1 << 16),
  runs: fc.record({
    count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 30, max: 90 })),
    bytes: fc.constantFrom(4, 32, 60, 64, 500, 5000),
    stride: fc.oneof(fc.constantFrom(256, 512, 768, 1024, 1536, 4096), fc.integer({ min: 5000, max: 6000 })),
  }),
});

test("one access after the other asks for the same and opens the same rows", () => {
  fc.assert(
    fc.property(machine, fc.array(access, { minLength: 1, maxLength: 5 }), (config, accesses) => {
      const clocks = clocksOf(config.clocks);
      const dram = new Dram(config, clocks);
      const walk = new Walk(config, clocks.memory);
      for (const { address, runs } of accesses) {
        dram.access(address, runs);
        const asked = Array.from({ length: dram.touched }, (_, i) => ({
          channel: dram.channel[i],
          opening: dram.opening[i],
          occupied: dram.occupied[i],
        }));
        expect(asked).toEqual(walk.access(address, runs));
        expect(dram.activations).toBe(walk.activations);
      }
      const { banks } = config.dram;
      const rows = Array.from(
        dram.open,
        (_, i) => walk.open.get(`${Math.floor(i / banks)} ${i % banks}`) ?? -1,
      );
      expect(Array.from(dram.open)).toEqual(rows);
    }),
    { numRuns: 500 },
  );
});
