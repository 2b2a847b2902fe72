/** A kernel run every way: directly under both transfer policies, interpreted, compiled with and without checks. */
import { expect } from "vitest";
import { paramSpecs } from "../../codegen/params.ts";
import type { Kernel, ParamDecl } from "../../dsl/kernel.ts";
import { build, simulate } from "../../index.ts";
import { bindArguments } from "../../ir/hostargs.ts";
import { interpretKernel } from "../../ir/interpret.ts";
import { parseKernel } from "../../ir/parse.ts";
import { TARGETS } from "../../ir/target.ts";

type HostArray = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array;
export type Argument = HostArray | number;

export const TARGET = TARGETS.t64;

/** Runs all ways on copies of the arguments, which must leave the same; gives them after the direct run. */
export function everyWay(kernel: unknown, args: readonly Argument[]): Argument[] {
  const k = kernel as Kernel<readonly ParamDecl[]>;
  const copies = (): Argument[] => args.map((a) => (typeof a === "number" ? a : a.slice()));
  const results = (["eager", "late"] as const).map((transfers) => {
    const own = copies();
    simulate(k, own as never, { tiles: 1, target: TARGET, transfers });
    return own;
  });
  for (const checks of [true, false]) {
    const own = copies();
    build(k, { target: TARGET, checks }).runWith({ tiles: 1 }, ...(own as never[]));
    results.push(own);
  }
  const text = build(k, { target: TARGET }).kir;
  for (const transfers of ["issue", "wait"] as const) {
    const own = copies();
    const parsed = parseKernel(text, "path.kir");
    interpretKernel(parsed, bindArguments(parsed.name, paramSpecs(parsed), own), {
      tiles: 1,
      target: TARGET,
      transfers,
    });
    results.push(own);
  }
  const [first, ...others] = results as [Argument[], ...Argument[][]];
  for (const other of others) expect(other).toEqual(first);
  return first;
}
