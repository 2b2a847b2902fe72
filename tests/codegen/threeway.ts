/**
 * One kernel run four ways: interpreted at level virtual and at level machine, compiled with and without checks. All must leave
 * the same bytes in the arguments (all NaNs are one).
 */
import { expect } from "vitest";
import { compileKernel, legalise } from "../../codegen/index.ts";
import { paramSpecs } from "../../codegen/params.ts";
import { fromBits } from "../../ir/convert.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { bindArguments } from "../../ir/hostargs.ts";
import { interpretKernel } from "../../ir/interpret.ts";
import type { Kernel } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import { TARGETS, type Target } from "../../ir/target.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { KpuProgram } from "../../runtime/program.ts";

export type HostArgument = number | boolean | null | (ArrayBufferView & { readonly length: number });

function copyArguments(args: readonly HostArgument[]): HostArgument[] {
  const copies = new Map<unknown, HostArgument>();
  return args.map((a) => {
    if (typeof a !== "object" || a === null) return a;
    const known = copies.get(a);
    if (known !== undefined) return known;
    const copy = (a as unknown as { slice(): HostArgument }).slice();
    copies.set(a, copy);
    return copy;
  });
}

/** Values of a host array, every NaN the same. */
export function valuesOf(d: DTypeName, a: ArrayBufferView): number[] {
  const { bytes } = DTYPES[d];
  if (bytes < 1) {
    const packed = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
    return Array.from(packed).flatMap((b) => [fromBits(d, b & 15), fromBits(d, b >> 4)]);
  }
  const view = new DataView(a.buffer, a.byteOffset, a.byteLength);
  const get = (at: number): number =>
    bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at, true) : view.getUint32(at, true);
  return Array.from({ length: a.byteLength / bytes }, (_, i) => fromBits(d, get(i * bytes)));
}

export function kernelOf(text: string): Kernel {
  const k = parseKernel(text, "test.kir");
  const wrong = verifyKernel(k);
  expect(wrong.map((w) => w.message)).toEqual([]);
  return k;
}

export interface ThreeWayOptions {
  readonly tiles?: number;
  readonly target?: Target;
}

/** Runs all ways and compares; gives the arguments after the interpreter's run. */
export function threeWays(
  text: string | Kernel,
  args: readonly HostArgument[],
  o: ThreeWayOptions = {},
): HostArgument[] {
  const target = o.target ?? TARGETS.edge;
  const tiles = o.tiles ?? 1;
  const k = typeof text === "string" ? kernelOf(text) : text;
  const specs = paramSpecs(k);
  const expected = copyArguments(args);
  const printed: string[] = [];
  const print = (line: string): void => void printed.push(line);
  interpretKernel(k, bindArguments(k.name, specs, expected), { tiles, target, print });
  const expectedLines = printed.splice(0);
  const compare = (way: string, got: readonly HostArgument[]): void => {
    expect(printed.splice(0), `${way} prints`).toEqual(expectedLines);
    specs.forEach((p, i) => {
      if (!p.pointer || expected[i] === null) return;
      const want = valuesOf(p.dtype, expected[i] as unknown as ArrayBufferView);
      const have = valuesOf(p.dtype, got[i] as unknown as ArrayBufferView);
      const at = want.findIndex((x, j) => !Object.is(x, have[j]));
      if (at >= 0) {
        const inputs = specs.map((q, j) =>
          q.pointer && args[j] !== null
            ? `${q.name}[${at}] = ${valuesOf(q.dtype, args[j] as unknown as ArrayBufferView)[at]}`
            : `${q.name} = ${String(args[j])}`,
        );
        expect.fail(
          `${way}: ${p.name}[${at}] is ${show(have[at])}, expected ${show(want[at])}; ${inputs.join(", ")}\n${printKernel(k)}`,
        );
      }
    });
  };
  const machine = legalise(k, target);
  const wrong = verifyKernel(machine);
  if (wrong.length > 0) expect.fail(`machine level: ${wrong[0]!.message}\n${printKernel(machine)}`);
  const reparsed = parseKernel(printKernel(machine), "machine.kir");
  const ofMachine = copyArguments(args);
  interpretKernel(reparsed, bindArguments(k.name, specs, ofMachine), { tiles, target, print });
  compare("machine level", ofMachine);
  for (const checks of [false, true]) {
    const program = new KpuProgram<HostArgument[]>(compileKernel(k, { target, checks }));
    const got = copyArguments(args);
    try {
      program.runWith({ tiles, print }, ...got);
    } catch (error) {
      expect.fail(`compiled, checks ${checks}: ${String(error)}\n${program.asm}`);
    }
    compare(`compiled, checks ${checks}`, got);
  }
  return expected;
}

function show(x: number | undefined): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
