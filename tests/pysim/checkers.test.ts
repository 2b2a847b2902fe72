/**
 * Every checker of direct execution: the kernel with the bug is caught with code, line, tile and range; its repaired
 * twin passes. Lines are found by the marks in this file.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { bool, f32, i32, u8 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, ptr } from "../../dsl/kernel.ts";
import { S } from "../../dsl/s.ts";
import type { DiagnosticCode } from "../../ir/codes.ts";
import { POLICIES, type SimulateOptions } from "../../pysim/index.ts";
import { direct, faultOf, lineOf } from "./direct.ts";
import { unchecked } from "./unchecked.ts";

const HERE = fileURLToPath(import.meta.url);

interface Expected {
  readonly code: DiagnosticCode;
  /** Mark of the line that is blamed. */
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Mark of the line that a note shows. */
  readonly note?: string;
  readonly says: RegExp;
}

interface Case {
  readonly bug: Kernel;
  readonly twin: Kernel;
  readonly args: () => unknown[];
  readonly options?: SimulateOptions;
  /** The checker finds it before the first run: the run is tested without the checker too. */
  readonly static?: true;
  readonly expect: Expected;
}

const floats = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);
const loose = (k: unknown): Kernel => k as Kernel;

const cases: Record<string, Case> = {
  "scalar out of bounds": {
    bug: loose(
      kernel([ptr(f32), i32], function bug(x, n) {
        if (S.tileId() === 1) x.set(n, 1); // @scalar
      }),
    ),
    twin: loose(
      kernel([ptr(f32), i32], function twin(x, n) {
        if (S.tileId() === 1) x.set(n - 1, 1);
      }),
    ),
    args: () => [floats(8), 8],
    expect: {
      code: "KPU4001",
      at: "scalar",
      data: { tile: 1, buffer: "x", first: 8, last: 8, size: 8 },
      says: /tile 1 writes x\[8\], outside x \(global f32\[8\]\)/,
    },
  },
  "vector out of bounds": {
    bug: loose(
      kernel([ptr(f32)], function bug(x) {
        S.vload(x.at(4)); // @vector
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(x) {
        S.vload(x.at(4), { mask: S.tailMask(6, 8) });
      }),
    ),
    args: () => [floats(10)],
    expect: {
      code: "KPU4001",
      at: "vector",
      data: { tile: 0, buffer: "x", first: 4, last: 11 },
      says: /reads x\[4\.\.11\]/,
    },
  },
  "gather out of bounds": {
    bug: loose(
      kernel([ptr(f32), ptr(i32)], function bug(x, i) {
        S.vloadGather(x, S.vload(i)); // @gather
      }),
    ),
    twin: loose(
      kernel([ptr(f32), ptr(i32)], function twin(x, i) {
        const at = S.vload(i);
        S.vloadGather(x, at, { mask: S.vcge(at, 0) });
      }),
    ),
    args: () => [floats(10), Int32Array.of(0, 9, 3, -1, 5, 6, 7, 8)],
    expect: {
      code: "KPU4001",
      at: "gather",
      data: { buffer: "x", first: -1, last: -1 },
      says: /stands before|reads x\[-1\]/,
    },
  },
  "scatter out of bounds": {
    bug: loose(
      kernel([ptr(f32), ptr(i32)], function bug(x, i) {
        if (S.tileId() === 0) S.vstoreScatter(S.vbcast(1, f32), x, S.vload(i)); // @scatter
      }),
    ),
    twin: loose(
      kernel([ptr(f32), ptr(i32)], function twin(x, i) {
        const at = S.vload(i);
        if (S.tileId() === 0) S.vstoreScatter(S.vbcast(1, f32), x, at, { mask: S.vclt(at, 10) });
      }),
    ),
    args: () => [floats(10), Int32Array.of(0, 9, 3, 10, 5, 6, 7, 8)],
    expect: {
      code: "KPU4001",
      at: "scatter",
      data: { buffer: "x", first: 10, last: 10 },
      says: /writes x\[10\]/,
    },
  },
  "transfer out of bounds": {
    bug: loose(
      kernel([ptr(f32)], function bug(x) {
        const t = S.alloc(f32, 16);
        S.dmaCopy(t, x, 4, { srcStride: 5, dstStride: 4, times: 4 }); // @transfer
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(x) {
        const t = S.alloc(f32, 16);
        S.dmaCopy(t, x, 4, { srcStride: 5, dstStride: 4, times: 3 });
      }),
    ),
    args: () => [floats(15)],
    expect: {
      code: "KPU4001",
      at: "transfer",
      data: { buffer: "x", first: 15, last: 18 },
      says: /reads x\[15\.\.18\]/,
    },
  },
  "walked pointer": {
    bug: loose(
      kernel([ptr(f32), i32], function bug(x, n) {
        let p = x;
        for (let i = 0; i <= n; i++) {
          p.get(0); // @walk
          p = p.at(1);
        }
      }),
    ),
    twin: loose(
      kernel([ptr(f32), i32], function twin(x, n) {
        let p = x;
        for (let i = 0; i < n; i++) {
          p.get(0);
          p = p.at(1);
        }
      }),
    ),
    args: () => [floats(5), 5],
    expect: { code: "KPU4001", at: "walk", data: { buffer: "x", first: 5, last: 5 }, says: /x\[5\]/ },
  },
  "overrun between allocations of one scope": {
    bug: loose(
      kernel([], function bug() {
        const a = S.alloc(f32, 8);
        S.alloc(f32, 8);
        S.vstore(S.vbcast(1, f32, 16), a); // @overrun
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        const a = S.alloc(f32, 16);
        S.vstore(S.vbcast(1, f32, 16), a);
      }),
    ),
    args: () => [],
    expect: {
      code: "KPU4001",
      at: "overrun",
      data: { buffer: "local#1", first: 0, last: 15, size: 8 },
      says: /local#1 \(local f32\[8\]\)/,
    },
  },
  "null pointer": {
    bug: loose(
      kernel([ptr(f32)], function bug(x) {
        x.get(0); // @null
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(x) {
        if (!x.isNull) x.get(0);
      }),
    ),
    args: () => [null],
    expect: { code: "KPU4008", at: "null", data: { tile: 0 }, says: /null pointer/ },
  },
  "uninitialised element": {
    bug: loose(
      kernel([ptr(f32)], function bug(y) {
        const t = S.alloc(f32, 8);
        S.vstore(S.vbcast(1, f32, 7), t);
        const v = S.vload(t); // @uninit
        if (S.tileId() === 0) S.vstore(v, y);
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(y) {
        const t = S.alloc(f32, 8);
        S.vstore(S.vbcast(1, f32, 7), t);
        const v = S.vload(t, { mask: S.tailMask(7, 8) });
        if (S.tileId() === 0) S.vstore(v, y);
      }),
    ),
    args: () => [floats(8)],
    expect: {
      code: "KPU4002",
      at: "uninit",
      data: { tile: 0, buffer: "local#1", first: 0, last: 7, element: 7 },
      says: /reads local#1\[0\.\.7\], but local#1\[7\] was never written/,
    },
  },
  "uninitialised byte of an element": {
    bug: loose(
      kernel([], function bug() {
        const t = S.alloc(i32, 4, "private");
        for (let i = 0; i < 15; i++) t.as(u8).set(i, i);
        t.get(3); // @byte
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        const t = S.alloc(i32, 4, "private");
        for (let i = 0; i < 16; i++) t.as(u8).set(i, i);
        t.get(3);
      }),
    ),
    args: () => [],
    expect: {
      code: "KPU4002",
      at: "byte",
      data: { buffer: "private#1", first: 3, last: 3 },
      says: /byte 15 of private#1 was never written/,
    },
  },
  "capacity of a scope": {
    bug: loose(
      kernel([], function bug() {
        S.alloc(f32, 12000);
        S.alloc(f32, 5000); // @capacity
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        S.alloc(f32, 12000);
        S.alloc(f32, 4384);
      }),
    ),
    args: () => [],
    static: true,
    expect: {
      code: "KPU4003",
      at: "capacity",
      data: { scope: "local", asked: 20000, used: 48000, available: 17536, held: ["local#1"] },
      says: /needs 20000 bytes of local.*17536 of its 65536 are free.*local#1 f32\[12000\]/,
    },
  },
  "buffers begin at multiples of 64 bytes": {
    bug: loose(
      kernel([], function bug() {
        S.alloc(f32, 1);
        S.alloc(f32, 16383); // @aligned
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        S.alloc(f32, 1);
        S.alloc(f32, 16368);
      }),
    ),
    args: () => [],
    static: true,
    expect: {
      code: "KPU4003",
      at: "aligned",
      data: { scope: "local", asked: 65532, used: 64, available: 65472, held: ["local#1"] },
      says: /needs 65532 bytes of local.*65472 of its 65536 are free/,
    },
  },
  "write after write by another tile, without barrier": {
    bug: loose(
      kernel([ptr(f32)], function bug(y) {
        S.vstore(S.vbcast(S.tileId(), f32), y.at(S.tileId() * 4)); // @ww
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(y) {
        S.vstore(S.vbcast(S.tileId(), f32), y.at(S.tileId() * 8));
      }),
    ),
    args: () => [floats(16)],
    expect: {
      code: "KPU4006",
      at: "ww",
      note: "ww",
      data: {
        tile: 1,
        otherTile: 0,
        buffer: "y",
        first: 4,
        last: 11,
        otherFirst: 0,
        otherLast: 7,
        element: 4,
        access: "writes",
        otherAccess: "writes",
      },
      says: /race on y\[4\]: tile 1 writes y\[4\.\.11\] and tile 0 wrote it/,
    },
  },
  "read of what another tile writes, with a missing barrier": {
    bug: loose(
      kernel([ptr(f32), ptr(f32)], function bug(y, x) {
        const id = S.tileId();
        S.barrier();
        S.vstore(S.vload(x.at(id * 8)), y.at(id * 8)); // @writes
        const v = S.vload(y.at((1 - id) * 8)); // @reads
        S.barrier();
        S.vstore(v, y.at(id * 8));
      }),
    ),
    twin: loose(
      kernel([ptr(f32), ptr(f32)], function twin(y, x) {
        const id = S.tileId();
        S.barrier();
        S.vstore(S.vload(x.at(id * 8)), y.at(id * 8));
        S.barrier();
        const v = S.vload(y.at((1 - id) * 8));
        S.barrier();
        S.vstore(v, y.at(id * 8));
      }),
    ),
    args: () => [floats(16), floats(16)],
    expect: {
      code: "KPU4006",
      at: "writes",
      note: "reads",
      data: {
        tile: 1,
        otherTile: 0,
        epoch: 1,
        buffer: "y",
        first: 8,
        last: 15,
        otherFirst: 8,
        otherLast: 15,
      },
      says: /race on y\[8\]: tile 1 writes y\[8\.\.15\] and tile 0 read it/,
    },
  },
  "race in l3": {
    bug: loose(
      kernel([ptr(f32)], function bug(y) {
        const t = S.alloc(f32, 2, "l3");
        t.set(S.tileId(), 1);
        y.set(S.tileId(), t.get(0)); // @l3
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(y) {
        const t = S.alloc(f32, 2, "l3");
        t.set(S.tileId(), 1);
        S.barrier();
        y.set(S.tileId(), t.get(0));
      }),
    ),
    args: () => [floats(2)],
    expect: {
      code: "KPU4006",
      at: "l3",
      data: { tile: 1, otherTile: 0, buffer: "l3#1", first: 0, last: 0 },
      says: /race on l3#1\[0\]: tile 1 reads/,
    },
  },
  "read of a destination in flight": {
    bug: loose(
      kernel([ptr(f32), ptr(f32)], function bug(y, x) {
        const t = S.alloc(f32, 8);
        const [e] = S.allocEvents(1);
        S.asyncDmaCopy(t, x, 8, e!); // @start
        if (S.tileId() === 0) S.vstore(S.vload(t), y); // @early
        S.waitEvents(e!);
        S.freeEvents(e!);
      }),
    ),
    twin: loose(
      kernel([ptr(f32), ptr(f32)], function twin(y, x) {
        const t = S.alloc(f32, 8);
        const [e] = S.allocEvents(1);
        S.asyncDmaCopy(t, x, 8, e!);
        S.waitEvents(e!);
        if (S.tileId() === 0) S.vstore(S.vload(t), y);
        S.freeEvents(e!);
      }),
    ),
    args: () => [floats(8), floats(8)],
    expect: {
      code: "KPU4005",
      at: "early",
      note: "start",
      data: { tile: 0, buffer: "local#1", first: 0, last: 7, side: "destination", access: "reads" },
      says: /reads local#1\[0\.\.7\], the destination of a transfer in flight/,
    },
  },
  "overwrite of a source in flight": {
    bug: loose(
      kernel([ptr(f32)], function bug(y) {
        const t = S.alloc(f32, 16);
        const [e] = S.allocEvents(1);
        S.dmaMemset(t, 1, 16);
        S.asyncDmaCopy(y.at(S.tileId() * 8), t.at(8), 8, e!); // @frozen
        t.set(7, 2);
        t.set(15, 2); // @overwrite
        S.waitEvents(e!);
        S.freeEvents(e!);
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(y) {
        const t = S.alloc(f32, 16);
        const [e] = S.allocEvents(1);
        S.dmaMemset(t, 1, 16);
        S.asyncDmaCopy(y.at(S.tileId() * 8), t.at(8), 8, e!);
        t.set(7, 2);
        S.waitEvents(e!);
        t.set(15, 2);
        S.freeEvents(e!);
      }),
    ),
    args: () => [floats(16)],
    expect: {
      code: "KPU4005",
      at: "overwrite",
      note: "frozen",
      data: { buffer: "local#1", first: 15, last: 15, side: "source", access: "writes" },
      says: /writes local#1\[15\], the source of a transfer in flight/,
    },
  },
  "wait before start": {
    bug: loose(
      kernel([], function bug() {
        const [e] = S.allocEvents(1);
        S.waitEvents(e!); // @wait
        S.freeEvents(e!);
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        const [e] = S.allocEvents(1);
        const t = S.alloc(f32, 8);
        S.asyncDmaMemset(t, 0, 8, e!);
        S.waitEvents(e!);
        S.freeEvents(e!);
      }),
    ),
    args: () => [],
    expect: { code: "KPU5004", at: "wait", data: { tile: 0, event: 0 }, says: /never end/ },
  },
  "event reused in flight": {
    bug: loose(
      kernel([], function bug() {
        const [e] = S.allocEvents(1);
        const t = S.alloc(f32, 16);
        S.asyncDmaMemset(t, 0, 8, e!); // @first
        S.asyncDmaMemset(t.at(8), 0, 8, e!); // @again
        S.waitEvents(e!);
        S.freeEvents(e!);
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        const [e] = S.allocEvents(1);
        const t = S.alloc(f32, 16);
        S.asyncDmaMemset(t, 0, 8, e!);
        S.waitEvents(e!);
        S.asyncDmaMemset(t.at(8), 0, 8, e!);
        S.waitEvents(e!);
        S.freeEvents(e!);
      }),
    ),
    args: () => [],
    expect: { code: "KPU5005", at: "again", note: "first", data: { event: 0 }, says: /still has a transfer/ },
  },
  "transfer never waited for": {
    bug: loose(
      kernel([ptr(f32)], function bug(x) {
        const [e] = S.allocEvents(1);
        const t = S.alloc(f32, 8);
        S.asyncDmaCopy(t, x, 8, e!); // @leak
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(x) {
        const [e] = S.allocEvents(1);
        const t = S.alloc(f32, 8);
        S.asyncDmaCopy(t, x, 8, e!);
        S.waitEvents(e!);
        S.freeEvents(e!);
      }),
    ),
    args: () => [floats(8)],
    expect: { code: "KPU5006", at: "leak", data: { event: 0 }, says: /never waited for/ },
  },
  "event never freed": {
    bug: loose(
      kernel([], function bug() {
        S.allocEvents(1); // @kept
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        const [e] = S.allocEvents(1);
        S.freeEvents(e!);
      }),
    ),
    args: () => [],
    expect: { code: "KPU5006", at: "kept", data: { event: 0 }, says: /never freed/ },
  },
  "events exhausted": {
    bug: loose(
      kernel([], function bug() {
        const a = S.allocEvents(12);
        const b = S.allocEvents(5); // @exhausted
        S.freeEvents(...a, ...b);
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        const a = S.allocEvents(12);
        const b = S.allocEvents(4);
        S.freeEvents(...a, ...b);
      }),
    ),
    args: () => [],
    expect: {
      code: "KPU5007",
      at: "exhausted",
      data: { asked: 5, free: 4, limit: 16 },
      says: /4 of the tile's 16 are free/,
    },
  },
  "event used after it was freed": {
    bug: loose(
      kernel([], function bug() {
        const [e] = S.allocEvents(1);
        S.freeEvents(e!);
        S.freeEvents(e!); // @freed
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        const [e] = S.allocEvents(1);
        S.freeEvents(e!);
      }),
    ),
    args: () => [],
    expect: { code: "KPU5008", at: "freed", data: { event: 0 }, says: /after it was freed/ },
  },
  "barrier divergence": {
    bug: loose(
      kernel([], function bug() {
        if (S.tileId() === 2)
          S.barrier(); // @branch
        else S.barrier(); // @other
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        S.barrier();
      }),
    ),
    args: () => [],
    options: { tiles: 4 },
    expect: {
      code: "KPU5002",
      at: "other",
      note: "branch",
      data: { tiles: 4 },
      says: /tiles 0, 1, 3 at line \d+, tile 2 at line \d+/,
    },
  },
  "early return": {
    bug: loose(
      kernel([], function bug() {
        if (S.tileId() === 2) return;
        S.barrier(); // @barrier
      }),
    ),
    twin: loose(
      kernel([], function twin() {
        S.barrier();
        if (S.tileId() === 2) return;
      }),
    ),
    args: () => [],
    options: { tiles: 4 },
    expect: {
      code: "KPU5003",
      at: "barrier",
      note: "barrier",
      data: { returned: [2], waiting: [0, 1, 3] },
      says: /tile 2 returned, and tiles 0, 1, 3 wait at a barrier for it/,
    },
  },
  "deadlock by spinning": {
    bug: loose(
      kernel([ptr(i32)], function bug(flag) {
        while (flag.get(0) === 0) {} // @spin
      }),
    ),
    twin: loose(
      kernel([ptr(i32)], function twin(flag) {
        if (S.tileId() === 0) flag.set(0, 1);
        S.barrier();
        while (flag.get(0) === 0) {}
      }),
    ),
    args: () => [new Int32Array(1)],
    expect: { code: "KPU5001", at: "spin", data: { tile: 0 }, says: /spins/ },
  },
  "exception in one tile": {
    bug: loose(
      kernel([ptr(f32)], function bug(x) {
        S.barrier();
        S.assert(S.tileId() !== 1, "not on tile 1"); // @assert
        S.barrier();
        x.set(S.tileId(), 0);
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(x) {
        S.barrier();
        S.assert(S.tileId() < 2, "not on tile 1");
        S.barrier();
        x.set(S.tileId(), 0);
      }),
    ),
    args: () => [floats(2)],
    expect: {
      code: "KPU6007",
      at: "assert",
      data: { tile: 1 },
      says: /assertion failed on tile 1: not on tile 1/,
    },
  },
  "overlapping transfer": {
    bug: loose(
      kernel([ptr(f32)], function bug(x) {
        S.dmaCopy(x.at(4), x, 8); // @overlap
      }),
    ),
    twin: loose(
      kernel([ptr(f32)], function twin(x) {
        if (S.tileId() === 0) S.dmaCopy(x.at(8), x, 8);
      }),
    ),
    args: () => [floats(16)],
    expect: { code: "KPU4009", at: "overlap", data: { buffer: "x" }, says: /overlap/ },
  },
  "write to a bool out of bounds": {
    bug: loose(
      kernel([ptr(bool)], function bug(x) {
        S.vstore(S.constMask("3T"), x.at(1)); // @bool
      }),
    ),
    twin: loose(
      kernel([ptr(bool)], function twin(x) {
        if (S.tileId() === 0) S.vstore(S.constMask("3T"), x);
      }),
    ),
    args: () => [new Uint8Array(3)],
    expect: { code: "KPU4001", at: "bool", data: { buffer: "x", first: 1, last: 3 }, says: /x\[1\.\.3\]/ },
  },
};

describe("each checker catches its bug, and the repaired twin passes", () => {
  it.each(Object.entries(cases))("%s", (_, c) => {
    const e = c.expect;
    if (c.static) {
      const refused = faultOf(() => direct(c.bug, c.args(), c.options)).diagnostics[0]!;
      expect(refused).toMatchObject({ code: e.code, location: { file: HERE, line: lineOf(HERE, e.at) } });
    }
    const fault = faultOf(() => (c.static ? unchecked : direct)(c.bug, c.args(), c.options));
    const d = fault.diagnostics[0]!;
    expect(fault.message).toMatch(e.says);
    expect(d.code).toBe(e.code);
    expect(d.data).toMatchObject({ ...e.data, seed: 1, policy: "round-robin" });
    expect(d.location).toMatchObject({ file: HERE, line: lineOf(HERE, e.at) });
    if (e.note !== undefined) expect(d.notes.map((n) => n.location?.line)).toContain(lineOf(HERE, e.note));
    expect(() => direct(c.twin, c.args(), c.options)).not.toThrow();
  });
});

describe("a repaired twin gives one result under every schedule", () => {
  it.each(Object.entries(cases))("%s", (_, c) => {
    const results = new Set<string>();
    for (const policy of POLICIES) {
      for (const transfers of ["eager", "late"] as const) {
        for (const seed of [1, 2, 3]) {
          const args = c.args();
          direct(c.twin, args, { ...c.options, policy, transfers, seed });
          results.add(JSON.stringify(args));
        }
      }
    }
    expect(results.size).toBe(1);
  });
});
