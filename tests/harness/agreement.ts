/** One kernel in every execution: direct under several schedules, KIR of all levels, compiled with and without checks. */

import { expect } from "vitest";
import type { Kernel, ParamDecl } from "../../dsl/kernel.ts";
import { type AnyKernel, kernelRecord } from "../../executions.ts";
import { findingText, runEveryWay } from "../../kernelsmith/index.ts";

/** Fails when an execution refuses, stops, or leaves other bits than the first. */
export function expectAgreement(
  k: AnyKernel,
  args: readonly unknown[],
  o: { readonly tiles?: number; readonly registerBits?: number } = {},
): void {
  kernelRecord(k);
  const place = { tiles: o.tiles ?? 1, registerBits: o.registerBits ?? 256, pinned: false, seed: 1 };
  const found = runEveryWay(k as Kernel<readonly ParamDecl[]>, args, place, { thorough: true });
  if (found !== undefined) expect.fail(findingText(found));
}
