/** What kind of number a float lane holds. */
import { vector } from "../arguments.ts";
import { composed } from "../composed.ts";
import { FLOATS } from "../ir.ts";
import type { Value } from "../operand.ts";
import type { Ops } from "../ops.ts";
import type { Classify } from "../signatures.ts";

function classify(
  name: string,
  what: string,
  of: (ops: Ops, x: Value, infinity: () => Value) => Value,
): Classify {
  return composed<Classify>({
    name,
    family: "compare",
    operands: [{ name: "x", kind: "vec", dtype: FLOATS }],
    result: "mask of x lanes",
    cost: "valu",
    doc: `The mask of lanes that hold ${what}.`,
    example: `S.vstore(S.vsel(0, S.vload(x), S.${name}(S.vload(x))), y);`,
    apply: (ops, [x]) => {
      const { dtype, lanes } = vector(ops, x, "x", 0, FLOATS);
      return of(ops, x as Value, () => ops.op("splat", [Infinity], { dtype, lanes }));
    },
  });
}

export const visnan = classify("visnan", "a NaN", (ops, x) => {
  const own = ops.once(x);
  return ops.op("ne", [own, own]);
});
export const visinf = classify("visinf", "an infinity of either sign", (ops, x, infinity) =>
  ops.op("eq", [ops.op("abs", [x]), infinity()]),
);
export const visfinite = classify(
  "visfinite",
  "a finite number: neither an infinity nor a NaN",
  (ops, x, infinity) => ops.op("lt", [ops.op("abs", [x]), infinity()]),
);
