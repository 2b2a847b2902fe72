/** What must hold of a mutant: it is refused with a diagnostic, or it is the one file of a program that is whole. */
import { PROGRAM_VERSION } from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { someStmt } from "../../ir/walk.ts";
import { Device } from "../../runtime/device.ts";
import { Executor } from "../../runtime/executor.ts";
import { assemble, type KpuProgram, loadProgram } from "../../runtime/index.ts";
import { Wasm } from "../../runtime/webassembly.ts";
import { argumentsFor } from "../ir/arbitraries.ts";
import { diceOf } from "./damage.ts";
import { MUTATIONS, type Mutant, type Original } from "./mutants.ts";

/** Longest time to load a file or a text, in milliseconds: hundreds of times what the originals take. */
const MOST_MS = 5000;

export interface Outcome {
  readonly n: number;
  readonly mutation: string;
  /** The code of the refusal, or that there was none. */
  readonly gave: string;
  /** Milliseconds to load or refuse it. */
  readonly ms: number;
  readonly ran: boolean;
}

/**
 * The n-th mutant of a seed, tried.
 * @throws Error what does not hold of it; a mutant is made again by its seed and number
 */
export function trial(originals: readonly Original[], seed: number, n: number): Outcome {
  const dice = diceOf(`mutant ${seed} ${n}`);
  const mutation = dice.pick(Object.keys(MUTATIONS));
  const original = dice.pick(originals);
  try {
    return { n, mutation, ...tried((MUTATIONS[mutation] as (typeof MUTATIONS)[string])(original, dice), n) };
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    throw new Error(`mutant ${n} of seed ${seed} (${mutation}): ${text}`);
  }
}

function tried(mutant: Mutant, n: number): Omit<Outcome, "n" | "mutation"> {
  const start = performance.now();
  const [program, gave] = taken(mutant);
  const ms = performance.now() - start;
  if (ms > MOST_MS) throw new Error(`it took ${Math.round(ms)} ms`);
  if (program === undefined) return { gave, ms, ran: false };
  whole(program, mutant);
  return { gave, ms, ran: runs(program, n) };
}

const REFUSALS = {
  file: ["KPU7003", "KPU7004"],
  text: ["KPU7001", "KPU7002", "KPU7007"],
} as const;

function taken(mutant: Mutant): readonly [KpuProgram | undefined, string] {
  try {
    return ["file" in mutant ? loadProgram(mutant.file) : assemble(mutant.text, "mutant.kasm"), "accepted"];
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    const codes: readonly string[] = "file" in mutant ? REFUSALS.file : REFUSALS.text;
    if (!codes.includes(error.code)) throw new Error(`refused as ${error.message}`);
    return [undefined, error.code];
  }
}

/** A program that was accepted is verified, is written as it was read, and can be instantiated. */
function whole(program: KpuProgram, mutant: Mutant): void {
  const { bytes, compiled } = program;
  const file = "file" in mutant ? mutant.file : loadProgram(bytes).bytes;
  if (!same(bytes, file)) throw new Error("it is not written as it was read");
  if (!same(assemble(program.assembly).bytes, bytes)) throw new Error("its text is another program");
  const found = verifyKernel(compiled.machine);
  if (found.length > 0) throw new Error(`its code is not well formed: ${found[0]?.message}`);
  if (new DataView(bytes.buffer).getUint32(8, true) !== PROGRAM_VERSION) throw new Error("another version");
  onlyDiagnostics(() => {
    const device = new Device({ bytes: 1024, growable: true });
    new Executor(compiled, new Wasm.Module(compiled.emitted.wasm), device);
  });
}

/** Runs a program that has no loop whose end could be gone, and checks what it does; gives whether it came to the end. */
function runs(program: KpuProgram, n: number): boolean {
  const { machine, checks } = program.compiled;
  if (!checks || someStmt(machine.body, (s) => s.kind === "loop" || s.kind === "for")) return false;
  return onlyDiagnostics(() => program.runWith({ tiles: 1, print: () => {} }, ...argumentsFor(machine, n)));
}

function onlyDiagnostics(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    return false;
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  Buffer.from(a.buffer, a.byteOffset, a.length).equals(b);
