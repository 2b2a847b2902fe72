/**
 * The text form of a program file, `.kasm`: the same program, to read, compare and change. What follows from the code is left
 * out, so that code can be changed without it.
 *
 *     .manifest          what is declared, as JSON
 *     .source            KIR it was compiled from; a line that begins with a dot has one more
 *     .code              KIR of level machine: what runs
 *     .weights           bytes of each tensor of role weight, in hex
 *
 * The content of a section ends with the line end before the next one.
 */
import { fail, KpuError, type Location } from "../../ir/diagnostic.ts";
import { readJson } from "../../ir/json.ts";
import type { Kernel } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { printKernel } from "../../ir/print.ts";
import {
  completeDescription,
  descriptionProblem,
  metricsProblem,
  type ProgramDescription,
  plainDescription,
} from "../../ir/program.ts";
import { nameText } from "../../ir/syntax.ts";
import { targetProblem } from "../../ir/target.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { paramUses } from "../params.ts";
import { declaredOf, type ProgramFile, weightsOf } from "./manifest.ts";
import { type Declared, declaredSchema } from "./schema.ts";

const SECTIONS = ["manifest", "source", "code", "weights"] as const;
type SectionName = (typeof SECTIONS)[number];

/** Bytes of a weight on a line, and in a group of it. */
const [LINE, GROUP] = [32, 4];

/** The text of a program file; {@link parseAssembly} gives the same program back. */
export function printAssembly(p: ProgramFile): string {
  const weights = weightsOf(p.description);
  const sections: { readonly [K in SectionName]: string } = {
    manifest: `${JSON.stringify(declaredOf(p), null, 2)}\n`,
    source: eachLine(p.source, (l) => (l.startsWith(".") ? `.${l}` : l)),
    code: printKernel(p.machine, { locations: true }),
    weights: weights.map(({ tensor, content }) => `${nameText(tensor.name)}\n${hexLines(content)}`).join(""),
  };
  return SECTIONS.filter((name) => sections[name] !== "")
    .map((name) => `.${name}\n${sections[name]}`)
    .join("\n");
}

function eachLine(text: string, change: (line: string) => string): string {
  return text.split("\n").map(change).join("\n");
}

function hexLines(content: Uint8Array): string {
  let text = "";
  for (let at = 0; at < content.length; at += LINE) {
    for (let group = at; group < Math.min(at + LINE, content.length); group += GROUP)
      text += ` ${Buffer.from(content.subarray(group, Math.min(group + GROUP, at + LINE))).toString("hex")}`;
    text += "\n";
  }
  return text;
}

/** A section: the lines of its content, and the number of the line of its name, from 1. */
interface Section {
  readonly line: number;
  readonly lines: readonly string[];
}

/**
 * The program of a text. `tensors`, `ops` and `schedule` may be left out of the manifest, and are then read off the code; a
 * source and weights may be left out where there are none.
 *
 * @param file name of the text, for reports
 * @throws KPU7007 with line and column, KPU7001 code that does not parse, KPU7002 code that is not well formed
 * @example writeProgram(parseAssembly(printAssembly(program.compiled)))
 */
export function parseAssembly(text: string, file = "<kasm>"): ProgramFile {
  return new Assembler(text, file).program();
}

class Assembler {
  readonly #file: string;
  readonly #sections: ReadonlyMap<SectionName, Section>;

  constructor(text: string, file: string) {
    this.#file = file;
    this.#sections = this.#cut(text.split("\n"));
  }

  program(): ProgramFile {
    const { place, declared } = this.#manifest();
    const machine = this.#code();
    const { target, checks, estimates, measured } = declared;
    const wrong = targetProblem(target);
    if (wrong !== undefined) this.#wrong(`the target ${wrong}`, place(["target"]));
    if (machine.registerBits !== target.registerBits)
      this.#wrong(
        `the code is for registers of ${machine.registerBits} bits, the target has ${target.registerBits}`,
        place(["target", "registerBits"]),
      );
    const params = paramUses(machine);
    const weights = this.#weights();
    const given: ProgramDescription = {
      ...plainDescription(machine.name, params),
      ...defined(declared),
      ...(weights === undefined ? {} : { weights }),
    };
    const problem = descriptionProblem(given, params);
    if (problem !== undefined) this.#wrong(problem.message, place(problem.path));
    const description = completeDescription(given);
    for (const key of ["estimates", "measured"] as const) {
      const metrics = declared[key];
      const not = metrics === undefined ? undefined : metricsProblem(metrics, description, params);
      if (not !== undefined) this.#wrong(`${key} ${not}`, place([key]));
    }
    const source = this.#sections.get("source")?.lines.join("\n") ?? "";
    return {
      target,
      checks,
      source: eachLine(source, (l) => (l.startsWith("..") ? l.slice(1) : l)),
      machine,
      description,
      estimates,
      measured,
    };
  }

  // ------------------------------------------------------------------------------------------ sections

  #cut(lines: readonly string[]): ReadonlyMap<SectionName, Section> {
    const heads = lines.flatMap((l, i) => (/^\.(?!\.)/.test(l) ? [i] : []));
    const before = lines.slice(0, heads[0]).findIndex((l) => !/^\s*(\/\/.*)?$/.test(l));
    if (before >= 0)
      this.#wrong(`expected .manifest, got ${quoted(lines[before] as string)}`, this.#at(before + 1));
    const sections = new Map<SectionName, Section>();
    for (const [k, head] of heads.entries()) {
      const text = (lines[head] as string).trimEnd();
      const name = SECTIONS.find((s) => `.${s}` === text);
      if (name === undefined)
        return this.#wrong(
          `expected ${SECTIONS.map((s) => `.${s}`).join(", ")}, got ${quoted(text)}`,
          this.#at(head + 1),
        );
      const last = [...sections.keys()].at(-1);
      if (last !== undefined && SECTIONS.indexOf(name) <= SECTIONS.indexOf(last))
        this.#wrong(`.${name} stands behind .${last}`, this.#at(head + 1), {
          help: `write each section once, in the order ${SECTIONS.map((s) => `.${s}`).join(", ")}`,
        });
      sections.set(name, { line: head + 1, lines: lines.slice(head + 1, heads[k + 1]) });
    }
    for (const name of ["manifest", "code"] as const)
      if (!sections.has(name)) this.#wrong(`there is no section .${name}`, this.#at(lines.length));
    return sections;
  }

  /** The text of a section behind as many empty lines as stand before it, so that places in it are places in the file. */
  #placed(name: SectionName): string {
    const { line, lines } = this.#sections.get(name) as Section;
    return "\n".repeat(line) + lines.join("\n");
  }

  #manifest() {
    const document = readJson(this.#placed("manifest"), this.#file, "KPU7007");
    const schema = declaredSchema().partial({ tensors: true, ops: true, schedule: true });
    const result = schema.safeParse(document.root.value);
    const place = (path: readonly PropertyKey[]): Location => document.placeOf(path);
    if (result.success) return { place, declared: result.data };
    const [issue] = result.error.issues;
    const unknown = issue?.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    const path = [...(issue?.path ?? []), ...(unknown === undefined ? [] : [unknown])];
    return this.#wrong(
      `${path.join(".") || "the manifest"}: ${unknown === undefined ? issue?.message : "there is no such key"}`,
      document.placeOf(path, unknown === undefined ? "value" : "key"),
      { help: "kpu disasm of any program file shows a manifest that has all" },
    );
  }

  #code(): Kernel {
    const machine = parseKernel(this.#placed("code"), this.#file);
    if (machine.level !== "machine")
      fail("KPU7002", `.code holds KIR of level machine, got level ${machine.level}`, {
        location: this.#at((this.#sections.get("code") as Section).line),
        help: "kpu build compiles kernels; kpu disasm shows what came of them",
      });
    const found = verifyKernel(machine);
    if (found.length > 0) throw new KpuError(found);
    return machine;
  }

  // ------------------------------------------------------------------------------------------ weights

  #weights(): ProgramDescription["weights"] {
    const section = this.#sections.get("weights");
    if (section === undefined) return undefined;
    const weights = new Map<string, number[]>();
    let bytes: number[] | undefined;
    for (const [i, text] of section.lines.entries()) {
      const line = section.line + 1 + i;
      if (/^\s*$/.test(text)) continue;
      if (!/^\s/.test(text)) {
        const name = this.#name(text.trimEnd(), line);
        if (weights.has(name)) this.#wrong(`the weights of "${name}" are here twice`, this.#at(line));
        weights.set(name, (bytes = []));
      } else if (bytes === undefined)
        this.#wrong("expected the name of a tensor before its bytes", this.#at(line));
      else this.#bytes(text, line, bytes);
    }
    return Object.fromEntries([...weights].map(([name, list]) => [name, Uint8Array.from(list)]));
  }

  #name(text: string, line: number): string {
    let name: unknown = text;
    try {
      if (text.startsWith('"')) name = JSON.parse(text);
    } catch {
      name = undefined;
    }
    if (typeof name === "string" && nameText(name) === text) return name;
    return this.#wrong(`${quoted(text)} is no name`, this.#at(line), {
      help: `write it as ${nameText(typeof name === "string" ? name : text)}`,
    });
  }

  #bytes(text: string, line: number, bytes: number[]): void {
    for (const { 0: word, index } of text.matchAll(/\S+/g)) {
      const bad = word.search(/[^0-9a-f]/i);
      if (bad >= 0)
        this.#wrong(`expected bytes in hex, got ${quoted(word.slice(bad))}`, this.#at(line, index + bad + 1));
      if (word.length % 2 !== 0)
        this.#wrong(`${quoted(word)} ends in half a byte`, this.#at(line, index + word.length));
      for (let i = 0; i < word.length; i += 2) bytes.push(Number.parseInt(word.slice(i, i + 2), 16));
    }
  }

  // ------------------------------------------------------------------------------------------ mistakes

  #at(line: number, column = 1): Location {
    return { file: this.#file, line, column };
  }
  #wrong(message: string, location: Location, o: { readonly help?: string } = {}): never {
    return fail("KPU7007", message, { location, ...o });
  }
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 37)}...` : text);
}

/** What a manifest tells of the description. */
function defined({
  tensors,
  ops,
  schedule,
}: {
  readonly [K in "tensors" | "ops" | "schedule"]?: Declared[K] | undefined;
}): Partial<ProgramDescription> {
  return {
    ...(tensors === undefined ? {} : { tensors }),
    ...(ops === undefined ? {} : { ops }),
    ...(schedule === undefined ? {} : { schedule }),
  };
}
