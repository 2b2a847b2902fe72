/** The author's files as text, for excerpts and for exact columns. A file that cannot be read is simply unknown. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const texts = new Map<string, readonly string[] | undefined>();

/** The lines of a file without their line ends, or undefined where it cannot be read. */
export function fileLines(file: string): readonly string[] | undefined {
  if (!texts.has(file)) {
    let text: string | undefined;
    try {
      text = readFileSync(file, "utf8");
    } catch {
      text = undefined;
    }
    texts.set(file, text === undefined ? undefined : splitLines(text));
  }
  return texts.get(file);
}

/** Gives the text of a file that may not exist on this disk, as source maps carry it. */
export function rememberFile(file: string, text: string): void {
  texts.set(file, splitLines(text));
}

/** The path of a script or source URL: `file:` URLs become paths, queries of development servers are dropped. */
export function pathOfUrl(url: string): string {
  const plain = url.replace(/[?#].*$/, "");
  if (!plain.startsWith("file://")) return plain === "" ? "<anonymous>" : plain;
  try {
    return fileURLToPath(plain);
  } catch {
    return plain;
  }
}

function splitLines(text: string): string[] {
  return text.split(/\r\n|\r|\n|\u2028|\u2029/);
}
