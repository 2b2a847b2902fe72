/** Rows in memory: what transfers and the commands of the matrix path share. */
import type { Expr } from "../../ir/kir.ts";
import type { Emitter } from "./context.ts";
import type { Code, LocalIndex } from "./encoder.ts";
import { bounded, elementUnits } from "./pointer.ts";
import { index32 } from "./scalar.ts";

export const I32S = (n: number): "i32"[] => new Array<"i32">(n).fill("i32");

export function pushAddress(E: Emitter, p: Expr): void {
  if (E.checks) E.code.get(bounded(E, p).addr).op("i32.wrap_i64");
  else E.pointer(p);
}

/** Pushes a number of elements as bytes (or half bytes: {@link elementUnits}). */
export function pushBytes(E: Emitter, n: Expr, bytes: number): void {
  index32(E, n);
  if (bytes > 1) E.code.i32(bytes).op("i32.mul");
}

/** Runs `body` while the local is above 0; it goes down by what `step` pushes. */
export function down(c: Code, left: LocalIndex, step: () => Code, body: () => void): void {
  c.block();
  const done = c.depth - 1;
  c.loop();
  const again = c.depth - 1;
  c.get(left).i32(0).op("i32.le_s").brIf(done);
  body();
  c.get(left);
  step().op("i32.sub").set(left).br(again).end().end();
}
/** Runs `body` while the local counts down to 0. */
export function countDown(c: Code, n: LocalIndex, body: () => void): void {
  down(c, n, () => c.i32(1), body);
}

export function add(c: Code, to: LocalIndex, step: LocalIndex): void {
  c.get(to).get(step).op("i32.add").set(to);
}

/** (dst, src, width, source stride, destination stride, times), all but the last in bytes. */
export function copyRowsHelper(c: Code): number {
  return c.module.helper("copy rows", I32S(6), [], (h) => {
    countDown(h, 5, () => {
      h.get(0).get(1).get(2).memoryCopy();
      add(h, 0, 4);
      add(h, 1, 3);
    });
  });
}
