/**
 * What an editor shows: hovering an intrinsic, completing one and typing its arguments must show its documentation, in a
 * clone (the sources) and in an installation (the declarations of dist/).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { INTRINSICS, S } from "../../dsl/index.ts";
import { FILE, namespaceText } from "../../scripts/namespace.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const AUTHOR = `${ROOT}author.ts`;
const TEXT = `import { f32, type Mask, type Ptr, S, type Vec } from "kpu-dsl";
export function author(p: Ptr<f32>, v: Vec<f32>, m: Mask): void {
  /*vadd*/S.vadd(v, v, { mask: m });
  /*vload*/S.vload(p);
  /*tileId*/S.tileId();
  /*print*/S.print("x");
  /*target*/S.target.registerBits;
  /*lanes*/S.target.lanes(f32);
  /*f32*/S.f32(1);
  /*name*/S.vfma;
  /*p.at*/p.at(1);
  /*p.get*/p.get(1);
  /*p.set*/p.set(1, 2);
  /*p.as*/p.as(f32);
  /*p.eq*/p.eq(p);
  /*p.diff*/p.diff(p);
  /*p.isNull*/p.isNull;
  /*v.at*/v.at(1);
  /*m.at*/m.at(1);
}
`;

/** An editor's view of one file, the package being its sources. */
function editor(): ts.LanguageService {
  const files = new Map([[AUTHOR, TEXT]]);
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile).config,
    ts.sys,
    ROOT,
  );
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => options,
    getScriptFileNames: () => [...files.keys()],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const text = files.get(name) ?? ts.sys.readFile(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (name) => files.has(name) || ts.sys.fileExists(name),
    readFile: (name) => files.get(name) ?? ts.sys.readFile(name),
    readDirectory: ts.sys.readDirectory,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  };
  return ts.createLanguageService(host);
}

/** The place of the member behind a mark: \`vadd\` in \`/*vadd*\\/S.vadd(...)\`. */
function member(mark: string): number {
  const at = TEXT.indexOf(`/*${mark}*/`) + mark.length + 4;
  const line = TEXT.slice(at, TEXT.indexOf("\n", at));
  return at + (/^[\w.]*\.(?=\w+)/.exec(line)?.[0].length ?? 0);
}

const service = editor();

describe("in the sources", () => {
  const hover = (mark: string): string => {
    const info = service.getQuickInfoAtPosition(AUTHOR, member(mark));
    return ts.displayPartsToString(info?.documentation);
  };

  test("the file has no errors, and S comes from where it should", () => {
    const found = service.getSemanticDiagnostics(AUTHOR);
    expect(found.map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n"))).toEqual([]);
    const [at] = service.getDefinitionAtPosition(AUTHOR, member("vadd")) ?? [];
    expect(at?.fileName).toMatch(/\/dsl\/namespace\.ts$/);
  });

  test("hovering shows the record's documentation", () => {
    for (const name of ["vadd", "vload", "tileId", "print", "f32"]) {
      const record = INTRINSICS.find((r) => r.name === name);
      const shown = hover(name).replaceAll("\n", " ");
      expect(shown, name).toContain(record?.doc.slice(0, 40));
      expect(shown, name).toContain(`\`S.${name}(`);
    }
    expect(hover("name")).toContain("S.vfma(acc, x, y");
    expect(hover("target")).toContain("Bits of a vector register");
    expect(hover("lanes")).toContain("Lanes of one register");
    const tags = service.getQuickInfoAtPosition(AUTHOR, member("vadd"))?.tags ?? [];
    expect(
      tags
        .find((t) => t.name === "example")
        ?.text?.map((p) => p.text)
        .join(""),
    ).toContain("S.vadd(");
    expect(tags.find((t) => t.name === "param" && t.text?.[0]?.text === "options")).toBeDefined();
  });

  test("so does hovering methods of pointers, vectors and masks", () => {
    for (const mark of ["p.at", "p.get", "p.set", "p.as", "p.eq", "p.diff", "p.isNull", "v.at", "m.at"])
      expect(hover(mark), mark).toMatch(/\w+ \w+/);
  });

  test("completing and typing arguments show it too", () => {
    const at = member("vadd");
    const names = service.getCompletionsAtPosition(AUTHOR, at, {})?.entries.map((e) => e.name) ?? [];
    expect(Object.keys(S).filter((name) => !names.includes(name))).toEqual([]);
    const entry = service.getCompletionEntryDetails(AUTHOR, at, "vmax", {}, undefined, {}, undefined);
    expect(ts.displayPartsToString(entry?.documentation)).toContain("S.vmax(x, y");
    const call = TEXT.indexOf("(", at) + 1;
    const help = service.getSignatureHelpItems(AUTHOR, call, {});
    expect(ts.displayPartsToString(help?.items[0]?.documentation)).toContain("S.vadd(x, y");
  });
});

test("the declarations of an installation keep the documentation", () => {
  const text = readFileSync(FILE, "utf8");
  const emitted = ts.transpileDeclaration(text, { fileName: FILE, compilerOptions: { declaration: true } });
  const comments = (of: string): string[] =>
    (of.match(/\/\*\*[\s\S]*?\*\//g) ?? []).map((c) => c.replace(/\s+/g, " "));
  expect(comments(emitted.outputText)).toEqual(comments(text));
});

test("dsl/namespace.ts is current (npm run generate writes it), and documents all of S", () => {
  const file = readFileSync(FILE, "utf8");
  // The formatter wraps signatures, and the order in a union is TypeScript's whim: each member has its words.
  const words = (text: string): string[] =>
    text.split("\n  readonly ").map((member) => (member.match(/[\w.]+/g) ?? []).sort().join(" "));
  const wanted = words(namespaceText(service.getProgram()));
  expect(words(file).filter((w, i) => w !== wanted[i])).toEqual([]);
  expect(words(file).length).toBe(wanted.length);
  for (const name of Object.keys(S)) expect(file).toContain(`readonly ${name}: `);
}, 60_000);
