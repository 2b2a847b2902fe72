/** The author's place in a stack trace: the first frame that is neither ours nor the platform's. */
import type { Location } from "../ir/diagnostic.ts";
import { fileLines, pathOfUrl } from "./authorfile.ts";
import { isOurFile } from "./ours.ts";
import { type PositionMap, positionMap } from "./positions.ts";

/**
 * The first author's frame of `stack` (by default, of the call of this function), or undefined. The text of a stack
 * is already mapped under tsx, vitest and --enable-source-maps; otherwise the script's own source map is applied.
 */
export function authorFrame(stack?: string): Location | undefined {
  let text = stack;
  if (text === undefined) {
    const before = Error.stackTraceLimit;
    Error.stackTraceLimit = 60;
    text = new Error().stack ?? "";
    Error.stackTraceLimit = before;
  }
  for (const row of text.split("\n")) {
    const at = frameOf(row);
    if (at === undefined) continue;
    const { file } = at;
    if (/^node:|^<|^evalmachine|^wasm:/.test(file) || /[\\/]node_modules[\\/]/.test(file) || isOurFile(file))
      continue;
    return mapped(file, at.line, at.column);
  }
  return undefined;
}

/** The frames of `stack` without this package's own, each on a new line, and no more than Node shows by default. */
export function authorStack(stack: string): string {
  const frames = stack.split("\n").filter((row) => /^\s*at /.test(row));
  const kept = frames.filter((row) => {
    const file = frameOf(row)?.file;
    return file === undefined ? !/wasm:/.test(row) : !isOurFile(file);
  });
  return kept
    .slice(0, SHOWN_FRAMES)
    .map((row) => `\n${row}`)
    .join("");
}

const SHOWN_FRAMES = 10;

function frameOf(row: string): Location | undefined {
  const at = /^\s*at (?:.*\()?((?:file:\/\/)?[^()]*?):(\d+):(\d+)\)?$/.exec(row);
  if (at === null) return undefined;
  const [, file = "", line, column] = at;
  return { file: pathOfUrl(file.replace(/^async /, "")), line: Number(line), column: Number(column) };
}

const maps = new Map<string, PositionMap | undefined>();

/**
 * Applies the map that a JavaScript file names. Whoever maps stack traces would have named the author's file instead, so
 * that a frame in a file with a map is one that nobody mapped.
 */
function mapped(file: string, line: number, column: number): Location {
  // Code that a transpiler put around the author's is mapped to columns that do not exist.
  const row = fileLines(file)?.[line - 1];
  const plain = {
    file,
    line,
    column: row !== undefined && column > row.length ? row.search(/\S|$/) + 1 : column,
  };
  if (!/\.[cm]?js$/.test(file)) return plain;
  if (!maps.has(file)) {
    const rows = fileLines(file) ?? [];
    const comment = /^\/\/[#@] sourceMappingURL=(\S+)$/;
    const url = rows
      .slice(-3)
      .map((r) => comment.exec(r.trim())?.[1])
      .find((u) => u !== undefined);
    maps.set(file, url === undefined ? undefined : positionMap(file, url));
  }
  const map = maps.get(file);
  if (map === undefined) return plain;
  const at = map.map({ line: line - 1, column: column - 1 }, (l) => fileLines(file)?.[l]);
  return { file: at.file, line: at.line + 1, column: at.column + 1 };
}
