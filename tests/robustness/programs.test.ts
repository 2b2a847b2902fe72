/**
 * Program files and assembly that are damaged, also with lengths and hashes made right again: a clear error, or a program that
 * is whole. Nothing crashes, and what is accepted is valid WebAssembly that stays within its own memory.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileKernel, emitKernel } from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import type { Kernel } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import { TARGETS } from "../../ir/target.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { someStmt } from "../../ir/walk.ts";
import { KpuProgram, loadProgram } from "../../runtime/index.ts";
import { Wasm } from "../../runtime/webassembly.ts";
import { arbitraryKernel, argumentsFor } from "../ir/arbitraries.ts";
import { damagedBytes, damagedText, diceOf, RUNS, sealed, withText } from "./damage.ts";

const target = TARGETS.edge;
/** Programs of random kernels, checks on: what is damaged. */
const programs = fc
  .sample(arbitraryKernel({ level: "virtual" }), { numRuns: 40, seed: 11 })
  .map((k, i) => new KpuProgram(compileKernel(k, { target, checks: i % 4 !== 3 })));

const accepted = { files: 0, runs: 0 };

function isValid(wasm: Uint8Array<ArrayBuffer>): boolean {
  new Wasm.Module(wasm);
  return true;
}

/** Loads; a refusal must be of the given codes. */
function load(bytes: Uint8Array): KpuProgram | undefined {
  try {
    return loadProgram(bytes);
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    expect(["KPU7003", "KPU7004"]).toContain(error.code);
    return undefined;
  }
}

/** Runs a program that has no loop whose end could be gone. */
function runs(p: KpuProgram, seed: number): void {
  const k = p.compiled.machine;
  if (someStmt(k.body, (s) => s.kind === "loop" || s.kind === "for")) return;
  if (!p.compiled.checks) return;
  try {
    p.runWith({ tiles: 1, print: () => {} }, ...argumentsFor(k, seed));
    accepted.runs++;
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
  }
}

function take(p: KpuProgram, seed: number): void {
  accepted.files++;
  expect(isValid(p.compiled.emitted.wasm)).toBe(true);
  runs(p, seed);
}

describe("damaged programs", () => {
  it("bytes of the file", () => {
    for (let run = 0; run < 600 * RUNS; run++) {
      const dice = diceOf(`bytes ${run}`);
      const loaded = load(damagedBytes(dice.pick(programs).bytes, dice));
      if (loaded !== undefined) take(loaded, run);
    }
  });

  it.each(["manifest", "code", "source"] as const)("the %s, sealed again", (name) => {
    for (let run = 0; run < 500 * RUNS; run++) {
      const dice = diceOf(`${name} ${run}`);
      const file = withText(dice.pick(programs).bytes, name, (text) => damagedText(text, dice));
      const loaded = load(file);
      if (loaded !== undefined) take(loaded, run);
    }
  });

  it("the table of sections", () => {
    for (let run = 0; run < 300 * RUNS; run++) {
      const dice = diceOf(`table ${run}`);
      const file = new Uint8Array(dice.pick(programs).bytes);
      const view = new DataView(file.buffer);
      view.setUint32(
        8 + 4 * dice.below(60),
        dice.pick([0, 1, 2, 64, 0x7fffffff, 0xffffffff, file.length]),
        true,
      );
      const loaded = load(sealed(file));
      if (loaded !== undefined) take(loaded, run);
    }
  });

  it("assembly", () => {
    const texts = programs.map((p) => p.asm);
    for (let run = 0; run < 500 * RUNS; run++) {
      const dice = diceOf(`asm ${run}`);
      const text = damagedText(dice.pick(texts), dice);
      let k: Kernel;
      try {
        k = parseKernel(text, "damaged.kasm");
      } catch (error) {
        if (error instanceof KpuError) continue;
        throw error;
      }
      if (verifyKernel(k).length > 0 || k.level !== "machine") continue;
      // What verifies has a text of its own that says the same, and can be emitted.
      const printed = printKernel(k);
      expect(printKernel(parseKernel(printed))).toBe(printed);
      expect(isValid(emitKernel(k, "", { target, checks: true }).emitted.wasm)).toBe(true);
    }
  });

  it("some damage is harmless, so that acceptance was tried too", () => {
    expect(accepted.files).toBeGreaterThan(20);
    expect(accepted.runs).toBeGreaterThan(0);
  });
});
