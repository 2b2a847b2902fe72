/** The functions of the special function unit on the drain path: each a few ops of the ALU table on f32, one rounding each. */

/** An op of the ALU table on the value, and its second operand where it has one. */
export interface ActivationStep {
  readonly op: "maximum" | "minimum" | "sigmoid" | "tanh" | "gelu" | "silu";
  readonly y?: number;
}

export const ACTIVATIONS = {
  none: [],
  /** A NaN stays one: `maximum`, not maximumNumber. */
  relu: [{ op: "maximum", y: 0 }],
  relu6: [
    { op: "maximum", y: 0 },
    { op: "minimum", y: 6 },
  ],
  sigmoid: [{ op: "sigmoid" }],
  tanh: [{ op: "tanh" }],
  /** By the error function; not its approximation by tanh. */
  gelu: [{ op: "gelu" }],
  silu: [{ op: "silu" }],
} as const satisfies Record<string, readonly ActivationStep[]>;

export type ActivationName = keyof typeof ACTIVATIONS;
export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as readonly ActivationName[];

export function activationSteps(name: ActivationName): readonly ActivationStep[] {
  return ACTIVATIONS[name];
}
