/** Machines from outside: a JSON file or a value of one's own, checked whole. */
import { type Diagnostic, diagnostic, KpuError, type Location } from "../ir/diagnostic.ts";
import { readJson } from "../ir/json.ts";
import { type FieldInfo, machineFields } from "./fields.ts";
import { PRESETS } from "./presets/index.ts";
import { RULES } from "./rules.ts";
import { type MachineConfig, machineSchema } from "./schema.ts";
import { shown } from "./shown.ts";

/** What is wrong at a path; `key` when it is the key itself. */
interface Problem {
  readonly path: readonly string[];
  readonly at: "value" | "key";
  readonly message: string;
  readonly help: string;
}

/**
 * A machine of a JSON file. All mistakes are reported together, each where it stands.
 * @param file name of the file, for reports
 * @throws KPU9004 text that is not JSON, KPU9005 JSON that is not a machine
 * @example parseMachine(readFileSync("mine.json", "utf8"), "mine.json")
 */
export function parseMachine(text: string, file: string): MachineConfig {
  const document = readJson(text, file, "KPU9004");
  return checked(withoutSchema(document.root.value), ({ path, at }) => document.placeOf(path, at));
}

/**
 * A machine that is a value already, as one that a program made of a preset.
 * @throws KPU9005 with all that is wrong
 * @example checkMachine({ ...PRESETS.edge, name: "wide", dram: { ...PRESETS.edge.dram, channels: 4 } })
 */
export function checkMachine(value: unknown): MachineConfig {
  return checked(value, () => undefined);
}

/** `$schema` is for editors: it names the file that `kpu config schema` prints. */
function withoutSchema(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== "$schema"));
}

function checked(value: unknown, place: (p: Problem) => Location | undefined): MachineConfig {
  const result = machineSchema().safeParse(value);
  const problems = result.success ? brokenRules(result.data) : result.error.issues.flatMap(problemsOf(value));
  if (result.success && problems.length === 0) return result.data;
  const reports = problems.map((p) => reported(p, place(p)));
  throw new KpuError(reports.sort((a, b) => (a.location?.line ?? 0) - (b.location?.line ?? 0)));
}

function reported({ path, message, help }: Problem, location: Location | undefined): Diagnostic {
  const field = path.join(".");
  const text = field === "" ? message : `${field}: ${message}`;
  return diagnostic("KPU9005", text, { location, help, data: { path: field } });
}

/** Of the rules of one field the first that is broken: the next often only follows from it. */
function brokenRules(machine: MachineConfig): readonly Problem[] {
  const said = new Set<string>();
  return RULES.flatMap(({ field, rule, broken }) => {
    const path = field.split(".");
    const help = said.has(field) ? undefined : broken(machine);
    if (help !== undefined) said.add(field);
    return help === undefined
      ? []
      : [
          {
            path,
            at: "value" as const,
            message: `expected ${rule}, got ${shown(valueAt(machine, path))}`,
            help,
          },
        ];
  });
}

interface Issue {
  readonly code: string;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

const problemsOf =
  (value: unknown) =>
  (issue: Issue): readonly Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys")
      return (issue.keys ?? []).map((key) => ({
        path: [...path, key],
        at: "key",
        message: "there is no such field",
        help: nearest(path, key),
      }));
    const missing = path.length > 0 && valueAt(value, path) === undefined;
    return [{ path, at: "value", message: issue.message, help: missing ? example(path) : meaning(path) }];
  };

let fields: readonly FieldInfo[] | undefined;
const knownFields = (): readonly FieldInfo[] => (fields ??= machineFields());

/** What a field that is missing looks like in the default machine. */
function example(path: readonly string[]): string {
  const text = JSON.stringify(valueAt(PRESETS.edge, path)) ?? "";
  return text !== "" && text.length <= 80
    ? `edge has "${path.at(-1)}": ${text}`
    : "kpu config show edge --json prints a machine that has all";
}

/** What a field means; a mistake inside of a table by dtype is about the table. */
function meaning(path: readonly string[]): string {
  const text = path.join(".");
  const field = knownFields().find((f) => f.path === text || text.startsWith(`${f.path}.`));
  if (field === undefined) return "kpu config show edge --json prints a machine that has all";
  return field.unit === "" ? field.description : `${field.description} [${field.unit}]`;
}

/** The field that was meant, or what there is. */
function nearest(section: readonly string[], key: string): string {
  const known = keysOf(section);
  const close = known
    .map((name) => ({ name, distance: editDistance(plain(name), plain(key)) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (close !== undefined && close.distance <= Math.max(1, key.length / 3))
    return `did you mean "${close.name}"?`;
  const elsewhere = knownFields()
    .map((f) => f.path.split("."))
    .find((p) => p.some((k) => plain(k) === plain(key)));
  if (elsewhere !== undefined) {
    const end = elsewhere.findIndex((k) => plain(k) === plain(key)) + 1;
    return `did you mean ${elsewhere.slice(0, end).join(".")}?`;
  }
  return `there are ${known.join(", ")}`;
}

/** Keys of a section; of a table by dtype those that edge has. */
function keysOf(section: readonly string[]): readonly string[] {
  return Object.keys(valueAt(PRESETS.edge, section) ?? {});
}

/** `bytes_per_cycle` is `bytesPerCycle` to a reader. */
function plain(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Levenshtein's: letters that are inserted, left out or replaced. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries())
      next.push(
        Math.min((row[j] ?? 0) + (letter === other ? 0 : 1), (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1),
      );
    row = next;
  }
  return row.at(-1) ?? 0;
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (part, key) =>
      typeof part === "object" && part !== null && Object.hasOwn(part, key)
        ? Reflect.get(part, key)
        : undefined,
    value,
  );
}
