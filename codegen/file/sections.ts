/**
 * The frame of a program file: a header, a table of sections, the sections. docs/program-format.md has it in tables. There is
 * one file for a list of sections, so that every byte is either said by the table or zero, and one that is neither is found.
 */
import { createHash } from "node:crypto";
import { fail } from "../../ir/diagnostic.ts";

export const PROGRAM_VERSION = 2;

/** Kinds of sections, in the order in which they stand in a file. */
export const SECTIONS = { manifest: 1, code: 2, source: 3, constants: 4, weights: 5 } as const;
export type SectionName = keyof typeof SECTIONS;
const NAMES = Object.keys(SECTIONS) as readonly SectionName[];

export type SectionContents = { readonly [K in SectionName]?: Uint8Array };

/** Where a section stands in its file. */
export interface SectionPlace {
  readonly name: SectionName;
  readonly offset: number;
  readonly bytes: number;
  /** SHA-256 of the content, in hex. */
  readonly sha256: string;
}

/** As in PNG: a byte above 127, and line ends that a text transfer would change. */
const MAGIC = Uint8Array.of(0x89, 0x4b, 0x50, 0x55, 0x0d, 0x0a, 0x1a, 0x0a);
const HEADER_BYTES = 64;
const ENTRY_BYTES = 64;
const ALIGNMENT = 64;
const HASH_BYTES = 32;
const HEADER = { version: 8, count: 12, length: 16, hash: 24 } as const;
const ENTRY = { kind: 0, offset: 8, length: 16, hash: 24 } as const;

const aligned = (n: number): number => Math.ceil(n / ALIGNMENT) * ALIGNMENT;
const digest = (content: Uint8Array): Uint8Array => createHash("sha256").update(content).digest();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** SHA-256 in hex. */
export function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The file of these sections; one that is empty is left out. */
export function packSections(contents: SectionContents): Uint8Array<ArrayBuffer> {
  const present = NAMES.flatMap((name) => {
    const content = contents[name];
    return content === undefined || content.length === 0 ? [] : [{ name, content }];
  });
  const table = HEADER_BYTES + present.length * ENTRY_BYTES;
  const file = new Uint8Array(present.reduce((at, { content }) => aligned(at + content.length), table));
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(HEADER.version, PROGRAM_VERSION, true);
  view.setUint32(HEADER.count, present.length, true);
  view.setBigUint64(HEADER.length, BigInt(file.length), true);
  let at = table;
  for (const [i, { name, content }] of present.entries()) {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    view.setUint32(entry + ENTRY.kind, SECTIONS[name], true);
    view.setBigUint64(entry + ENTRY.offset, BigInt(at), true);
    view.setBigUint64(entry + ENTRY.length, BigInt(content.length), true);
    file.set(digest(content), entry + ENTRY.hash);
    file.set(content, at);
    at = aligned(at + content.length);
  }
  file.set(headHash(file, table), HEADER.hash);
  return file;
}

/** Over header and table, the place of the hash being zero; the table has the hashes of all else. */
function headHash(file: Uint8Array, end: number): Uint8Array {
  // A Buffer's own slice is a view.
  const head = new Uint8Array(file.subarray(0, end));
  head.fill(0, HEADER.hash, HEADER.hash + HASH_BYTES);
  return digest(head);
}

/** @throws KPU7003 */
export function damaged(what: string): never {
  return fail("KPU7003", `this is not a whole program file: ${what}`, {
    help: "build the program again, or copy the file again",
  });
}

/**
 * The sections of a file, in the order of the file.
 * @throws KPU7004 another version, KPU7003 a file that {@link packSections} would not have made
 */
export function sectionsOf(file: Uint8Array): readonly SectionPlace[] {
  if (!(file instanceof Uint8Array)) damaged("it is not a Uint8Array");
  if (file.length < HEADER_BYTES) damaged(`it has ${file.length} bytes, a header has ${HEADER_BYTES}`);
  if (MAGIC.some((b, i) => file[i] !== b)) damaged("it does not begin with the mark of a .kpubin file");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  checkVersion(view.getUint32(HEADER.version, true));
  const length = view.getBigUint64(HEADER.length, true);
  if (length !== BigInt(file.length)) damaged(`it says that it has ${length} bytes, and has ${file.length}`);
  const count = view.getUint32(HEADER.count, true);
  const table = HEADER_BYTES + count * ENTRY_BYTES;
  if (table > file.length) damaged(`a table of ${count} sections does not fit`);
  if (!same(headHash(file, table), file.subarray(HEADER.hash)))
    damaged("its header and table do not have the hash that it says");
  const places = Array.from({ length: count }, (_, i) => placeAt(view, file, HEADER_BYTES + i * ENTRY_BYTES));
  checkPlaces(file, places, table);
  return places;
}

function checkVersion(version: number): void {
  if (version === PROGRAM_VERSION) return;
  if (version === 0) damaged("version 0 does not exist");
  fail(
    "KPU7004",
    `the program file has version ${version}, this runtime reads version ${PROGRAM_VERSION}`,
    version > PROGRAM_VERSION
      ? { help: "use a newer kpu-dsl, or build the program again with this one" }
      : { help: "build the program again from its kernel" },
  );
}

function placeAt(view: DataView, file: Uint8Array, entry: number): SectionPlace {
  const kind = view.getUint32(entry + ENTRY.kind, true);
  const name = NAMES.find((n) => SECTIONS[n] === kind);
  if (name === undefined) return damaged(`there is no section of kind ${kind}`);
  const offset = view.getBigUint64(entry + ENTRY.offset, true);
  const bytes = view.getBigUint64(entry + ENTRY.length, true);
  if (offset + bytes > BigInt(file.length)) damaged(`section "${name}" reaches beyond the end`);
  const hash = hex(file.subarray(entry + ENTRY.hash, entry + ENTRY.hash + HASH_BYTES));
  return { name, offset: Number(offset), bytes: Number(bytes), sha256: hash };
}

/** Sections stand in their order, each at the first place that is free, and what is between and beside them is zero. */
function checkPlaces(file: Uint8Array, places: readonly SectionPlace[], table: number): void {
  zero(file, HEADER.hash + HASH_BYTES, HEADER_BYTES);
  for (let i = 0; i < places.length; i++) {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    zero(file, entry + 4, entry + ENTRY.offset);
    zero(file, entry + ENTRY.hash + HASH_BYTES, entry + ENTRY_BYTES);
  }
  let free = table;
  for (const [i, { name, offset, bytes, sha256: said }] of places.entries()) {
    const before = places[i - 1];
    if (before !== undefined && SECTIONS[before.name] >= SECTIONS[name])
      damaged(`section "${name}" stands behind "${before.name}"`);
    if (offset !== free || bytes === 0) damaged(`section "${name}" is out of place`);
    if (sha256(file.subarray(offset, offset + bytes)) !== said)
      damaged(`section "${name}" does not have the hash that the table says`);
    free = aligned(offset + bytes);
    zero(file, offset + bytes, Math.min(free, file.length));
  }
  if (free !== file.length) damaged(`its sections end at ${free}, and it has ${file.length} bytes`);
}

function zero(file: Uint8Array, from: number, to: number): void {
  for (let i = from; i < to; i++) if (file[i] !== 0) damaged(`byte ${i} belongs to nothing, and is not zero`);
}
const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((x, i) => x === b[i]);
