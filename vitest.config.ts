import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests and examples import the package by its name and get the sources. */
const alias = [
  { find: /^kpu-dsl$/, replacement: here("index.ts") },
  { find: /^kpu-dsl\/vitest$/, replacement: here("equivalence/vitest.ts") },
  { find: /^kpu-dsl\/runtime$/, replacement: here("runtime/index.ts") },
  { find: /^kpu-dsl\/machine$/, replacement: here("machine/index.ts") },
  { find: /^kpu-dsl\/kernels$/, replacement: here("kernels/index.ts") },
  { find: /^kpu-dsl\/itpu$/, replacement: here("itpu/index.ts") },
  { find: /^kpu-dsl\/domain-flow$/, replacement: here("machine/domainflow/index.ts") },
];

/** The files of the conformance suite open with the number of their group. */
const CONFORMANCE = "tests/conformance/[0-9]*.test.ts";

/**
 * Kernels that run once per execution: the tests do not know which one they get. The files of a project share their
 * modules, since most of a file's time would go into loading the compiler.
 */
const kernels = (name: string, execution: "direct" | "compiled", include: string) => ({
  resolve: { alias },
  test: { name, include: [include], env: { KPU_EXECUTION: execution }, isolate: false, testTimeout: 60_000 },
});

// .ci/run counts from this report.
const report = process.env["KPU_TEST_REPORT"];

/** What transpilers and pools do to closures shows only inside them. */
const traps = (pool: "forks" | "threads") => ({
  resolve: { alias },
  test: { name: `traps, ${pool}`, include: ["tests/traps/**/*.test.ts"], pool, testTimeout: 60_000 },
});

export default defineConfig({
  test: {
    // Vitest leaves one core free, which is half of a machine of two.
    maxWorkers: "100%",
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    projects: [
      {
        resolve: { alias },
        test: {
          name: "unit",
          include: ["tests/**/*.test.ts"],
          exclude: ["tests/kernels/**", CONFORMANCE, "tests/traps/**", "tests/install/**", "tests/bad/**"],
          testTimeout: 60_000,
        },
      },
      kernels("direct", "direct", "tests/kernels/**/*.test.ts"),
      kernels("compiled", "compiled", "tests/kernels/**/*.test.ts"),
      kernels("conformance, direct", "direct", CONFORMANCE),
      kernels("conformance, compiled", "compiled", CONFORMANCE),
      traps("forks"),
      traps("threads"),
    ],
  },
});
