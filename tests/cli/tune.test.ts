/** `kpu tune`: plans of a product with what they cost. */
import { KpuError } from "kpu-dsl";
import { describe, expect, test, vi } from "vitest";
import { tune } from "../../cli/commands/tune.ts";
import { tuneGemm } from "../../kernels/index.ts";
import { PRESETS } from "../../machine/index.ts";
import { Page } from "../docs/blocks.ts";

async function kpuTune(sizes: string, options: Readonly<Record<string, unknown>>): Promise<string> {
  const lines: string[] = [];
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => lines.push(String(text)) > 0);
  try {
    expect(await tune.run([sizes], options)).toBe(0);
  } finally {
    write.mockRestore();
  }
  return lines.join("");
}

describe("kpu tune", () => {
  const small = { tiles: 1, plans: 2 };

  test("a line for each plan, the best first", async () => {
    const text = await kpuTune("96x80x64", { ...small, a: "i8", b: "i4", output: "u8" });
    const lines = text.split("\n");
    expect(lines[0]).toBe("96 x 80 x 64, i8 x i4 = u8, on 1 of edge; the best plan first");
    expect(lines[2]).toMatch(/block +micro +depth \/ turns +across +cycles +fabric +roofline +MB +bound/);
    const cycles = lines.slice(3, 5).map((line) => Number(/1 +(\d+) +[\d.]+ %/.exec(line)?.[1]));
    expect(cycles[0]).toBeGreaterThan(0);
    expect(cycles[0]).toBeLessThanOrEqual((cycles[1] ?? 0) * 1.005);
  });

  test("JSON is what tuneGemm gives", async () => {
    const found: unknown = JSON.parse(await kpuTune("96x80x64", { ...small, json: true }));
    const sizes = { m: 96, n: 80, k: 64 };
    const wanted = tuneGemm(
      { a: "f32", b: "f32", out: "f32", transposeA: false, transposeB: false },
      sizes,
      PRESETS.edge,
      small,
    );
    expect(found).toEqual(JSON.parse(JSON.stringify(wanted)));
  });

  test.each([
    ["96x80", {}, "KPU8001", /three sizes/],
    ["0x80x10", {}, "KPU8001", /from 1 to/],
    ["9x8x7", { a: "i4" }, "KPU8001", /--a: expected f32/],
    ["9x8x7", { tiles: 3 }, "KPU8001", /edge has 2/],
    ["9x8x7", { a: "f32", b: "i8" }, "KPU4007", /f32 and i8/],
  ])("%s %o is refused", (sizes, options, code, says) => {
    const refused = (): unknown => tune.run([sizes], options);
    expect(refused).toThrow(KpuError);
    expect(refused).toThrow(expect.objectContaining({ code, message: expect.stringMatching(says) }));
  });
});

test("docs/library.md shows what it prints", async () => {
  const page = new Page("library.md");
  const [command] = page.of("sh");
  if (command === undefined) throw new TypeError("the page has no command");
  expect(command.text).toBe("npx kpu tune 1024x1024x1024 --tiles 1 --plans 3\n");
  const output = await kpuTune("1024x1024x1024", { tiles: 1, plans: 3 });
  if (process.env["UPDATE_GOLDEN"]) page.update(command, output);
  else expect(command.output).toBe(output);
});
