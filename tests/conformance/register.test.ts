/** The register against the files, and docs/conformance.md against the register. UPDATE_GOLDEN=1 writes the page. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type Runs, runsFile } from "./group.ts";
import { GROUPS, type Group } from "./groups.ts";

const PAGE = new URL("../../docs/conformance.md", import.meta.url);
const HERE = new URL("./", import.meta.url);
const written = GROUPS.filter((g) => g.file !== undefined);

function runsOf(g: Group): Runs {
  return JSON.parse(readFileSync(runsFile(g.number), "utf8")) as Runs;
}

test("groups 1 to 52 are registered, once each and in order", () => {
  expect(GROUPS.map((g) => g.number)).toEqual(Array.from({ length: 52 }, (_, i) => i + 1));
});

test("every file belongs to the group of its number", () => {
  const files = readdirSync(HERE).filter((f) => /^\d.*\.test\.ts$/.test(f));
  expect(files.sort()).toEqual(written.map((g) => g.file));
  for (const g of written) {
    expect(g.file?.slice(0, 2)).toBe(String(g.number).padStart(2, "0"));
    expect(readFileSync(new URL(g.file as string, HERE), "utf8")).toContain(`group(${g.number}, `);
  }
});

test("every written group ran, says its truth, and covers its dtypes", () => {
  for (const g of written) {
    expect(existsSync(runsFile(g.number)), `group ${g.number}: npm run golden:conformance`).toBe(true);
    const { runs, dtypes } = runsOf(g);
    expect(runs, g.title).toBeGreaterThan(0);
    expect(g.truth?.length, g.title).toBeGreaterThan(0);
    expect(dtypes.split(" "), g.title).toEqual(expect.arrayContaining([...(g.dtypes ?? [])]));
  }
});

/** All dtypes in the order of the reference; shortened where the list is long. */
function dtypesText(g: Group): string {
  const names = g.dtypes ?? [];
  if (names.length >= 9) return names.includes("bool") ? "all" : "all numeric";
  return names.length === 0 ? "" : names.join(" ");
}

function page(): string {
  const total = { kernels: 0, runs: 0 };
  const rows = GROUPS.map((g) => {
    if (g.file === undefined) return `| ${g.number} | ${g.title} | | pending | | | |`;
    const { kernels, runs } = runsOf(g);
    total.kernels += kernels;
    total.runs += runs;
    const cells = [dtypesText(g), (g.truth ?? []).join("; "), g.tolerance ?? "exact bits", kernels, runs];
    return `| ${g.number} | [${g.title}](../tests/conformance/${g.file}) | ${cells.join(" | ")} |`;
  });
  return `# Conformance

Generated from \`tests/conformance/groups.ts\` and the counts of the last golden run (\`npm run golden:conformance\`); do not edit.

Every kernel is written as a user would write it and runs in two vitest projects over the same files, \`conformance, direct\` and
\`conformance, compiled\`; a guard proves which execution ran. Results are compared with a ground truth that shares no code with
\`ir/\`: integers and BigInt, float64 rounded by conversions of the tests' own, or JavaScript itself. A kernel here is one variant
of dtype, operation and static size; a run is one execution whose results were compared (the same number in each project).

${total.kernels} kernels, ${total.runs} runs in each execution.

| | group | dtypes | ground truth | tolerance | kernels | runs |
|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

test("docs/conformance.md is current", () => {
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(PAGE, page());
  else expect(readFileSync(PAGE, "utf8")).toBe(page());
});
