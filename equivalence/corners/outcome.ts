/** What a corner of a record gives in direct execution: values of a call outside kernels, or what kernel lines left in memory. */
import { type Corner, hostValue, partsOfCorner } from "../../dsl/corner.ts";
import type { IntrinsicRecord, OperandSpec } from "../../dsl/intrinsic.ts";
import type { Mask, Vec } from "../../dsl/values.ts";
import { simulate } from "../../executions.ts";
import { type Diagnostic, KpuError } from "../../ir/diagnostic.ts";
import { EXAMPLE_BYTES, exampleArguments, exampleKernel } from "../matrix/example.ts";
import { callOf } from "../matrix/plan.ts";

export type Result = Vec | Mask | number | boolean;

export type Outcome =
  | { readonly kind: "values"; readonly values: readonly Result[] }
  /** The bytes of the four arrays afterwards, and the lines printed. */
  | { readonly kind: "memory"; readonly bytes: Uint8Array; readonly printed: readonly string[] }
  | { readonly kind: "refused"; readonly diagnostic: Diagnostic };

/** The arguments of a corner as host values, options last. */
export function hostArguments(r: IntrinsicRecord, c: Exclude<Corner, string>): readonly unknown[] {
  const { operands, options } = partsOfCorner(r, c);
  const specs = r.signature.operands;
  const args: unknown[] = operands.map((v, i) => hostValue(v, specs[i]?.kind));
  if (options === undefined) return args;
  return [...args, hostOptions(r.signature.options ?? [], options)];
}

function hostOptions(specs: readonly OperandSpec[], options: object): Readonly<Record<string, unknown>> {
  const kindOf = (name: string): string | undefined => specs.find((s) => s.name === name)?.kind;
  return Object.fromEntries(Object.entries(options).map(([k, v]) => [k, hostValue(v, kindOf(k))]));
}

export function outcomeOf(r: IntrinsicRecord, c: Corner): Outcome {
  try {
    if (typeof c === "string") return runLines(r, c);
    const given = callOf(r)(...hostArguments(r, c));
    return { kind: "values", values: (Array.isArray(given) ? given : [given]) as Result[] };
  } catch (error) {
    const diagnostic = error instanceof KpuError ? error.diagnostics[0] : undefined;
    if (diagnostic === undefined) throw error;
    return { kind: "refused", diagnostic };
  }
}

function runLines(r: IntrinsicRecord, example: string): Outcome {
  const bytes = new Uint8Array(EXAMPLE_BYTES);
  const printed: string[] = [];
  simulate(exampleKernel({ ...r, example }), exampleArguments(bytes), {
    tiles: 1,
    print: (l) => printed.push(l),
  });
  return { kind: "memory", bytes, printed };
}
