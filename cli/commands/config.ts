import { existsSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { renderAll } from "../../capture/index.ts";
import { fail, KpuError } from "../../ir/diagnostic.ts";
import { checkMachine } from "../../machine/check.ts";
import { MODES, notModelled, useOf } from "../../machine/coverage.ts";
import { machineJsonSchema } from "../../machine/fields.ts";
import { DEFAULT_PRESET, PRESET_NAMES, PRESETS } from "../../machine/presets/index.ts";
import { withoutEffect } from "../../machine/rules.ts";
import type { MachineConfig } from "../../machine/schema.ts";
import { writeWhole } from "../datafile.ts";
import { type Difference, differences, machineRows, summaryOf, table } from "../machine-text.ts";
import { machineFile, machineNamed, unusedText } from "../machines.ts";
import { colours, print, useColour } from "../terminal.ts";
import { type Command, flag, JSON_OPTION, oneOf, parse, text, texts } from "./command.ts";

const Options = z.object({
  json: flag,
  from: text.default(DEFAULT_PRESET.name),
  set: texts,
  output: text.optional(),
  force: flag,
  mode: oneOf(MODES).optional(),
});
type Options = z.infer<typeof Options>;

/** One thing to do with machines: what it takes, and how it is done. */
interface Action {
  readonly takes: string;
  /** Least and most names. */
  readonly names: readonly [least: number, most: number];
  readonly options: readonly (keyof Options)[];
  /** Gives the exit code. */
  run(names: readonly string[], o: Options): number;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  list: { takes: "", names: [0, 0], options: ["json"], run: list },
  show: { takes: "<name or file>", names: [1, 1], options: ["json"], run: show },
  new: { takes: "", names: [0, 0], options: ["from", "set", "output", "force"], run: create },
  validate: {
    takes: "<...files>",
    names: [1, Number.POSITIVE_INFINITY],
    options: ["json", "mode"],
    run: validate,
  },
  schema: {
    takes: "",
    names: [0, 0],
    options: [],
    run() {
      print(asJson(machineJsonSchema()));
      return 0;
    },
  },
  diff: { takes: "<name or file> <name or file>", names: [2, 2], options: ["json"], run: diff },
};

export const config: Command = {
  usage: "config <action> [...names]",
  summary: `Machines: ${Object.keys(ACTIONS).join(", ")}`,
  options: [
    JSON_OPTION,
    ["--from <name>", "With new: the preset or machine file to start from; default: edge"],
    ["--set <field=value>", "With new: a field that is different (repeat)"],
    ["-o, --output <file>", "With new: the file to write"],
    ["--force", "With new: write over a file that exists"],
    ["--mode <mode>", `With validate: say also what the mode does not model: ${MODES.join(", ")}`],
  ],
  examples: [
    "config list",
    "config show edge --json",
    "config new --from t64 --set dram.channels=8 --set tile.fabric.macs.i8=2 -o mine.json",
    "config validate mine.json --mode cycle",
    "config schema > machine.schema.json",
    "config diff t64 mine.json",
  ],
  run([name, rest], options) {
    const o = parse(Options, options);
    const action = Object.hasOwn(ACTIONS, String(name)) ? ACTIONS[String(name)] : undefined;
    if (action === undefined)
      return fail("KPU8001", `kpu config has no action "${name}"`, {
        help: `use one of ${Object.keys(ACTIONS).join(", ")}`,
      });
    const names = (rest as readonly unknown[]).map(String);
    const [least, most] = action.names;
    if (names.length < least || names.length > most)
      fail(
        "KPU8001",
        `kpu config ${name} takes ${least === most ? least : `${least} or more`} names, got ${names.length}`,
        { help: `write kpu config ${name} ${action.takes}`.trimEnd() },
      );
    const foreign = Options.keyof().options.find(
      (key) => Object.hasOwn(options as object, key) && !action.options.includes(key),
    );
    if (foreign !== undefined) fail("KPU8001", `kpu config ${name} has no option --${foreign}`);
    return action.run(names, o);
  },
};

function list(_names: readonly string[], { json }: Options): number {
  const machines = PRESET_NAMES.map((name) => PRESETS[name]);
  if (json) print(asJson(machines.map((m) => ({ ...summaryOf(m), source: m.source }))));
  else
    printTable(
      ["name", "tiles", "array", "clock", "DRAM", "L3", "L2 per tile", "local per tile"],
      machines.map((m) => Object.values(summaryOf(m)).map(String)),
    );
  return 0;
}

/** The mode of a row is the first that models the field: those behind it do too. */
function show([name = ""]: readonly string[], { json }: Options): number {
  const machine = machineNamed(name);
  if (json) {
    print(asJson(machine));
    return 0;
  }
  const sources = ["source", "energy.source"];
  printTable(
    ["field", "value", "unit", "modelled from mode"],
    machineRows(machine)
      .filter((r) => !sources.includes(r.path))
      .map((r) => [r.path, String(r.value), r.unit, useOf(r.field)]),
  );
  print(`\nsource: ${machine.source}\nenergy: ${machine.energy.source}`);
  for (const line of unusedText(machine)) print(line);
  return 0;
}

function create(_names: readonly string[], { from, set, output, force }: Options): number {
  if (output === undefined)
    return fail("KPU8001", "kpu config new has no file to write", { help: "add -o mine.json" });
  const base = machineNamed(from);
  const changes = set.map((change) => changeOf(change, base));
  const own = {
    ...base,
    name: basename(output).replace(/\.json$/i, ""),
    version: "1.0.0",
    source: `${[base.name, ...set].join(", ")}; of ${base.name}: ${base.source}`,
  };
  const machine = checkMachine(
    changes.reduce<unknown>((m, { path, value }) => replaced(m, path, value), own),
  );
  if (existsSync(output) && !force)
    fail("KPU8001", `${output} exists already`, {
      help: "write to another file with --output, or over it with --force",
    });
  writeWhole(output, `${asJson(machine)}\n`);
  print(`${output}: ${machine.name}, from ${base.name}`);
  return 0;
}

interface Change {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** What is no JSON is a text, which the check of the machine refuses where the field is no text. */
function changeOf(change: string, base: MachineConfig): Change {
  const [, field, value] = /^([^=]+)=(.*)$/s.exec(change) ?? [];
  if (field === undefined || value === undefined)
    return fail("KPU8001", `--set ${change}: expected field=value`, {
      help: "write --set dram.channels=4; kpu config show edge lists the fields",
    });
  const isText = machineRows(base).some((r) => r.path === field && typeof r.value === "string");
  return { path: field.split("."), value: isText ? value : jsonOrText(value) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A path that there is not is made: the check of the machine knows what was meant. */
function replaced(part: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const object: Readonly<Record<string, unknown>> =
    typeof part === "object" && part !== null ? { ...part } : {};
  return { ...object, [key]: replaced(Object.hasOwn(object, key) ? object[key] : undefined, rest, value) };
}

/** Every file is looked at. What a machine declares in vain is said, and is no mistake. */
function validate(files: readonly string[], { json, mode }: Options): number {
  const results = files.map((file) => {
    try {
      return { file, machine: machineFile(file) };
    } catch (error) {
      if (!(error instanceof KpuError) || error.code === "KPU8002") throw error;
      return { file, diagnostics: error.diagnostics };
    }
  });
  if (json)
    print(
      asJson(
        results.map(({ file, machine, diagnostics = [] }) => ({
          file,
          ok: machine !== undefined,
          ...(machine === undefined ? {} : { name: machine.name, withoutEffect: withoutEffect(machine) }),
          ...(mode === undefined ? {} : { notModelled: notModelled(mode) }),
          diagnostics,
        })),
      ),
    );
  else
    for (const { file, machine, diagnostics } of results) {
      if (machine === undefined) print(renderAll(diagnostics, { color: useColour }));
      else {
        print(`${file}: ${colours.green("valid")}, ${machine.name}`);
        for (const line of unusedText(machine, mode)) print(`  ${line}`);
      }
    }
  return results.every((r) => r.machine !== undefined) ? 0 : 1;
}

function diff([a = "", b = ""]: readonly string[], { json }: Options): number {
  const found = differences(machineNamed(a), machineNamed(b));
  if (json) print(asJson(found));
  else if (found.length === 0) print("no difference");
  else
    printTable(
      ["field", a, b, "unit"],
      found.map((d) => [d.path, short(d.a), short(d.b), d.unit]),
    );
  return 0;
}

/** Sources are long. */
function short(value: Difference["a"]): string {
  const shown = value === null ? "-" : String(value);
  return shown.length <= 40 ? shown : `${shown.slice(0, 37)}...`;
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const [first, ...lines] = table(head, rows);
  print([colours.bold(first), ...lines].join("\n"));
}
