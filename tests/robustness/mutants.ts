/**
 * Mutants of program files. Some have the hashes of the file that they were made of, and are refused by them; others are sealed
 * again, so that they reach what reads manifest, code, constants and weights; and some are programs that were made of changed text.
 */
import { packSections, type SectionName, sectionsOf } from "../../codegen/file/sections.ts";
import type { Random } from "../../ir/random.ts";
import type { KpuProgram } from "../../runtime/index.ts";
import { damagedBytes, damagedText, sealed, withSection, withText } from "./damage.ts";

/** A file, or a text that a file is to be made of. */
export type Mutant = { readonly file: Uint8Array } | { readonly text: string };

/** A program that mutants are made of, in the forms that are changed. */
export class Original {
  readonly file: Uint8Array;
  readonly assembly: string;
  constructor(p: KpuProgram) {
    this.file = p.bytes;
    this.assembly = p.assembly;
  }
}

export const MUTATIONS: Readonly<Record<string, (o: Original, dice: Random) => Mutant>> = {
  "bits flipped": ({ file }, dice) => {
    const made = new Uint8Array(file);
    for (let n = dice.below(8); n >= 0; n--) flip(made, dice.below(made.length), dice);
    return { file: made };
  },
  "bits flipped, sealed": ({ file }, dice) => {
    const made = new Uint8Array(file);
    for (let n = dice.below(3); n >= 0; n--) flip(made, dice.below(made.length), dice);
    return { file: sealed(made) };
  },
  "bytes changed": ({ file }, dice) => ({ file: damagedBytes(file, dice) }),
  "bytes changed, sealed": ({ file }, dice) => ({ file: sealed(damagedBytes(file, dice)) }),
  truncated: ({ file }, dice) => {
    const cut = file.subarray(0, dice.below(file.length));
    return { file: dice.chance(0.5) ? cut : sealed(cut) };
  },
  extended: ({ file }, dice) => {
    const made = new Uint8Array(file.length + dice.pick([1, 63, 64, 65, 4096]));
    made.set(file);
    if (dice.chance(0.5)) made.fill(dice.below(256), file.length);
    new DataView(made.buffer).setBigUint64(16, BigInt(made.length), true);
    return { file: sealed(made) };
  },
  "another version": ({ file }, dice) => {
    const made = new Uint8Array(file);
    new DataView(made.buffer).setUint32(8, dice.chance(0.5) ? dice.below(8) : dice.bits(), true);
    return { file: sealed(made) };
  },
  "header and table": ({ file }, dice) => {
    const made = new Uint8Array(file);
    const view = new DataView(made.buffer);
    const words = 2 + 16 * sectionsOf(file).length + 14;
    for (let n = dice.below(2); n >= 0; n--) {
      const at = 8 + 4 * dice.below(words);
      const old = view.getUint32(at, true);
      view.setUint32(
        at,
        dice.pick([0, 1, 64, old + 1, old - 1, old + 64, old - 64, 2 ** 31, 2 ** 32 - 1]),
        true,
      );
    }
    return { file: sealed(made) };
  },
  "sections exchanged": ({ file }, dice) => {
    const places = sectionsOf(file);
    const [a, b] = [dice.pick(places), dice.pick(places)];
    const at = (p: typeof a): Uint8Array => file.subarray(p.offset, p.offset + p.bytes);
    if (dice.chance(0.5)) {
      const contents = places.map((p) => [p.name, at(p === a ? b : p === b ? a : p)] as const);
      return { file: packSections(Object.fromEntries(contents)) };
    }
    // The entries, with offsets and lengths that stay or go with them.
    const made = new Uint8Array(file);
    const [i, j] = [places.indexOf(a), places.indexOf(b)].map((k) => 64 * (k + 1)) as [number, number];
    const bytes = dice.pick([4, 64]);
    made.set(file.subarray(i, i + bytes), j);
    made.set(file.subarray(j, j + bytes), i);
    return { file: sealed(made) };
  },
  "a section of random bytes": ({ file }, dice) => ({
    file: withSection(file, anySection(file, dice), () =>
      Uint8Array.from({ length: dice.below(100) }, () => dice.below(256)),
    ),
  }),
  "manifest, text": ({ file }, dice) => ({ file: withText(file, "manifest", (t) => damagedText(t, dice)) }),
  "manifest, JSON": ({ file }, dice) => ({ file: withText(file, "manifest", (t) => damagedJson(t, dice)) }),
  code: ({ file }, dice) => ({ file: withText(file, "code", (t) => damagedText(t, dice)) }),
  "code, a number": ({ file }, dice) => ({ file: withText(file, "code", (t) => damagedNumber(t, dice)) }),
  "constants and weights": ({ file }, dice) => {
    const name = dice.pick(["constants", "weights"] as const);
    return { file: withSection(file, name, (content) => damagedBytes(content, dice)) };
  },
  "weights, other values": ({ file }, dice) => ({
    file: withSection(file, "weights", (content) =>
      content.map((b) => (dice.chance(0.1) ? dice.below(256) : b)),
    ),
  }),
  "assembly, text": ({ assembly }, dice) => ({ text: damagedText(assembly, dice) }),
  "assembly, manifest": ({ assembly }, dice) => ({
    text: assembly.replace(/(?<=^\.manifest\n).*?(?=\n\n\.)/s, (json) => damagedJson(json, dice)),
  }),
  "assembly, code": ({ assembly }, dice) => ({
    text: assembly.replace(/(?<=^\.code\n).*/ms, (code) =>
      dice.chance(0.5) ? damagedText(code, dice) : damagedNumber(code, dice),
    ),
  }),
};

function flip(bytes: Uint8Array, at: number, dice: Random): void {
  bytes[at] = (bytes[at] as number) ^ (1 << dice.below(8));
}

function anySection(file: Uint8Array, dice: Random): SectionName {
  return dice.pick(sectionsOf(file)).name;
}

const NUMBERS = [
  ...[
    "0",
    "1",
    "-1",
    "2",
    "7",
    "63",
    "64",
    "65",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "-2147483648",
  ],
  ...["4294967295", "4294967296", "9007199254740991", "0.5", "1e308", "NaN", "-0", "Infinity"],
];

/** A number of the text replaced by another. */
function damagedNumber(text: string, dice: Random): string {
  const numbers = [...text.matchAll(/(?<![\w.@#%-])-?\d+(?:\.\d+)?/g)];
  if (numbers.length === 0) return text;
  const { 0: old, index } = dice.pick(numbers);
  return text.slice(0, index) + dice.pick(NUMBERS) + text.slice(index + old.length);
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

const VALUES: readonly Json[] = [
  ...[null, true, false, 0, -1, 0.5, 1, 2, 1e6, 2 ** 31, 2 ** 53, 1e308, "", "x", "__proto__", "constructor"],
  ...[[], {}, [[]], ["x"], { x: 1 }, "f32", "l2", "\u2028\ud800"],
];
const [DEEP, DEEP_TEXT] = ["<deep>", `${"[".repeat(20_000)}${"]".repeat(20_000)}`];

/** JSON with one to three values replaced, moved, doubled, or without their key; now and then nested beyond all measure. */
export function damagedJson(text: string, dice: Random): string {
  let value = JSON.parse(text) as Json;
  for (let n = dice.below(3); n >= 0; n--) {
    const paths = pathsOf(value);
    const path = dice.pick(paths);
    value = changedAt(value, path, dice, () => valueAt(value, dice.pick(paths)));
  }
  return JSON.stringify(value).replace(JSON.stringify(DEEP), DEEP_TEXT);
}

type Path = readonly (string | number)[];

function pathsOf(value: Json, path: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([k, v]) => pathsOf(v as Json, [...path, k]))];
}

function valueAt(value: Json, path: Path): Json {
  return path.reduce<Json>((v, k) => (v as { readonly [key: string]: Json })[k] as Json, value);
}

function changedAt(value: Json, path: Path, dice: Random, other: () => Json): Json {
  const [key, ...rest] = path;
  if (key === undefined || typeof value !== "object" || value === null)
    return dice.chance(0.02) ? DEEP : dice.chance(0.7) ? dice.pick(VALUES) : other();
  const entries = Object.entries(value).flatMap(([k, v]): (readonly [string, Json])[] => {
    if (k !== String(key)) return [[k, v as Json]];
    if (rest.length > 0) return [[k, changedAt(v as Json, rest, dice, other)]];
    switch (dice.below(8)) {
      case 0:
        return [];
      case 1:
        return [[dice.pick(["x", "__proto__", "name", `${k}s`]), v as Json]];
      case 2:
        return [
          [k, v as Json],
          [`${k} again`, v as Json],
        ];
      default:
        return [[k, changedAt(v as Json, [], dice, other)]];
    }
  });
  return Array.isArray(value) ? entries.map(([, v]) => v) : Object.fromEntries(entries);
}
