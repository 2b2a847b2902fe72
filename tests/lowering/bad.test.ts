/**
 * The diagnostics catalogue: every kernel in tests/bad is refused with the code and at the position that its first
 * line says, and the report is the text beside it. UPDATE_GOLDEN=1 writes the texts and the positions.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CODES, type DiagnosticCode, KpuError, recordOf } from "kpu-dsl";
import { describe, expect, it } from "vitest";
import { lowerKernel } from "../../lowering/index.ts";

const folder = fileURLToPath(new URL("../bad/", import.meta.url));
const UPDATE = process.env["UPDATE_GOLDEN"] === "1";
const files = readdirSync(folder).filter((f) => f.endsWith(".ts"));

async function refusal(file: string): Promise<KpuError> {
  const module = (await import(`${folder}${file}`)) as Record<string, unknown>;
  const record = Object.values(module)
    .map(recordOf)
    .find((r) => r !== undefined);
  if (record === undefined) throw new Error(`${file} exports no kernel`);
  try {
    lowerKernel(record);
  } catch (error) {
    if (error instanceof KpuError) return error;
    throw error;
  }
  throw new Error(`${file} is not refused`);
}

describe("tests/bad", () => {
  it.each(files)("%s is refused as documented", async (file) => {
    const error = await refusal(file);
    const first = error.diagnostics[0] as KpuError["diagnostics"][number];
    const place = `${first.location?.line}:${first.location?.column}`;
    const path = `${folder}${file}`;
    const source = readFileSync(path, "utf8");
    if (UPDATE) {
      writeFileSync(path, source.replace(/^(\/\/ expect: KPU\d+) .*/, `$1 ${place}`));
      writeFileSync(path.replace(/\.ts$/, ".txt"), `${error.message}\n`);
    }
    const expected = /^\/\/ expect: (KPU\d+) (\S+)/.exec(UPDATE ? readFileSync(path, "utf8") : source);
    expect(`${first.code} ${place}`).toBe(`${expected?.[1]} ${expected?.[2]}`);
    expect(`${error.message}\n`).toBe(readFileSync(path.replace(/\.ts$/, ".txt"), "utf8"));
  });

  it("covers the codes of the language, of names, types and static memory", () => {
    const seen = new Set(files.map((f) => /KPU\d+/.exec(readFileSync(`${folder}${f}`, "utf8"))?.[0]));
    // Reported by a later direct call, by a run, or without a kernel.
    const elsewhere = new Set(["KPU1016", "KPU2003", "KPU2013", "KPU4001", "KPU4002"]);
    const wanted = (Object.keys(CODES) as DiagnosticCode[]).filter(
      (c) => /^KPU[123]/.test(c) || c === "KPU4003" || c === "KPU4004",
    );
    expect(wanted.filter((c) => !seen.has(c) && !elsewhere.has(c))).toEqual([]);
  });
});
