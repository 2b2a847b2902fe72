/** Conformance 10 and 20, prints and assertions: whole small operators, events, output. */
import { f32, i32, KpuError, kernel, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { SIZES, samples } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

test("10: maximum of a vector", () => {
  const k = kernel([ptr(f32), ptr(f32), i32], function maximum(out, x, n) {
    if (S.tileId() !== 0) return;
    let best = S.vbcast(-Infinity, f32, 8);
    for (let i = 0; i < n; i += 8)
      best = S.vmax(best, S.vload(x.at(i), { mask: S.tailMask(n - i, 8), r: -Infinity }));
    out.set(0, S.vrpmax(best));
  });
  for (const n of SIZES) {
    const x = samples("f32", n);
    const out = new Float32Array(1);
    execute(k, [out, Float32Array.from(x), n]);
    expect(out[0]).toBe(x.length === 0 ? -Infinity : Math.max(...x));
  }
});

test("10: maximum of every column, and where every row has its own", () => {
  const k = kernel(
    [ptr(f32), ptr(i32), ptr(f32), i32, i32],
    function maxima(columnsOut, rowsOut, x, rows, columns) {
      for (let c = S.tileId() * 8; c < columns; c += S.tileCount() * 8) {
        const mask = S.tailMask(columns - c, 8);
        let best = S.vload(x.at(c), { mask });
        for (let r = 1; r < rows; r++) best = S.vmax(best, S.vload(x.at(r * columns + c), { mask }));
        S.vstore(best, columnsOut.at(c), { mask });
      }
      for (let r = S.tileId(); r < rows; r += S.tileCount()) {
        let best = -Infinity;
        let at = -1;
        for (let c = 0; c < columns; c++) {
          const v = x.get(r * columns + c);
          if (v > best) {
            best = v;
            at = c;
          }
        }
        rowsOut.set(r, at);
      }
    },
  );
  for (const [rows, columns] of [
    [1, 1],
    [3, 8],
    [5, 13],
    [2, 64],
  ] as const) {
    const x = samples("f32", rows * columns);
    const byColumn = new Float32Array(columns);
    const byRow = new Int32Array(rows);
    execute(k, [byColumn, byRow, Float32Array.from(x), rows, columns]);
    expect([...byColumn]).toEqual(
      Array.from({ length: columns }, (_, c) =>
        Math.max(...Array.from({ length: rows }, (_r, r) => x[r * columns + c] as number)),
      ),
    );
    expect([...byRow]).toEqual(
      Array.from({ length: rows }, (_, r) => {
        const row = x.slice(r * columns, (r + 1) * columns);
        return row.indexOf(Math.max(...row));
      }),
    );
  }
});

test("20: double buffering with two events", () => {
  const CHUNK = 16;
  const k = kernel([ptr(i32), ptr(i32), i32], function pipelined(out, x, chunks) {
    const buffer = S.alloc(i32, [2, CHUNK]);
    const events = S.allocEvents(2);
    if (S.tileId() === 0 && chunks > 0) {
      S.asyncDmaCopy(buffer.at(0), x, CHUNK, events[0]);
      for (let pair = 0; pair < chunks; pair += 2) {
        for (const slot of S.unroll(2)) {
          if (pair + slot < chunks) {
            if (pair + slot + 1 < chunks)
              S.asyncDmaCopy(buffer.at(1 - slot), x.at((pair + slot + 1) * CHUNK), CHUNK, events[1 - slot]!);
            S.waitEvents(events[slot]!);
            for (let i = 0; i < CHUNK; i += 8)
              S.vstore(S.vadd(S.vload(buffer.at(slot, i)), pair + slot), out.at((pair + slot) * CHUNK + i));
          }
        }
      }
    }
    S.freeEvents(events);
  });
  for (const chunks of [0, 1, 2, 3, 6, 7]) {
    const x = Int32Array.from({ length: chunks * CHUNK }, (_, i) => i * 3);
    const out = new Int32Array(chunks * CHUNK);
    execute(k, [out, x, chunks]);
    expect([...out]).toEqual([...x].map((v, i) => v + Math.floor(i / CHUNK)));
  }
});

test("barriers: every tile sees what all wrote before", () => {
  const k = kernel([ptr(i32), i32], function rounds(out, n) {
    const shared = S.alloc(i32, [2, 64], "l3");
    shared.at(0, S.tileId()).set(0, S.tileId() + 1);
    for (let r = 0; r < n; r++) {
      S.barrier();
      let sum = 0;
      for (let t = 0; t < S.tileCount(); t++) sum = (sum + shared.at(r % 2, t).get()) | 0;
      shared.at((r + 1) % 2, S.tileId()).set(0, sum + S.tileId());
    }
    S.barrier();
    out.set(S.tileId(), shared.at(n % 2, S.tileId()).get());
  });
  for (const tiles of [1, 2, 5, 32]) {
    for (const n of [0, 1, 2, 4]) {
      let row = Array.from({ length: tiles }, (_, t) => t + 1);
      for (let r = 0; r < n; r++) {
        const sum = row.reduce((s, v) => (s + v) | 0, 0);
        row = row.map((_, t) => (sum + t) | 0);
      }
      const out = new Int32Array(tiles);
      execute(k, [out, n], { target: "t64", tiles });
      expect([...out]).toEqual(row);
    }
  }
});

test("print and assert", () => {
  const k = kernel([ptr(i32), i32], function loud(x, n) {
    if (S.tileId() !== 0) return;
    S.print("n = {}, first = {}", n, x.get(0));
    S.print("vector {}", S.vload(x, { lanes: 2 }));
    S.assert(n < 5, "n must be below 5");
  });
  const lines: string[] = [];
  execute(k, [Int32Array.from([7, -2]), 3], { tiles: 1, print: (line) => lines.push(line) });
  expect(lines).toMatchInlineSnapshot(`
    [
      "tile 0: n = 3, first = 7",
      "tile 0: vector i32x2 [7, -2]",
    ]
  `);
  let error: unknown;
  try {
    execute(k, [Int32Array.from([7, -2]), 6], { print: () => {} });
  } catch (e) {
    error = e;
  }
  expect(error).toBeInstanceOf(KpuError);
  expect((error as KpuError).code).toBe("KPU6007");
  expect((error as KpuError).diagnostics[0]?.message).toContain("n must be below 5");
});

test("an access out of bounds is reported with the author's line, in both executions", () => {
  const k = kernel([ptr(f32), i32], function beyond(x, n) {
    if (S.tileId() !== 0) return;
    for (let i = 0; i <= n; i++) x.set(i, 0);
  });
  let error: unknown;
  try {
    execute(k, [new Float32Array(10), 10]);
  } catch (e) {
    error = e;
  }
  expect((error as KpuError).code).toBe("KPU4001");
  expect((error as KpuError).diagnostics[0]?.location?.file).toMatch(/operators\.test\.ts$/);
});
