/** What a step of plasticity asks of the machine. */
import { type Costing, rowsOf, type Stored, WORD } from "../costing.ts";
import type { Plan, Step } from "../steps.ts";

/** Vectors of n edges, and the Laplacian row by row. */
export function plasticityPlan(c: Costing, vectors: readonly Stored[], laplacian: Stored | undefined): Plan {
  const n = vectors[0]?.samples.n ?? 0;
  const bytes = WORD * n;
  const loads = vectors.map(
    (v): Step => ({ step: "stream", rows: n, load: [rowsOf(v)], keep: true, work: {} }),
  );
  const spread: readonly Step[] =
    laplacian === undefined
      ? []
      : [
          {
            step: "stream",
            rows: n,
            load: [{ address: laplacian.address, bytesPerRow: bytes }],
            keep: false,
            work: { mac: n * n },
            read: n * bytes,
          },
        ];
  return {
    unit: "spc",
    resident: (vectors.length + 1) * bytes,
    steps: [
      ...loads,
      ...spread,
      // Decay, spread and information; the preconditioner at least 1e-6, a quotient; at least 0; the cost of a square.
      {
        step: "work",
        work: { mac: 5 * n, root: n, compare: 2 * n },
        read: vectors.length * bytes,
        write: bytes,
      },
      // As if the budget were always exceeded: a quotient, its root, and a product for each edge.
      { step: "work", work: { mac: n, root: 2 }, read: bytes, write: bytes },
      { step: "store", address: c.output, bytes },
    ],
  };
}
