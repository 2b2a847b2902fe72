/** The text of a command trace: one line for each item, the exact inverse of `trace-parse.ts`. */
import { nameText } from "../ir/syntax.ts";
import type { Command, End, Item, Sfu, Trace } from "./trace.ts";

/**
 * The text of a trace.
 *
 *     trace 1 @saxpy
 *     tile {
 *       dma dram[0]: 64 to l3[0]: 64 signal 0 at 3
 *       loop 100 {
 *         bm l3[0, 64]: 16 of 4 step 256 to l2[0]: 64 transpose after [0] at 4
 *       }
 *     }
 */
export function printTrace(trace: Trace): string {
  const lines = [`trace ${trace.version} @${nameText(trace.kernel)}`];
  for (const items of trace.tiles) lines.push("tile {", ...body(items, "  "), "}");
  return `${lines.join("\n")}\n`;
}

function body(items: readonly Item[], indent: string): string[] {
  return items.flatMap((item) =>
    item.kind === "loop"
      ? [`${indent}loop ${item.count} {`, ...body(item.body, `${indent}  `), `${indent}}`]
      : [indent + commandText(item)],
  );
}

/** One command, as its line in a trace and as reports quote it. */
export function commandText(c: Command): string {
  return `${words(c).join(" ")} at ${c.at}`;
}

function words(c: Command): string[] {
  switch (c.kind) {
    case "move":
      return [
        `${c.mover} ${endText(c.src)} to ${endText(c.dst)}`,
        ...(c.transform === "identity" ? [] : [c.transform]),
        ...(c.sfu === undefined ? [] : [sfuText(c.sfu)]),
        ...events(c),
      ];
    case "fill":
      return [`fill ${endText(c.dst)}`, ...events(c)];
    case "mma":
      return [`mma ${c.dtype} [${c.m}, ${c.n}, ${c.k}] ${c.dataflow}`, ...events(c)];
    case "unit":
      return [
        c.unit,
        `work ${table(c.work)}`,
        `read ${table(c.read)}`,
        `write ${table(c.write)}`,
        ...events(c),
      ];
    case "core":
      return [
        "core",
        ...(c.cycles === undefined ? [] : [`cycles ${c.cycles}`]),
        `ops ${table(c.ops)}`,
        `lanes [${c.lanes.int}, ${c.lanes.float}, ${c.lanes.math}]`,
        `read ${table(c.read)}`,
        `write ${table(c.write)}`,
      ];
    case "wait":
      return [`wait ${c.event}`];
    case "barrier":
      return ["barrier"];
    case "mark":
      return [`${c.phase} ${JSON.stringify(c.id)}`];
  }
}

function sfuText({ elements, ops, read }: Sfu): string {
  const names = ops.map(nameText).join(", ");
  return `sfu ${elements} [${names}]${read === undefined ? "" : ` read ${table(read)}`}`;
}

function endText({ level, at, runs }: End): string {
  const { count, bytes, stride } = runs;
  const shape = count === 1 && stride === 0 ? `${bytes}` : `${count} of ${bytes} step ${stride}`;
  return `${level}[${[at.base, ...(at.strides ?? [])].join(", ")}]: ${shape}`;
}

function events(c: { readonly after?: readonly number[]; readonly signal?: number }): string[] {
  return [
    ...(c.after === undefined ? [] : [`after [${c.after.join(", ")}]`]),
    ...(c.signal === undefined ? [] : [`signal ${c.signal}`]),
  ];
}

function table(entries: Readonly<Record<string, number>>): string {
  return `[${Object.entries(entries)
    .map(([key, value]) => `${key}: ${value}`)
    .join(", ")}]`;
}
