/** JSON with places: the same values as JSON.parse, the same texts refused, and every value where it stands. */

import fc from "fast-check";
import { KpuError } from "kpu-dsl";
import { expect, test } from "vitest";
import { type JsonNode, readJson } from "../../ir/json.ts";

function mistake(text: string): string {
  try {
    readJson(text, "m.json", "KPU9004");
  } catch (error) {
    if (!(error instanceof KpuError)) throw error;
    const { code, message, location, help } = error.diagnostics[0] ?? {};
    return `${code} ${location?.line}:${location?.column} ${message}${help === undefined ? "" : ` (${help})`}`;
  }
  return "none";
}

test("reads what JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 1, 3), (value, indent) => {
      const text = JSON.stringify(value, null, indent);
      expect(readJson(text, "m.json", "KPU9004").root.value).toEqual(JSON.parse(text));
    }),
  );
});

test("every value and key stands where it says", () => {
  const check = (text: string, node: JsonNode): void => {
    expect(JSON.parse(text.slice(node.at.start, node.at.end))).toEqual(node.value);
    for (const [name, { key, node: inner }] of node.members ?? []) {
      expect(JSON.parse(text.slice(key.start, key.end))).toBe(name);
      check(text, inner);
    }
    for (const inner of node.elements ?? []) check(text, inner);
  };
  fc.assert(
    fc.property(fc.object(), (value) => {
      const text = JSON.stringify(value, null, 2);
      check(text, readJson(text, "m.json", "KPU9004").root);
    }),
  );
});

test("damaged text is refused exactly where JSON.parse refuses it, but for keys that come twice", () => {
  const damage = fc.record({
    at: fc.nat(400),
    cut: fc.nat(3),
    add: fc.constantFrom("", "x", ",", "}", '"', "1", "\\"),
  });
  fc.assert(
    fc.property(fc.object(), damage, (value, { at, cut, add }) => {
      const text = JSON.stringify(value, null, 1);
      const damaged = text.slice(0, at) + add + text.slice(at + cut);
      let parsed: unknown;
      try {
        parsed = JSON.parse(damaged);
      } catch {
        expect(mistake(damaged)).toMatch(/^KPU9004 \d+:\d+ /);
        return;
      }
      if (mistake(damaged) === "none")
        expect(readJson(damaged, "m.json", "KPU9004").root.value).toEqual(parsed);
      else expect(mistake(damaged)).toContain("is here twice");
    }),
    { numRuns: 500 },
  );
});

test.each([
  ["", "KPU9004 1:1 expected a value, found the end of the file"],
  [
    '{"a": 1,}',
    "KPU9004 1:9 expected a key in double quotes, found } (JSON has no comma before the end of an object or array)",
  ],
  ['{"a": 1}\n// end', "KPU9004 2:1 expected the end of the file, found / (JSON has no comments)"],
  ["{'a': 1}", "KPU9004 1:2 expected a key in double quotes, found ' (JSON has double quotes only)"],
  ['{"a": 1e9Hz}', "KPU9004 1:7 expected a value, found 1e9Hz (write numbers as 16, 0.25 or 1e9)"],
  ['{"a": 0x10}', "KPU9004 1:7 expected a value, found 0x10 (write numbers as 16, 0.25 or 1e9)"],
  ['{"a": NaN}', "KPU9004 1:7 expected a value, found NaN"],
  ['{"a" 1}', 'KPU9004 1:6 expected ":", found 1 (write numbers as 16, 0.25 or 1e9)'],
  ['{\n  "a": 1\n  "b": 2\n}', 'KPU9004 3:3 expected "," or "}", found "'],
  ['{"a": 1, "a": 2}', 'KPU9004 1:10 the key "a" is here twice (leave one of them out)'],
  ["[".repeat(200), "KPU9004 1:101 expected at most 100 objects and arrays in each other, found ["],
])("a mistake is shown where it stands: %j", (text, said) => {
  expect(mistake(text)).toBe(said);
});

test("a key __proto__ is a key like others", () => {
  const { value } = readJson('{"__proto__": {"a": 1}}', "m.json", "KPU9004").root;
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
});

test("a byte order mark is no part of the text", () => {
  expect(readJson("\uFEFF[1]", "m.json", "KPU9004").root.value).toEqual([1]);
});
