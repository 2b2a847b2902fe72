/** Barriers, prints and assertions. */
import { i32, KpuError, kernel, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { execute } from "../harness/execute.ts";

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
