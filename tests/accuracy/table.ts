/** docs/accuracy.md. */
import type { Accuracy } from "./measure.ts";

/** 16-bit results must be correctly rounded, f32 results within 1 ulp. */
export function broken(a: Accuracy): boolean {
  return a.dtype === "f32" ? !(a.error <= 1) : a.notNearest > 0;
}

const COLUMNS = ["function", "dtype", "inputs", "largest error, ulp", "not correctly rounded"];

/** A row of the table. */
export function cells(r: Accuracy): string[] {
  return [`\`${r.name}\``, r.dtype, String(r.inputs), r.error.toFixed(4), String(r.notNearest)];
}

/** The rows of a document, without the head. */
export function rowsOf(text: string): string[][] {
  const lines = text.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) => line.slice(2, -2).split(" | "));
}

export function document(rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  return `# Accuracy of the math functions

Written by \`npm run test:accuracy\`, which tries each function on these inputs, directly and compiled (the bits are the same), and
compares with the exact value: by float64 where that decides, by fixed point of 640 bits elsewhere (tests/accuracy).

- f16 and bf16: all 65,536 values. Promised: correctly rounded.
- f32: 2,000 random values and the ends of every binade of either sign, and what is hard for the function: the values nearest to
  multiples of pi/2 in every binade, near 1, near over- and underflow, subnormals. Promised: within 1 ulp.
- \`vpow\`: every x with 44 exponents, every y with 24 bases, a million random pairs. In a search of all pairs of
  16-bit values no power came nearer than 2^-43.1 of itself to the middle of two values without being there; the algorithm is good
  to 2^-49.

An error of half a unit in the last place (ulp) is that of correct rounding. The algorithms are in ir/math.ts.

${line(COLUMNS)}
${line(COLUMNS.map((_, i) => (i < 2 ? "---" : "--:")))}
${rows.map(line).join("\n")}
`;
}
