/** The source map of a function whose text moved sideways a little, as a data URL for its own small script. */
import {
  decodedMappings,
  encodedMap,
  presortedDecodedMap,
  type SourceMapSegment,
  TraceMap,
} from "@jridgewell/trace-mapping";
import type { CapturedFunction } from "./capture.ts";
import type { Edits } from "./edits.ts";
import { readMap } from "./positions.ts";

/** The script's map, reduced to the lines of the function and moved by the edits. */
export function shiftedMap(c: CapturedFunction, edits: Edits): string | undefined {
  const { url, sourceMapURL } = c.script;
  const raw = readMap(url, sourceMapURL ?? "");
  if (raw === undefined) return sourceMapURL;
  const trace = new TraceMap(raw.json, raw.url);
  const rows = decodedMappings(trace);
  const mappings: SourceMapSegment[][] = [];
  let lineStart = 0;
  for (const row of c.text.split(/(?<=\r\n|[\n\u2028\u2029]|\r(?!\n))/)) {
    const place = c.scriptPlace(lineStart);
    while (mappings.length <= place.line) mappings.push([]);
    for (const segment of rows[place.line] ?? []) {
      const offset = lineStart + segment[0] - place.column;
      if (offset < lineStart || offset >= lineStart + row.length) continue;
      const column = Math.max(0, segment[0] + edits.shift(offset, lineStart));
      mappings[place.line]!.push(
        segment.length === 1 ? [column] : ([column, ...segment.slice(1)] as SourceMapSegment),
      );
    }
    lineStart += row.length;
  }
  const moved = presortedDecodedMap({
    version: 3,
    names: trace.names,
    sources: trace.resolvedSources,
    ...(trace.sourcesContent ? { sourcesContent: trace.sourcesContent } : {}),
    mappings,
  });
  const json = JSON.stringify(encodedMap(moved));
  return `data:application/json;base64,${Buffer.from(json).toString("base64")}`;
}
