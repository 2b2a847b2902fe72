/**
 * A slice of the matrix in the gate: for every intrinsic one dtype and width, another on each dtype in turn. The whole of it is
 * `npm run test:matrix`. And that the matrix can fail.
 */
import { describe, expect, it } from "vitest";
import { INTRINSICS } from "../../dsl/index.ts";
import {
  cellsOf,
  type MatrixCell,
  matrixCells,
  nameOf,
  runMatrixCell,
} from "../../equivalence/matrix/matrix.ts";
import { planCell } from "../../equivalence/matrix/plan.ts";
import { runCell } from "../../equivalence/matrix/run.ts";

/** The k-th of a record's cells that is no example, k by the record's place; narrow ones are the faster ones. */
const sample = INTRINSICS.flatMap((r, k): MatrixCell[] => {
  const own = cellsOf(r).filter((c) => c.kind !== "example");
  const cell = own[(k * 7) % Math.max(own.length, 1)];
  return cell === undefined ? [] : [cell];
});

describe("the matrix of intrinsics", () => {
  it("has cells for every intrinsic, and most have cells beyond their example", () => {
    expect(INTRINSICS.filter((r) => cellsOf(r).length === 0).map((r) => r.name)).toEqual([]);
    expect(new Set(matrixCells().map(nameOf)).size).toBe(matrixCells().length);
    expect(sample.length).toBeGreaterThan(INTRINSICS.length * 0.6);
  });

  for (const cell of sample) {
    it(nameOf(cell), () => {
      const report = runMatrixCell(cell);
      expect(report.mismatches).toEqual([]);
      expect(report.variants).toBeGreaterThan(0);
    });
  }

  it("compares the ops of the ALU table with the table itself", () => {
    const vadd = INTRINSICS.find((r) => r.name === "vadd");
    if (vadd === undefined) throw new Error("no vadd");
    const cell = planCell(vadd, "i8", 3);
    if (cell === undefined) throw new Error("no cell");
    expect(runCell(cell).againstTable).toBe(cell.variants.length);
  });

  it("finds an intrinsic whose op is another in the table", () => {
    const vadd = INTRINSICS.find((r) => r.name === "vadd");
    if (vadd === undefined) throw new Error("no vadd");
    const cell = planCell({ ...vadd, alu: "sub" }, "i16", 3);
    if (cell === undefined) throw new Error("no cell");
    const { mismatches } = runCell(cell);
    expect(mismatches.length).toBeGreaterThan(0);
    expect(mismatches[0]).toMatchObject({ way: "ALU table", cell: "vadd i16x3" });
  });
});
