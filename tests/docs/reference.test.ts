/** docs/intrinsics/ is what the records say now, and what its tables say of corners holds in compiled programs too. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { referencePages } from "../../cli/reference.ts";
import { INTRINSICS } from "../../dsl/index.ts";
import { cornerMismatches } from "../../equivalence/corners/check.ts";

const folder = new URL("../../docs/intrinsics/", import.meta.url);

describe("reference of intrinsics", () => {
  const pages = referencePages();
  if (process.env["UPDATE_GOLDEN"]) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    for (const [name, page] of pages) writeFileSync(new URL(name, folder), page);
  }
  it("has a page for each family and no other (npm run docs)", () => {
    expect(readdirSync(folder).sort()).toEqual([...pages.keys()].sort());
  });
  for (const [name, page] of pages) {
    it(`${name} is current (npm run docs)`, () => {
      expect(readFileSync(new URL(name, folder), "utf8")).toBe(page);
    });
  }
});

describe("corners in both executions", () => {
  for (const record of INTRINSICS.filter((r) => r.corners !== undefined)) {
    it(record.name, () => {
      expect(cornerMismatches(record)).toEqual([]);
    });
  }
});
