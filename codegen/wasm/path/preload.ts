/** Partial sums into the accumulators: rows as they are. */
import type { Expr } from "../../../ir/kir.ts";
import type { Emitter } from "../context.ts";
import { elementUnits } from "../pointer.ts";
import { copyRowsHelper, pushAddress, pushBytes } from "../rows.ts";
import { index32 } from "../scalar.ts";

export function emitPreload(E: Emitter, operand: (name: string) => Expr): void {
  const acc = operand("acc");
  pushAddress(E, acc);
  pushAddress(E, operand("src"));
  for (const count of ["cols", "stride", "cols"]) pushBytes(E, operand(count), elementUnits(acc));
  index32(E, operand("rows"));
  E.code.call(copyRowsHelper(E.code));
}
