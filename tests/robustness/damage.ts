/** Damage to inputs: bytes and text changed, cut, doubled, replaced by absurd values; everything follows from a seed. */
import { createHash } from "node:crypto";
import { packSections, type SectionName, sectionsOf } from "../../codegen/file/sections.ts";
import { Random, seedOfText } from "../../ir/random.ts";

/** Runs of each property; `npm run test:robustness` sets it to 100,000 in all. */
export const RUNS = Number(process.env["ROBUSTNESS"] ?? 1);

/** The dice of one damage. */
export const diceOf = (seed: string): Random => new Random(seedOfText(seed));

const ABSURD = [
  "-1",
  "0",
  "1",
  "9007199254740993",
  "4294967296",
  "2147483648",
  "-2147483649",
  "1e308",
  "NaN",
  "99999999999999999999",
  "0.5",
  "1024",
];

/** Text with one to three mutations: a token replaced by another of the text or by an absurd number, a line moved, doubled or lost, a cut. */
export function damagedText(text: string, dice: Random): string {
  let result = text;
  for (let k = dice.below(3); k >= 0; k--) result = damageOnce(result, dice);
  return result;
}

function damageOnce(text: string, dice: Random): string {
  const tokens = [...text.matchAll(/[\w%@.]+|[^\s\w]/gu)];
  const lines = text.split("\n");
  const token = tokens[dice.below(Math.max(tokens.length, 1))];
  if (token === undefined) return "x";
  const replaced = (by: string): string =>
    text.slice(0, token.index) + by + text.slice(token.index + token[0].length);
  switch (dice.below(7)) {
    case 0:
      return replaced(dice.pick(tokens)[0]);
    case 1: {
      const numbers = tokens.filter((t) => /^\d/u.test(t[0]));
      const number = numbers.length === 0 ? token : dice.pick(numbers);
      return text.slice(0, number.index) + dice.pick(ABSURD) + text.slice(number.index + number[0].length);
    }
    case 2:
      return replaced("");
    case 3:
      lines.splice(dice.below(lines.length), 1);
      return lines.join("\n");
    case 4:
      lines.splice(dice.below(lines.length), 0, dice.pick(lines));
      return lines.join("\n");
    case 5: {
      const [from, to] = [dice.below(lines.length), dice.below(lines.length)];
      const [line] = lines.splice(from, 1);
      lines.splice(to, 0, line ?? "");
      return lines.join("\n");
    }
    default:
      return text.slice(0, dice.below(text.length + 1));
  }
}

/** Bytes with a few flipped, set, cut off or inserted. */
export function damagedBytes(bytes: Uint8Array, dice: Random): Uint8Array {
  const copy = [...bytes];
  for (let k = dice.below(4); k >= 0; k--) {
    const at = dice.below(Math.max(copy.length, 1));
    switch (dice.below(5)) {
      case 0:
        copy[at] = (copy[at] ?? 0) ^ (1 << dice.below(8));
        break;
      case 1:
        copy[at] = dice.pick([0, 0xff, 0x7f, 0x80]);
        break;
      case 2:
        copy.length = at;
        break;
      case 3:
        copy.splice(at, 0, dice.below(256));
        break;
      default:
        copy.splice(at, dice.below(16));
    }
  }
  return Uint8Array.from(copy);
}

/** A program file with another content in one section, places and hashes made right again: only what the section says is wrong. */
export function withSection(
  file: Uint8Array,
  name: SectionName,
  change: (content: Uint8Array) => Uint8Array,
): Uint8Array {
  const contents = sectionsOf(file).map((s) => {
    const content = file.subarray(s.offset, s.offset + s.bytes);
    return [s.name, s.name === name ? change(content) : content] as const;
  });
  return packSections(Object.fromEntries(contents));
}

/** The same, of a section that is text. */
export function withText(file: Uint8Array, name: SectionName, change: (text: string) => string): Uint8Array {
  return withSection(file, name, (content) =>
    new TextEncoder().encode(change(new TextDecoder().decode(content))),
  );
}

/** Where a program file says what (docs/program-format.md): written down a second time, so that damage is aimed by the page. */
const COUNT_AT = 12;
const HASH_AT = 24;
const [ENTRY, ENTRY_HASH_AT] = [64, 24];

/** The file with the hashes that its content has, as far as its table can be followed. */
export function sealed(file: Uint8Array): Uint8Array {
  const made = new Uint8Array(file);
  // Not even a header.
  if (made.length < ENTRY) return made;
  const view = new DataView(made.buffer);
  const count = Math.min(view.getUint32(COUNT_AT, true), Math.floor(made.length / ENTRY) - 1);
  const hash = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
  for (let i = 1; i <= count; i++) {
    const [offset, length] = [8, 16].map((at) => Number(view.getBigUint64(i * ENTRY + at, true))) as [
      number,
      number,
    ];
    made.set(hash(made.subarray(offset, offset + length)), i * ENTRY + ENTRY_HASH_AT);
  }
  made.fill(0, HASH_AT, HASH_AT + 32);
  made.set(hash(made.subarray(0, (count + 1) * ENTRY)), HASH_AT);
  return made;
}
