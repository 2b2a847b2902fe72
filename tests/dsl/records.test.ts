/** The table of intrinsics is complete. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CORNERS } from "../../dsl/corners/index.ts";
import { INTRINSICS, intrinsicOf, S } from "../../dsl/index.ts";

/** Members of S, one name per line in order, so that two changes of it seldom meet. */
const NAMES = readFileSync(new URL("./names.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");

describe("records", () => {
  it("S has exactly the intrinsics of names.txt, each with its record", () => {
    expect(Object.keys(S).sort()).toEqual(NAMES);
    for (const [name, f] of Object.entries(S)) if (name !== "target") expect(intrinsicOf(f)?.name).toBe(name);
  });
  it("names are unique and every record is documented", () => {
    expect(new Set(INTRINSICS.map((r) => r.name)).size).toBe(INTRINSICS.length);
    for (const r of INTRINSICS) {
      expect(r.doc.length, r.name).toBeGreaterThan(10);
      expect(r.doc, r.name).toMatch(/[.]$/);
      expect(r.example, r.name).toMatch(/;$|^if|^for/);
    }
  });
  it("what depends on the tile or the memory is never a value", () => {
    for (const name of [
      "tileId",
      "tileCount",
      "vload",
      "alloc",
      "print",
      "barrier",
      "waitEvents",
      "Ptr.get",
    ]) {
      expect(INTRINSICS.find((r) => r.name === name)?.value, name).toBe(false);
    }
  });
  it("every corner has a record", () => {
    const names = new Set(INTRINSICS.map((r) => r.name));
    expect(Object.keys(CORNERS).filter((name) => !names.has(name))).toEqual([]);
  });
});
