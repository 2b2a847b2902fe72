/**
 * The program file `.kpubin`; docs/program-format.md describes it. A file that is damaged, truncated or of a newer
 * version is refused (KPU7003, KPU7004), and nothing else happens.
 */
import { createHash } from "node:crypto";
import { fail, KpuError } from "../ir/diagnostic.ts";
import type { Kernel } from "../ir/kir.ts";
import { parseKernel } from "../ir/parse.ts";
import { printKernel } from "../ir/print.ts";
import type { Target } from "../ir/target.ts";
import { verifyKernel } from "../ir/verify.ts";
import { type CompiledKernel, paramSpecs } from "./compile.ts";
import { type Manifest, manifestSchema, PROGRAM_VERSION } from "./manifest.ts";

/** As in PNG: a byte above 127, and line ends that a text transfer would change. */
const MAGIC = [0x89, 0x4b, 0x50, 0x55, 0x0d, 0x0a, 0x1a, 0x0a];
const HEADER_BYTES = 64;
const ENTRY_BYTES = 16;
const ALIGNMENT = 64;
const HASH_AT = 24;
const HASH_BYTES = 32;

/** Section numbers. */
const SECTION = { manifest: 1, code: 2, source: 3 } as const;
const SECTION_NAMES: { readonly [n: number]: string } = { 1: "manifest", 2: "code", 3: "source" };

/** What a program file holds. */
export interface ProgramFile {
  readonly manifest: Manifest;
  /** KIR of level virtual, for people. */
  readonly source: string;
  /** KIR of level machine, verified: what runs. */
  readonly machine: Kernel;
}

function sha256(content: Uint8Array | string): string {
  return createHash("sha256").update(content).digest("hex");
}

/** The bytes of a program file. */
export function writeProgram(p: CompiledKernel): Uint8Array<ArrayBuffer> {
  const { name, tiles, registerBits, capacity, events } = p.target;
  const { l3, l2, l1, acc, local, private: own } = capacity;
  const manifest: Manifest = {
    name: p.name,
    version: PROGRAM_VERSION,
    sourceHash: sha256(p.source),
    target: {
      name,
      tiles,
      registerBits: registerBits as 256,
      capacity: { l3, l2, l1, acc, local, private: own },
      events,
    },
    params: [...paramSpecs(p.machine)],
    checks: p.checks,
    memory: { program: p.emitted.programBytes, perTile: p.emitted.tileBytes },
  };
  const text = new TextEncoder();
  const sections = [
    { kind: SECTION.manifest, content: text.encode(JSON.stringify(manifest)) },
    { kind: SECTION.code, content: text.encode(printKernel(p.machine, { locations: true })) },
    { kind: SECTION.source, content: text.encode(p.source) },
  ];
  let at = align(HEADER_BYTES + sections.length * ENTRY_BYTES);
  const places = sections.map((s) => {
    const offset = at;
    at = align(at + s.content.length);
    return { ...s, offset };
  });
  const file = new Uint8Array(at);
  const view = new DataView(file.buffer);
  file.set(MAGIC);
  view.setUint32(8, PROGRAM_VERSION, true);
  view.setUint32(12, sections.length, true);
  view.setUint32(16, file.length, true);
  places.forEach((s, i) => {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    view.setUint32(entry, s.kind, true);
    view.setUint32(entry + 4, s.offset, true);
    view.setUint32(entry + 8, s.content.length, true);
    file.set(s.content, s.offset);
  });
  // The hash covers the whole file, its own place being zero.
  file.set(createHash("sha256").update(file).digest(), HASH_AT);
  return file;
}
function align(n: number): number {
  return Math.ceil(n / ALIGNMENT) * ALIGNMENT;
}

function damaged(what: string): never {
  return fail("KPU7003", `this is not a whole program file: ${what}`, {
    help: "build the program again, or copy the file again",
  });
}

/** Reads and checks a program file. */
export function readProgram(file: Uint8Array): ProgramFile {
  const sections = readSections(file);
  const section = (kind: keyof typeof SECTION): string => {
    const content = sections.get(SECTION[kind]);
    if (content === undefined) return damaged(`it has no section "${kind}"`);
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(content);
    } catch {
      return damaged(`section "${kind}" is not text`);
    }
  };
  const manifest = readManifest(section("manifest"));
  const source = section("source");
  if (sha256(source) !== manifest.sourceHash)
    damaged("the source does not have the hash that the manifest says");
  const machine = readCode(section("code"));
  const { level, registerBits, name } = machine;
  if (level !== "machine") damaged(`its code is KIR of level ${level}, not machine`);
  if (registerBits !== manifest.target.registerBits || name !== manifest.name)
    damaged("manifest and code do not agree");
  if (JSON.stringify(paramSpecs(machine)) !== JSON.stringify(manifest.params))
    damaged("manifest and code do not agree");
  return { manifest, source, machine };
}

function readSections(file: Uint8Array): Map<number, Uint8Array> {
  if (!(file instanceof Uint8Array)) damaged("it is not a Uint8Array");
  if (file.length < HEADER_BYTES) damaged(`it has ${file.length} bytes, a header has ${HEADER_BYTES}`);
  if (MAGIC.some((b, i) => file[i] !== b)) damaged("it does not begin with the mark of a .kpubin file");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const version = view.getUint32(8, true);
  const length = view.getUint32(16, true);
  if (version > PROGRAM_VERSION) {
    fail(
      "KPU7004",
      `the program file has version ${version}, this runtime reads version ${PROGRAM_VERSION}`,
      {
        help: "use a newer kpu-dsl, or build the program again with this one",
      },
    );
  }
  if (version !== PROGRAM_VERSION) damaged(`version ${version} does not exist`);
  if (length !== file.length) damaged(`it says that it has ${length} bytes, and has ${file.length}`);
  const copy = new Uint8Array(file);
  copy.fill(0, HASH_AT, HASH_AT + HASH_BYTES);
  const hash = createHash("sha256").update(copy).digest();
  if (hash.some((b, i) => file[HASH_AT + i] !== b))
    damaged("its content does not have the hash that it says");
  const count = view.getUint32(12, true);
  if (HEADER_BYTES + count * ENTRY_BYTES > file.length) damaged(`a table of ${count} sections does not fit`);
  const sections = new Map<number, Uint8Array>();
  for (let i = 0; i < count; i++) {
    const entry = HEADER_BYTES + i * ENTRY_BYTES;
    const kind = view.getUint32(entry, true);
    const offset = view.getUint32(entry + 4, true);
    const size = view.getUint32(entry + 8, true);
    const name = SECTION_NAMES[kind] ?? String(kind);
    if (offset % ALIGNMENT !== 0 || offset + size > file.length) damaged(`section "${name}" is out of place`);
    if (sections.has(kind)) damaged(`section "${name}" comes twice`);
    sections.set(kind, file.subarray(offset, offset + size));
  }
  return sections;
}

function readManifest(text: string): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return damaged("its manifest is not JSON");
  }
  const result = manifestSchema().safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return damaged(`its manifest is wrong at ${issue?.path.join(".") ?? "?"}: ${issue?.message ?? "?"}`);
}

function readCode(text: string): Kernel {
  try {
    const machine = parseKernel(text, "<code section>");
    const wrong = verifyKernel(machine)[0];
    if (wrong !== undefined) damaged(`its code is not well formed: ${wrong.message}`);
    return machine;
  } catch (error) {
    if (error instanceof KpuError && error.code !== "KPU7003")
      return damaged(`its code does not parse: ${error.diagnostics[0]?.message}`);
    throw error;
  }
}

/** The machine that a manifest names. */
export function targetOf(m: Manifest): Target {
  return m.target;
}
