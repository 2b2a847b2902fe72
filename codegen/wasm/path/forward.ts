/**
 * Transfers that are only noted (codegen/forwarding.ts), and streams that look up where their elements come from.
 *
 * The notes of a tile stand in its area, {@link NOTES} of them, and what they bring does not overlap. A note is dropped when
 * another brings all of it again; in all other doubts the notes are carried out and memory is as if nothing had been
 * noted: when a stream reads what is not in one note alone, when notes overlap or are too many, and when an array was
 * read {@link READS} times, for what lies together is faster to read than what does not.
 */
import type { Apply } from "../../../ir/kir.ts";
import { HEAD, NOTE_BYTES, NOTES } from "../../layout.ts";
import type { Emitter } from "../context.ts";
import type { Code, LocalIndex } from "../encoder.ts";
import { copyRowsHelper, countDown, I32S } from "../rows.ts";

/** A note, in bytes from its beginning. Addresses, strides and widths are bytes too; no `times` is no note. */
const NOTE = {
  dst: 0,
  end: 4,
  src: 8,
  width: 12,
  srcStride: 16,
  dstStride: 20,
  times: 24,
  left: 28,
} as const;
type Field = keyof typeof NOTE;

/** How often what a note brings is read where it comes from. */
const READS = 2;

function pushNotes(E: Emitter): void {
  E.code.get(E.tileBase).i32(E.layout.near.notes).op("i32.add");
}

/** Nothing is noted when a tile begins. */
export function clearNotes(E: Emitter): void {
  for (let i = 0; i < NOTES; i++)
    E.code
      .get(E.tileBase)
      .i32(0)
      .access("i32.store", E.layout.near.notes + i * NOTE_BYTES + NOTE.times);
}

/** With (dst, src, width, source stride, destination stride, times) of a transfer on the stack, as copyRows has them. */
export function emitNoted(E: Emitter): void {
  pushNotes(E);
  pushApart(E);
  E.code.call(noteHelper(E.code));
}

/** With (address, rows, bytes of a row, stride) on the stack: leaves the address and the stride to read them with. */
export function emitLookedUp(E: Emitter): void {
  pushNotes(E);
  E.code.call(lookUpHelper(E.code));
}

export const isNoted = (E: Emitter, e: Apply): boolean => E.forwarding.noted.has(e);

/** Pushes whether what is read is apart from what is written. */
export function pushApart(E: Emitter): void {
  E.code.global(E.baseGlobal).access("i32.load", HEAD.apart);
}

const get = (h: Code, note: LocalIndex, field: Field): Code => h.get(note).access("i32.load", NOTE[field]);

/** Runs `body` with each place of a note. */
function eachPlace(h: Code, notes: LocalIndex, body: (note: LocalIndex) => void): void {
  const [note, n] = [h.temp("i32"), h.temp("i32")];
  h.get(notes).set(note).i32(NOTES).set(n);
  countDown(h, n, () => {
    body(note);
    h.get(note).i32(NOTE_BYTES).op("i32.add").set(note);
  });
}
/** Runs `body` with each note that there is. */
function eachNote(h: Code, notes: LocalIndex, body: (note: LocalIndex) => void): void {
  eachPlace(h, notes, (note) => {
    get(h, note, "times").if();
    body(note);
    h.end();
  });
}
/** Runs `body` with each note that brings something from address `from` up to `to`. */
function eachNoteIn(
  h: Code,
  notes: LocalIndex,
  from: LocalIndex,
  to: LocalIndex,
  body: (note: LocalIndex) => void,
): void {
  eachNote(h, notes, (note) => {
    h.get(from);
    get(h, note, "end").op("i32.lt_u");
    get(h, note, "dst").get(to).op("i32.lt_u").op("i32.and").if();
    body(note);
    h.end();
  });
}

/** (notes): carries all of them out. */
function carryOutHelper(c: Code): number {
  return c.module.helper("carry out notes", I32S(1), [], (h) =>
    eachNote(h, 0, (note) => {
      for (const f of ["dst", "src", "width", "srcStride", "dstStride", "times"] as const) get(h, note, f);
      h.call(copyRowsHelper(h));
      h.get(note).i32(0).access("i32.store", NOTE.times);
    }),
  );
}

/** (dst, src, width, source stride, destination stride, times, notes, apart) */
function noteHelper(c: Code): number {
  return c.module.helper("note rows", I32S(8), [], (h) => {
    const [dst, src, width, srcStride, dstStride, times, notes, apart] = [0, 1, 2, 3, 4, 5, 6, 7];
    const end = h.local("i32");
    // The stride of a single row may be anything.
    h.get(width).get(dstStride).get(times).i32(1).op("i32.eq").op("select").set(dstStride);
    // At once where the source may change, and where rows are empty or overlap.
    h.get(apart).op("i32.eqz").get(width).i32(0).op("i32.le_s").op("i32.or");
    h.get(times)
      .i32(0)
      .op("i32.le_s")
      .op("i32.or")
      .get(dstStride)
      .get(width)
      .op("i32.lt_s")
      .op("i32.or")
      .if();
    h.get(notes).call(carryOutHelper(h));
    for (const l of [dst, src, width, srcStride, dstStride, times]) h.get(l);
    h.call(copyRowsHelper(h)).op("return").end();

    h.get(times).i32(1).op("i32.sub").get(dstStride).op("i32.mul").get(dst).op("i32.add");
    h.get(width).op("i32.add").set(end);
    eachNoteIn(h, notes, dst, end, (note) => {
      get(h, note, "dst").get(dst).op("i32.eq");
      get(h, note, "dstStride").get(dstStride).op("i32.eq").op("i32.and");
      get(h, note, "width").get(width).op("i32.le_s").op("i32.and");
      get(h, note, "times").get(times).op("i32.le_s").op("i32.and").if();
      h.get(note).i32(0).access("i32.store", NOTE.times);
      h.else().get(notes).call(carryOutHelper(h)).end();
    });
    const write = (note: LocalIndex): void => {
      const fields = { dst, end, src, width, srcStride, dstStride, times };
      for (const [field, local] of Object.entries(fields) as [Field, LocalIndex][])
        h.get(note).get(local).access("i32.store", NOTE[field]);
      h.get(note).get(width).get(times).op("i32.mul").i32(READS).op("i32.mul").access("i32.store", NOTE.left);
    };
    eachPlace(h, notes, (note) => {
      get(h, note, "times").op("i32.eqz").if();
      write(note);
      h.op("return").end();
    });
    // No place is free: after all notes were carried out the first one is.
    h.get(notes).call(carryOutHelper(h));
    write(notes);
  });
}

/** (src, rows, row, stride, notes) -> (src, stride) */
function lookUpHelper(c: Code): number {
  return c.module.helper("look up rows", I32S(5), I32S(2), (h) => {
    const [src, rows, row, stride, notes] = [0, 1, 2, 3, 4];
    const [end, first, from, size] = [h.local("i32"), h.local("i32"), h.local("i32"), h.local("i32")];
    const answer = (): Code => h.get(src).get(stride).op("return");
    h.get(rows).i32(0).op("i32.le_s").get(row).i32(0).op("i32.le_s").op("i32.or").if();
    answer().end();
    h.get(row).get(stride).get(rows).i32(1).op("i32.eq").op("select").set(stride);
    h.get(rows).i32(1).op("i32.sub").get(stride).op("i32.mul").get(src).op("i32.add");
    h.get(row).op("i32.add").set(end);
    eachNoteIn(h, notes, src, end, (note) => {
      h.get(src);
      get(h, note, "dst").op("i32.sub").set(from);
      h.get(rows).get(row).op("i32.mul").set(size);
      get(h, note, "dst").get(src).op("i32.le_u").get(end);
      get(h, note, "end").op("i32.le_u").op("i32.and").get(size);
      get(h, note, "left").op("i32.le_s").op("i32.and").if();
      h.get(note);
      get(h, note, "left").get(size).op("i32.sub").access("i32.store", NOTE.left);
      // Of one row any part is as it was.
      get(h, note, "times").i32(1).op("i32.eq").if();
      get(h, note, "src").get(from).op("i32.add").get(stride).op("return").end();
      // Otherwise it must be rows of the note, from byte `from` of row `first` on.
      h.get(from);
      get(h, note, "dstStride").op("i32.div_u").set(first);
      h.get(from).get(first);
      get(h, note, "dstStride").op("i32.mul").op("i32.sub").tee(from).get(row).op("i32.add");
      get(h, note, "width").op("i32.le_s");
      h.get(rows).i32(1).op("i32.eq").get(stride);
      get(h, note, "dstStride").op("i32.eq").op("i32.or").op("i32.and").if();
      get(h, note, "src").get(first);
      get(h, note, "srcStride").op("i32.mul").op("i32.add").get(from).op("i32.add");
      get(h, note, "srcStride").op("return").end().end();
      h.get(notes).call(carryOutHelper(h));
      answer();
    });
    h.get(src).get(stride);
  });
}
