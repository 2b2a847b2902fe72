/** Damage to inputs: bytes and text changed, cut, doubled, replaced by absurd values; everything follows from a seed. */
import { createHash } from "node:crypto";
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

/** Where a program file has its hash (docs/program-format.md). */
const HASH_AT = 24;

/** A program file with another text in one section, lengths and hash made right again: only what the section says is wrong. */
export function withSection(file: Uint8Array, kind: number, change: (text: string) => string): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const sections = Array.from({ length: view.getUint32(12, true) }, (_, i) => {
    const entry = 64 + 16 * i;
    const [own, offset, size] = [0, 4, 8].map((k) => view.getUint32(entry + k, true)) as [
      number,
      number,
      number,
    ];
    const content = file.subarray(offset, offset + size);
    const changed =
      own === kind ? new TextEncoder().encode(change(new TextDecoder().decode(content))) : content;
    return { entry, own, content: changed };
  });
  let at = 64 + Math.ceil((16 * sections.length) / 64) * 64;
  const placed = sections.map((s) => {
    const offset = at;
    at += Math.ceil(s.content.length / 64) * 64;
    return { ...s, offset };
  });
  const made = new Uint8Array(at);
  made.set(file.subarray(0, 64));
  const out = new DataView(made.buffer);
  out.setUint32(16, made.length, true);
  for (const s of placed) {
    out.setUint32(s.entry, s.own, true);
    out.setUint32(s.entry + 4, s.offset, true);
    out.setUint32(s.entry + 8, s.content.length, true);
    made.set(s.content, s.offset);
  }
  return sealed(made);
}

/** The file with the hash that its content has. */
export function sealed(file: Uint8Array): Uint8Array {
  const made = new Uint8Array(file);
  made.fill(0, HASH_AT, HASH_AT + 32);
  made.set(createHash("sha256").update(made).digest(), HASH_AT);
  return made;
}
