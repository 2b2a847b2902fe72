/**
 * The diagnostics catalogue: every code that a kernel or a call can raise has a small one that raises it, with golden text. Kernels of
 * tests/bad are refused by both executions with the same report; calls of bad-calls.ts fail in a run. UPDATE_GOLDEN=1 writes the texts.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type AnyKernel, CODES, type DiagnosticCode, KpuError, recordOf } from "kpu-dsl";
import { expect, test } from "vitest";
import { execute, execution } from "../harness/execute.ts";
import { BAD_CALLS } from "./bad-calls.ts";
import { group } from "./group.ts";

const BAD = fileURLToPath(new URL("../bad/", import.meta.url));
const TEXTS = fileURLToPath(new URL("bad-calls/", import.meta.url));
const UPDATE = process.env["UPDATE_GOLDEN"] === "1";
const kernels = readdirSync(BAD).filter((f) => f.endsWith(".ts"));

/** Codes that no kernel and no call of one raises, and the tests that do. */
const ELSEWHERE: Readonly<Partial<Record<DiagnosticCode, string>>> = {
  KPU1016: "tests/robustness/sources.test.ts: thousands of levels",
  KPU2013: "tests/install: a package that is missing",
  KPU4014: "tests/path/checkers.test.ts",
  KPU4015: "tests/path/checkers.test.ts",
  KPU9101: "tests/itpu/mistakes.test.ts",
  KPU9102: "tests/itpu/mistakes.test.ts",
  KPU9103: "tests/itpu/mistakes.test.ts",
  KPU9104: "tests/itpu/mistakes.test.ts",
  KPU9105: "tests/itpu/mistakes.test.ts",
  KPU9106: "tests/itpu/json.test.ts",
  KPU5009: "tests/pysim/memory.test.ts: behind the checker's back only",
  KPU6009: "tests/pysim/schedule.test.ts: behind the checker's back only",
  KPU6010: "tests/equivalence",
  KPU6011: "tests/equivalence",
  KPU6012: "reserved",
  KPU7001: "tests/ir/kir-text.test.ts",
  KPU7002: "tests/ir/kir-verify.test.ts",
  KPU7003: "tests/codegen/container.test.ts",
  KPU7004: "tests/codegen/container.test.ts",
  KPU7005: "tests/robustness/data-files.test.ts",
  KPU7007: "tests/codegen/assembly.test.ts",
  KPU7008: "tests/codegen/control.test.ts",
  KPU8001: "tests/cli/mistakes.test.ts",
  KPU8002: "tests/cli/mistakes.test.ts",
  KPU8003: "tests/cli/mistakes.test.ts",
  KPU9001: "tests/machine/fabric.test.ts",
  KPU9002: "tests/machine/domainflow",
  KPU9003: "tests/machine/domainflow",
  KPU9004: "tests/ir/json.test.ts",
  KPU9005: "tests/machine/check.test.ts",
  KPU9010: "tests/machine/trace-text.test.ts",
  KPU9011: "tests/machine/trace-text.test.ts",
  KPU9012: "tests/machine/trace-text.test.ts",
  KPU9013: "tests/machine/timing.test.ts",
  KPU9014: "tests/machine/timing.test.ts",
  KPU9020: "tests/runtime/trace.test.ts",
  KPU9021: "tests/runtime/trace.test.ts",
};

/** Messages name files by their whole path, which differs from clone to clone. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function errorOf(run: () => void): KpuError {
  try {
    run();
  } catch (error) {
    if (error instanceof KpuError) return error;
    throw error;
  }
  throw new Error("nothing is wrong");
}

/** The report, and where a run's differs from execution to execution the other one's. */
function expectText(name: string, said: string): void {
  const text = said.replaceAll(ROOT, "");
  const file = (e: string): string => `${TEXTS}${name.replaceAll(" ", "-")}${e}.txt`;
  if (UPDATE) {
    mkdirSync(TEXTS, { recursive: true });
    const shared = file("");
    if (execution === "direct") writeFileSync(shared, text);
    else if (!existsSync(shared) || readFileSync(shared, "utf8") !== text)
      writeFileSync(file(".compiled"), text);
    return;
  }
  const own = file(".compiled");
  const path = execution === "compiled" && existsSync(own) ? own : file("");
  expect(text).toBe(readFileSync(path, "utf8"));
}

group(52, () => {
  test.each(kernels)("tests/bad/%s is refused", async (file) => {
    const module = (await import(`${BAD}${file}`)) as Record<string, unknown>;
    const bad = Object.values(module).find((v) => recordOf(v) !== undefined) as AnyKernel;
    // Refused before anyone looks at the arguments.
    const error = errorOf(() => execute(bad, []));
    const golden = readFileSync(`${BAD}${file.replace(/\.ts$/, ".txt")}`, "utf8");
    expect(`${error.message}\n`).toBe(golden);
    expect(error.diagnostics[0]?.location?.file).toMatch(/tests\/bad\/\w+\.ts$/);
  });

  const calls = Object.entries(BAD_CALLS).filter(([, c]) => c.only === undefined || c.only === execution);
  test.each(calls)("%s", (name, { code, run }) => {
    const error = errorOf(run);
    expect(error.code).toBe(code);
    expectText(name, `${error.message}\n`);
  });

  test("every code is raised here, or it is said where", () => {
    const raised = new Set<string>(Object.values(BAD_CALLS).map((c) => c.code));
    for (const file of kernels) {
      const code = /KPU\d+/.exec(readFileSync(`${BAD}${file}`, "utf8"))?.[0];
      if (code !== undefined) raised.add(code);
    }
    const all = Object.keys(CODES) as DiagnosticCode[];
    expect(all.filter((c) => !raised.has(c) && ELSEWHERE[c] === undefined)).toEqual([]);
    expect(all.filter((c) => raised.has(c) && ELSEWHERE[c] !== undefined)).toEqual([]);
  });
});
