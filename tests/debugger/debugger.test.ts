/**
 * The debugger proof: over the inspector protocol, a breakpoint set by the line of the author's .ts file stops inside
 * a plain kernel and inside one with barriers (which runs as coroutines), with readable locals.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { strippingNode } from "../capture/environments.ts";

interface Stop {
  readonly function: string;
  readonly text: string;
  readonly locals: Record<string, number>;
  readonly objects: Record<string, string>;
}

const target = fileURLToPath(new URL("./target.ts", import.meta.url));
const debuggers: [string, string | undefined, string[]][] = [
  ["tsx", process.execPath, ["--conditions=kpu-source", "--import", "tsx", target]],
  ["type stripping", strippingNode, [target]],
];

describe.each(debuggers)("a debugger under %s", (name, node, args) => {
  test("stops in kernels by the author's line", (context) => {
    if (node === undefined) return context.skip(`${name}: set KPU_NODE24 to a Node of 22.18 or newer`);
    const out = execFileSync(node, args, { encoding: "utf8", timeout: 60_000 });
    const stops = (JSON.parse(out) as Stop[]).filter((s) => s.function !== "");
    const plain = stops.filter((s) => s.function === "scaled");
    expect(plain.map((s) => s.text)).toEqual(
      Array(2).fill("S.vstore(doubled, y.at(i)); // breakpoint: plain"),
    );
    expect(plain.map((s) => s.locals)).toMatchObject([
      { i: 0, n: 16 },
      { i: 8, n: 16 },
    ]);
    expect(plain[0]?.objects).toMatchObject({
      v: expect.stringContaining("lanes: 8"),
      y: expect.stringContaining("Ptr"),
    });

    const blocking = stops.filter((s) => s.function === "exchanged");
    expect(blocking.map((s) => s.text)).toEqual(
      Array(2).fill("out.set(tile, own * 100 + other); // breakpoint: barrier"),
    );
    expect(blocking.map((s) => s.locals).sort((a, b) => a["tile"]! - b["tile"]!)).toMatchObject([
      { tile: 0, own: 10, other: 11 },
      { tile: 1, own: 11, other: 10 },
    ]);
  });
});
