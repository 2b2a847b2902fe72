/** A compiled kernel as a caller sees it. */

import {
  type CompiledKernel,
  emitKernel,
  type ProgramFile,
  paramSpecs,
  parseAssembly,
  printAssembly,
  readProgram,
  weightsOf,
  writeProgram,
} from "../codegen/index.ts";
import { fail, presenting } from "../ir/diagnostic.ts";
import { type HostElements, hostZeros } from "../ir/elements.ts";
import { bindArguments, type ParamSpec } from "../ir/hostargs.ts";
import { INSPECT } from "../ir/inspect.ts";
import { printKernel } from "../ir/print.ts";
import {
  type CompleteDescription,
  elementsOf,
  metricsProblem,
  type ProgramDescription,
  type ProgramMetrics,
} from "../ir/program.ts";
import { MAX_TILES } from "../ir/target.ts";
import { Device, deviceOf } from "./device.ts";
import { Executor } from "./executor.ts";
import type { RunReport } from "./report.ts";
import { Wasm, type WasmModule } from "./webassembly.ts";

export interface RunOptions {
  /** Tiles to run on, 1 .. the target's. Default: the target's. */
  readonly tiles?: number;
  /** Memory to run in. Default: that of the first argument that lives on a device, else the program's own. */
  readonly device?: Device;
  /** Takes each printed line. Default: console.log. */
  readonly print?: (line: string) => void;
}

const RUN_OPTIONS = ["tiles", "device", "print"];
/** A program's own memory starts with this and grows. */
const INITIAL_BYTES = 256 * 1024;

/**
 * A program. `A` are the host arguments of its kernel.
 * @example const program = build(saxpy); program.run(xs, ys, 2, 1000);
 */
export class KpuProgram<A extends readonly unknown[] = readonly unknown[]> {
  readonly name: string;
  readonly params: readonly ParamSpec[];
  readonly compiled: CompiledKernel;
  readonly #executors = new WeakMap<Device, Executor>();
  #module: WasmModule | undefined;
  #own: Device | undefined;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #asm: string | undefined;
  #weights: ReadonlyMap<string, HostElements> | undefined;

  constructor(compiled: CompiledKernel) {
    this.compiled = compiled;
    this.name = compiled.name;
    this.params = paramSpecs(compiled.machine);
  }

  /** KIR text of level virtual. */
  get kir(): string {
    return this.compiled.source;
  }
  /** KIR text of level machine: the code that runs. */
  get asm(): string {
    return (this.#asm ??= printKernel(this.compiled.machine));
  }
  /** The whole program as text (`.kasm`), of which {@link assemble} makes it again. */
  get assembly(): string {
    return printAssembly(this.compiled);
  }
  /** Its tensors and ops, as declared with the kernel. */
  get description(): ProgramDescription {
    return this.compiled.description;
  }
  /** Arrays of the weights that the program holds, by the parameter that they are passed in. */
  get weights(): ReadonlyMap<string, HostElements> {
    return (this.#weights ??= heldArrays(this.compiled.description));
  }
  /**
   * The same program, its file with what it costs: before it ran, and as it was measured.
   * @throws KPU6006 for metrics of another program
   * @example program.withMetrics({ estimates: estimateProgram(program, args) }).bytes
   */
  withMetrics(m: { readonly estimates?: ProgramMetrics; readonly measured?: ProgramMetrics }): KpuProgram<A> {
    return presenting(() => {
      for (const [key, metrics] of Object.entries(m)) {
        const wrong = metricsProblem(metrics, this.description, this.params);
        if (wrong !== undefined) fail("KPU6006", `${key} of ${this.name} ${wrong}`);
      }
      return new KpuProgram<A>({ ...this.compiled, ...m });
    });
  }
  /** The program file (`.kpubin`). */
  get bytes(): Uint8Array<ArrayBuffer> {
    return (this.#bytes ??= writeProgram(this.compiled));
  }

  /** Runs on all tiles of the target. Arrays are changed in place. */
  run(...args: A): RunReport {
    return presenting(() => this.#run({}, args));
  }

  /**
   * Runs with options.
   * @throws KPU6006 for an option that is not valid.
   * @example program.runWith({ tiles: 1 }, xs, ys, 2, 1000)
   */
  runWith(o: RunOptions, ...args: A): RunReport {
    return presenting(() => {
      checkOptions(o);
      return this.#run(o, args);
    });
  }

  [INSPECT](): string {
    const { target, checks } = this.compiled;
    const params = this.params.map((p) => `${p.name}: ${p.pointer ? `ptr(${p.dtype})` : p.dtype}`);
    return `program ${this.name}(${params.join(", ")}) for ${target.name}, checks ${checks ? "on" : "off"}`;
  }

  #run(o: RunOptions, args: A): RunReport {
    const bound = bindArguments(this.name, this.params, args);
    const device = o.device ?? this.#deviceOf(bound);
    let executor = this.#executors.get(device);
    if (executor === undefined) {
      this.#module ??= new Wasm.Module(this.compiled.emitted.wasm);
      executor = new Executor(this.compiled, this.#module, device);
      this.#executors.set(device, executor);
    }
    const { target } = this.compiled;
    const tiles = o.tiles ?? target.tiles;
    const marks = executor.run(bound, { tiles, print: o.print ?? console.log });
    return { kernel: this.name, target: target.name, tiles, marks };
  }

  #deviceOf(bound: ReturnType<typeof bindArguments>): Device {
    for (const arg of bound) {
      const device = arg.kind === "pointer" ? deviceOf(arg.buffer) : undefined;
      if (device !== undefined) return device;
    }
    return (this.#own ??= new Device({ bytes: INITIAL_BYTES, growable: true }));
  }
}

function heldArrays(d: CompleteDescription): ReadonlyMap<string, HostElements> {
  return new Map(
    weightsOf(d).flatMap(({ tensor, content }): (readonly [string, HostElements])[] => {
      if (tensor.param === undefined) return [];
      const array = hostZeros(tensor.dtype, elementsOf(tensor) ?? 0);
      new Uint8Array(array.buffer).set(content);
      return [[tensor.param, array]];
    }),
  );
}

function checkOptions(o: RunOptions): void {
  for (const key of Object.keys(o)) {
    if (!RUN_OPTIONS.includes(key)) {
      fail("KPU6006", `runWith has no option "${key}"`, { help: `use ${RUN_OPTIONS.join(", ")}` });
    }
  }
  const { tiles, device, print } = o;
  if (tiles !== undefined && !(Number.isInteger(tiles) && tiles >= 1 && tiles <= MAX_TILES)) {
    fail("KPU6006", `tiles must be an integer from 1 to ${MAX_TILES}, got ${tiles}`);
  }
  if (device !== undefined && !(device instanceof Device)) {
    fail("KPU6006", "device must be a device", { help: "make one with createDevice({ bytes })" });
  }
  if (print !== undefined && typeof print !== "function") {
    fail("KPU6006", "print must be a function", { help: "pass (line) => { ... }" });
  }
}

/**
 * Loads a program file. Needs neither the kernel's source nor a compiler.
 * @throws KPU7003 when the file is damaged or truncated, KPU7004 when it is of another version.
 * @example loadProgram(readFileSync("saxpy.kpubin")).run(xs, ys, 2, 1000)
 */
export function loadProgram(bytes: Uint8Array): KpuProgram {
  return programOf(readProgram(bytes), "KPU7003");
}

/**
 * Makes a program of its text ({@link KpuProgram.assembly}).
 * @param file name of the text, for reports
 * @throws KPU7007 with line and column, KPU7001 and KPU7002 for its code
 * @example assemble(readFileSync("saxpy.kasm", "utf8"), "saxpy.kasm").bytes
 */
export function assemble(text: string, file?: string): KpuProgram {
  return programOf(parseAssembly(text, file), "KPU7002");
}

/** What verifies can be emitted, but for operands of types that no lowering makes. */
function programOf({ machine, source, ...options }: ProgramFile, code: "KPU7002" | "KPU7003"): KpuProgram {
  let compiled: CompiledKernel;
  try {
    compiled = emitKernel(machine, source, options);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    fail(code, `the code of ${machine.name} cannot be emitted: ${error.message}`, {
      help: "build the program again",
    });
  }
  return new KpuProgram(compiled);
}
