/**
 * `npm run test:matrix`: every intrinsic at every dtype, width, form of operand, option and mask, in every execution, on edge values
 * and random ones. `npm run test:matrix -- vadd vsel` tries some. Prints the counts per family; exit code 1 on a mismatch.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { INTRINSICS } from "../../dsl/index.ts";
import { type MatrixCell, matrixCells, nameOf, runMatrixCell } from "../../equivalence/matrix/matrix.ts";
import type { Mismatch } from "../../equivalence/matrix/run.ts";

interface Done {
  readonly cell: MatrixCell;
  readonly variants: number;
  readonly lanes: number;
  readonly againstTable: number;
  readonly refused: readonly string[];
  readonly mismatches: readonly Mismatch[];
  /** What stopped the cell, which is a failure. */
  readonly error?: string;
}

function runOne(cell: MatrixCell): Done {
  try {
    return { cell, ...runMatrixCell(cell) };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { cell, variants: 0, lanes: 0, againstTable: 0, refused: [], mismatches: [], error: text };
  }
}

const names = process.argv.slice(2).filter((a) => !a.startsWith("--"));
const unknown = names.filter((n) => !INTRINSICS.some((r) => r.name === n));
if (unknown.length > 0) {
  console.error(`there is no intrinsic ${unknown.join(", ")}; kpu intrinsics lists them`);
  process.exit(2);
}
const cells = matrixCells().filter((c) => names.length === 0 || names.includes(c.intrinsic));

const shard = process.argv.find((a) => a.startsWith("--shard="))?.slice("--shard=".length);
if (shard === undefined) await supervise();
else {
  const [own, of] = shard.split("/").map(Number) as [number, number];
  for (const [i, cell] of cells.entries()) if (i % of === own) process.send?.(runOne(cell));
}

async function supervise(): Promise<void> {
  const began = Date.now();
  const jobs = Math.min(availableParallelism(), cells.length);
  const done: Done[] = [];
  const progress = process.stderr.isTTY;
  const collect = (d: Done): void => {
    done.push(d);
    if (progress) process.stderr.write(`\r${done.length} of ${cells.length} kernels `);
  };
  const file = fileURLToPath(import.meta.url);
  const children = Array.from({ length: jobs }, (_, i) => fork(file, [...names, `--shard=${i}/${jobs}`]));
  const codes = await Promise.all(
    children.map(
      (child) =>
        new Promise<number | null>((resolve) => {
          child.on("message", (d) => collect(d as Done));
          child.on("exit", resolve);
        }),
    ),
  );
  if (progress) process.stderr.write("\n");
  report(done, (Date.now() - began) / 1000);
  const failed = done.some((d) => d.error !== undefined || d.mismatches.length > 0);
  const complete = codes.every((c) => c === 0) && done.length === cells.length;
  if (!complete) console.error(`${cells.length - done.length} kernels did not run`);
  process.exitCode = failed || !complete ? 1 : 0;
}

function report(done: readonly Done[], seconds: number): void {
  for (const d of done) {
    if (d.error !== undefined) console.log(`${nameOf(d.cell)} failed: ${d.error}\n`);
    const [first] = d.mismatches;
    if (first === undefined) continue;
    console.log(
      `${nameOf(d.cell)}: ${d.mismatches.length} mismatches; ${first.way}: ${first.variant}, row ${first.row} lane ${first.lane}: ` +
        `direct ${first.direct}, ${first.way} ${first.other}; ${first.operands}\n`,
    );
  }
  const sum = (of: readonly Done[], f: (d: Done) => number): string =>
    of.reduce((n, d) => n + f(d), 0).toLocaleString("en");
  const rows = [
    ["family", "intrinsics", "kernels", "cells", "of these by the ALU table", "values", "mismatches"],
  ];
  const row = (name: string, own: readonly Done[]): void => {
    const intrinsics = new Set(own.map((d) => d.cell.intrinsic)).size;
    rows.push([
      ...[name, String(intrinsics), own.length.toLocaleString("en"), sum(own, (d) => d.variants)],
      ...[sum(own, (d) => d.againstTable), sum(own, (d) => d.lanes * 4)],
      sum(own, (d) => d.mismatches.length + (d.error === undefined ? 0 : 1)),
    ]);
  };
  const familyOf = new Map(INTRINSICS.map((r) => [r.name, r.family]));
  for (const family of new Set(familyOf.values())) {
    const own = done.filter((d) => familyOf.get(d.cell.intrinsic) === family);
    if (own.length > 0) row(family, own);
  }
  row("all", done);
  const width = rows[0]?.map((_, i) => Math.max(...rows.map((r) => (r[i] ?? "").length))) ?? [];
  for (const r of rows)
    console.log(r.map((c, i) => (i === 0 ? c.padEnd(width[i] ?? 0) : c.padStart(width[i] ?? 0))).join("  "));
  console.log(
    `\nA cell is one intrinsic at one dtype, width, form of operands and options, and form of mask; its values are compared in direct ` +
      `execution, the KIR interpreter at both levels, and WebAssembly with and without checks. ${seconds.toFixed(0)} s.`,
  );
  const refused = new Map<string, Set<string>>();
  for (const d of done) {
    for (const r of d.refused) {
      const forms = refused.get(d.cell.intrinsic) ?? new Set();
      refused.set(d.cell.intrinsic, forms.add(`${d.cell.dtype} ${r}`));
    }
  }
  if (names.length > 0) {
    for (const [name, forms] of refused) console.log(`${name} refuses: ${[...forms].join("; ")}`);
  }
}
