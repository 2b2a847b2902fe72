/**
 * Arrays and objects of a kernel exist at compile time only, so a variable that holds one of several at run time holds
 * copies of their parts. A copy is the same as JavaScript's reference as long as nobody writes into either; this file
 * keeps account of that, so that a write that would show through another name is refused.
 */
import type { ArrayValue, Cell, ObjectValue, Value } from "./values.ts";

export type Structure = ArrayValue | ObjectValue;

/** How many variables, slots and fields hold a structure: one that has none yet is new, nobody else can see it. */
const holders = new WeakMap<Structure, number>();
/** Parts that stand for parts of another structure as well: they may not be written one by one. */
const shared = new WeakSet<Cell>();
/** Parts that were written one by one, deeper than they were made: perhaps in an earlier round of a loop. */
const written = new WeakSet<Cell>();
/** Structures that belong to a variable of run time: assigning the variable changes them in place. */
const owned = new WeakSet<Structure>();

export function isStructure(v: Value | undefined): v is Structure {
  return v?.kind === "array" || v?.kind === "object";
}

export function partsOf(v: Structure): Cell[] {
  return v.kind === "array" ? v.slots : [...v.fields.values()];
}

/** Notes that one more place holds the value. */
export function hold1(v: Value | undefined): void {
  if (isStructure(v)) holders.set(v, (holders.get(v) ?? 0) + 1);
}

export function own(v: Structure): void {
  owned.add(v);
}
export function disown(v: Structure): void {
  owned.delete(v);
  holders.delete(v);
}
export function isOwned(v: Value): v is Structure {
  return isStructure(v) && owned.has(v);
}

export function noteWrite(cell: Cell, depth: number): void {
  if (depth > cell.depth) written.add(cell);
}
export function isShared(cell: Cell): boolean {
  return shared.has(cell);
}

/** Marks every part; gives one that an earlier round of a loop may have written. */
export function markShared(v: Structure, depth: number): Cell | undefined {
  let hazard: Cell | undefined;
  for (const part of partsOf(v)) {
    shared.add(part);
    if (written.has(part) && depth > part.depth) hazard = part;
    if (isStructure(part.value)) hazard = markShared(part.value, depth) ?? hazard;
  }
  return hazard;
}

/** The structures in a value that others hold too; `most` holders are its own. */
export function heldElsewhere(v: Structure, most: number): Structure[] {
  if ((holders.get(v) ?? 0) > most) return [v];
  return partsOf(v).flatMap((p) => (isStructure(p.value) ? heldElsewhere(p.value, 1) : []));
}
