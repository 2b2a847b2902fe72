/** Part of a v128 from and to memory: as many bytes as there are, none beyond. */
import type { Code } from "./encoder.ts";
import type { SimdLaneAccessOp } from "./opcodes.ts";
import type { Address } from "./pointer.ts";

/** Reads `bytes` (1..16) bytes at the address into a v128; the rest is zero. */
export function loadPart(c: Code, a: Address, at: number, bytes: number): void {
  const offset = a.offset + at;
  if (bytes === 16) {
    a.push();
    c.vaccess("v128.load", offset);
    return;
  }
  let done = 0;
  const r = c.temp("v128");
  if (bytes >= 8) {
    a.push();
    c.vaccess("v128.load64_zero", offset);
    done = 8;
  } else if (bytes >= 4) {
    a.push();
    c.vaccess("v128.load32_zero", offset);
    done = 4;
  } else c.v32(0);
  c.set(r);
  for (const size of [4, 2, 1] as const) {
    while (bytes - done >= size) {
      a.push();
      c.get(r)
        .vlaneAccess(`v128.load${size * 8}_lane` as SimdLaneAccessOp, done / size, offset + done)
        .set(r);
      done += size;
    }
  }
  c.get(r);
}
export function storePart(c: Code, a: Address, at: number, bytes: number, value: () => void): void {
  const offset = a.offset + at;
  if (bytes === 16) {
    a.push();
    value();
    c.vaccess("v128.store", offset);
    return;
  }
  value();
  const v = c.save("v128");
  let done = 0;
  for (const size of [8, 4, 2, 1] as const) {
    while (bytes - done >= size) {
      a.push();
      c.get(v).vlaneAccess(`v128.store${size * 8}_lane` as SimdLaneAccessOp, done / size, offset + done);
      done += size;
    }
  }
}
