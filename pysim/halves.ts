/**
 * The shadow of 4-bit elements. A shadow counts bytes, and two tiles that write the halves of one byte do race: a store reads the
 * byte and writes it back. Only whether memory was written is known by halves: here are the bytes of which one half was.
 */
import type { Clock, Conflict, Shadow } from "./shadow.ts";
import { NEVER } from "./shadow.ts";

/** The written half of a byte, as its distance from the byte's start. */
type Half = 0 | 0.5;

export class Halves {
  readonly #shadow: Shadow;
  readonly #only = new Map<number, Half>();

  constructor(shadow: Shadow) {
    this.#shadow = shadow;
  }

  /** Some byte is half written: accesses of whole bytes have to look here too. */
  get any(): boolean {
    return this.#only.size > 0;
  }

  /** Checks a read of [start, end), in steps of half a byte, and notes it. `unit` is the size of an element. */
  read(start: number, end: number, unit: number, clock: Clock): Conflict | undefined {
    const first = Math.floor(start);
    const last = Math.ceil(end);
    const found = this.#shadow.read(first, last, clock);
    if (found !== undefined || this.#only.size === 0) return found;
    for (let byte = first; byte < last; byte++) {
      const written = this.#only.get(byte);
      if (written === undefined) continue;
      const missing = byte + 0.5 - written;
      if (missing < start || missing >= end) continue;
      const at = unit < 1 ? missing : byte;
      return { kind: "uninitialised", at, cellBytes: Math.min(unit, 1), stamp: NEVER };
    }
    return undefined;
  }

  /** Checks a write of [start, end), in steps of half a byte, and notes it. */
  write(start: number, end: number, clock: Clock): Conflict | undefined {
    const first = Math.floor(start);
    const last = Math.ceil(end);
    const parts: { byte: number; half: Half; fresh: boolean }[] = [];
    if (first !== start) parts.push({ byte: first, half: 0.5, fresh: !this.#shadow.isWritten(first) });
    if (last !== end) parts.push({ byte: last - 1, half: 0, fresh: !this.#shadow.isWritten(last - 1) });
    const found = this.#shadow.write(first, last, clock);
    if (found !== undefined) return found;
    if (this.#only.size > 0)
      for (let byte = Math.ceil(start); byte < Math.floor(end); byte++) this.#only.delete(byte);
    for (const { byte, half, fresh } of parts) {
      if (fresh) this.#only.set(byte, half);
      else if (this.#only.get(byte) !== half) this.#only.delete(byte);
    }
    return undefined;
  }
}
