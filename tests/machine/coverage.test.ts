/** Which mode models which field: complete over the schema, and true of the functional mode. */
import { isDeepStrictEqual } from "node:util";
import { build, f32, i32, KpuError, kernel, ptr, S, simulate } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { COVERAGE, FIELD_PATHS, fieldOf, models, notModelled, withField } from "../../machine/coverage.ts";
import { machineFields } from "../../machine/fields.ts";
import { PRESETS } from "../../machine/presets/index.ts";
import { machineSchema } from "../../machine/schema.ts";
import { targetOf } from "../../machine/target.ts";

const { minimal } = PRESETS;

test("the table has every field of the schema, and no other", () => {
  expect(FIELD_PATHS).toEqual(machineFields().map((f) => f.path));
  for (const path of FIELD_PATHS) expect(fieldOf(minimal, path)).toBeDefined();
});

test("a mode names what it does not model, whole sections as one", () => {
  expect(notModelled("power")).toEqual([]);
  expect(notModelled("cycle")).toEqual(["energy"]);
  expect(notModelled("functional")).toContain("dram");
  expect(notModelled("functional")).toContain("l3.banks");
  expect(notModelled("functional")).not.toContain("l3");
});

test("withField changes that field alone", () => {
  const changed = machineSchema().parse(withField(minimal, "tile.fabric.rows", 4));
  expect(changed.tile.fabric.rows).toBe(4);
  expect(FIELD_PATHS.filter((f) => !isDeepStrictEqual(fieldOf(changed, f), fieldOf(minimal, f)))).toEqual([
    "tile.fabric.rows",
  ]);
  expect(minimal.tile.fabric.rows).toBe(8);
});

describe("each field that the functional mode models changes a run", () => {
  const facts = kernel([ptr(i32)], function facts(out) {
    out.set(0, S.tileCount());
    out.set(1, S.target.lanes(f32));
    out.set(2, S.target.name === "other" ? 1 : 0);
  });
  const fits = (scope: "l3" | "l2" | "local" | "private", bytes: number) =>
    kernel([ptr(i32)], function fits(out) {
      const all = S.alloc(i32, bytes / 4, scope);
      all.set(0, 1);
      out.set(0, all.get(0));
    });
  const events = kernel([ptr(i32)], function events(out) {
    const held = S.allocEvents(8);
    out.set(0, 1);
    S.freeEvents(held);
  });
  /** All accumulators of an array of 8 x 8. */
  const sums = kernel([ptr(i32)], function sums(out) {
    const near = S.alloc(f32, [4096], "l2");
    const acc = S.alloc(f32, [4096], "acc");
    const [e] = S.allocEvents(1);
    S.dmaMemset(near, 1, 4096);
    S.preload(acc, near, { rows: 64, cols: 64 }, e);
    S.waitEvents(e);
    S.freeEvents(e);
    out.set(0, 1);
  });
  const outcome = (k: typeof facts, machine: unknown): string => {
    const target = targetOf(machineSchema().parse(machine));
    const out = new Int32Array(3);
    try {
      simulate(k, [out], { target });
      const compiled = new Int32Array(3);
      build(k, { target }).run(compiled);
      expect(compiled).toEqual(out);
      return out.join();
    } catch (error) {
      if (error instanceof KpuError) return error.code;
      throw error;
    }
  };
  const CHANGES = {
    name: [facts, "other"],
    "tile.count": [facts, 2],
    "tile.vector.bits": [facts, 512],
    "tile.local.bytes": [fits("local", 32768), 16384],
    "tile.private.bytes": [fits("private", 8192), 4096],
    "tile.l2.banks": [fits("l2", 131072), 2],
    "tile.l2.bytesPerBank": [fits("l2", 131072), 16384],
    "l3.tiles": [fits("l3", 131072), 1],
    "l3.bytesPerTile": [fits("l3", 131072), 32768],
    "tile.events": [events, 4],
    "tile.fabric.rows": [sums, 4],
    "tile.fabric.cols": [sums, 4],
  } as const;
  test("these are all", () => {
    expect(Object.keys(CHANGES).sort()).toEqual(
      FIELD_PATHS.filter((f) => COVERAGE[f] === "program" && models("functional", f)).sort(),
    );
  });
  test.each(Object.entries(CHANGES))("%s", (field, [k, value]) => {
    const path = FIELD_PATHS.find((f) => f === field);
    if (path === undefined) throw new TypeError(field);
    const before = outcome(k, minimal);
    expect(before).not.toMatch(/KPU/);
    expect(outcome(k, withField(minimal, path, value))).not.toBe(before);
  });
});
