/**
 * The program file `.kpubin`; docs/program-format.md describes it. A program has one file: one that differs by a byte from
 * what {@link writeProgram} makes of what it says is refused (KPU7003, KPU7004), and nothing else happens.
 */
import { KpuError } from "../../ir/diagnostic.ts";
import { bytesOf } from "../../ir/dtype.ts";
import type { Kernel } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import {
  type CompleteDescription,
  descriptionProblem,
  metricsProblem,
  tensorBytes,
} from "../../ir/program.ts";
import { targetProblem } from "../../ir/target.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { paramUses } from "../params.ts";
import { blocksOf, packBlocks, type Table, tableBytes, tableOf } from "./blocks.ts";
import { manifestOf, type ProgramFile, weightsOf } from "./manifest.ts";
import { type Declared, manifestSchema } from "./schema.ts";
import { damaged, packSections, type SectionName, sectionsOf } from "./sections.ts";

/** The bytes of a program file. */
export function writeProgram(p: ProgramFile): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder();
  return packSections({
    manifest: text.encode(JSON.stringify(manifestOf(p))),
    code: text.encode(codeText(p.machine)),
    source: text.encode(p.source),
    constants: packBlocks(p.machine.tables.map(tableBytes)),
    weights: packBlocks(weightsOf(p.description).map((w) => w.content)),
  });
}

/** The code without its tables, which have a section of their own. */
function codeText(machine: Kernel): string {
  return printKernel({ ...machine, tables: [] }, { locations: true });
}

/**
 * Reads and checks a program file.
 * @throws KPU7003 when it is damaged or says what cannot be, KPU7004 when it is of another version
 */
export function readProgram(file: Uint8Array): ProgramFile {
  const places = sectionsOf(file);
  const bytesAt = (name: SectionName): Uint8Array => {
    const place = places.find((p) => p.name === name);
    return place === undefined ? new Uint8Array() : file.subarray(place.offset, place.offset + place.bytes);
  };
  const textAt = (name: SectionName): string => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytesAt(name));
    } catch {
      return damaged(`section "${name}" is not text`);
    }
  };
  const said = textAt("manifest");
  const { constants, ...declared } = readManifest(said);
  const tables = readTables(bytesAt("constants"), constants);
  const code = textAt("code");
  const machine = readCode(code, tables);
  const { target, checks, estimates, measured } = declared;
  const description = readDescription(machine, declared, bytesAt("weights"));
  for (const metrics of [estimates, measured]) {
    const not = metrics === undefined ? undefined : metricsProblem(metrics, description, machine.params);
    if (not !== undefined) damaged(`what it says of its cost ${not}`);
  }
  const wrong = targetProblem(target);
  if (wrong !== undefined) damaged(`its target ${wrong}`);
  if (machine.registerBits !== target.registerBits)
    damaged(
      `its code is for registers of ${machine.registerBits} bits, its target has ${target.registerBits}`,
    );
  const program = { target, checks, source: textAt("source"), machine, description, estimates, measured };
  if (codeText(machine) !== code) damaged("its code is not written as a writer does");
  compareManifest(said, program);
  return program;
}

function readManifest(text: string) {
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

function readTables(
  section: Uint8Array,
  said: readonly { readonly dtype: Table["dtype"]; readonly elements: number }[],
): readonly Table[] {
  const sizes = said.map(({ dtype, elements }) => bytesOf(dtype, elements));
  const blocks = blocksOf(section, sizes, "constants");
  return said.map(({ dtype, elements }, i) => tableOf(dtype, blocks[i] as Uint8Array, elements));
}

function readCode(text: string, tables: readonly Table[]): Kernel {
  let machine: Kernel;
  try {
    machine = { ...parseKernel(text, "<code section>"), tables };
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    return damaged(`its code does not parse: ${error.diagnostics[0]?.message}`);
  }
  const wrong = verifyKernel(machine)[0];
  if (wrong !== undefined) damaged(`its code is not well formed: ${wrong.message}`);
  if (machine.level !== "machine") damaged(`its code is KIR of level ${machine.level}, not machine`);
  return machine;
}

function readDescription(
  machine: Kernel,
  { tensors, ops, schedule }: Pick<Declared, "tensors" | "ops" | "schedule">,
  section: Uint8Array,
): CompleteDescription {
  const held = tensors.filter((t) => t.role === "weight");
  const blocks = blocksOf(
    section,
    held.map((t) => tensorBytes(t) ?? 0),
    "weights",
  );
  const weights = Object.fromEntries(held.map((t, i) => [t.name, blocks[i] as Uint8Array]));
  const description = { tensors, ops, schedule, ...(held.length === 0 ? {} : { weights }) };
  const wrong = descriptionProblem(description, paramUses(machine));
  if (wrong !== undefined) damaged(`its description does not hold: ${wrong.message}`);
  return description;
}

/** What the manifest says beside what was taken from it must follow from the rest. */
function compareManifest(said: string, program: ProgramFile): void {
  const made = JSON.stringify(manifestOf(program));
  if (made === said) return;
  let at = 0;
  while (made[at] === said[at]) at++;
  damaged(
    `from its code and the rest follows a manifest with ${excerpt(made, at)}, it has ${excerpt(said, at)}`,
  );
}

/** The end of what two texts share, and how one goes on. */
function excerpt(text: string, at: number): string {
  return `\`${text.slice(Math.max(0, at - 40), at + 20)}\``;
}
