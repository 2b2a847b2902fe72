/** Traces compared command by command. */
import { expect } from "vitest";
import type { Kernel } from "../../ir/kir.ts";
import type { Address, Command, Item, Trace } from "../../machine/trace.ts";
import { verifyTrace } from "../../machine/trace-verify.ts";
import { deriveTrace, type TraceArgument } from "../../runtime/trace/index.ts";

/** Commands one after the other, every address a number, work of the core summed up between commands. */
export function flat(items: readonly Item[]): string[] {
  const out: string[] = [];
  let core = new Map<string, number>();
  const flush = (): void => {
    if (core.size > 0) out.push(JSON.stringify([...core].sort()));
    core = new Map();
  };
  const tally = (name: string, n: number | undefined): void => {
    if (n !== undefined && n > 0) core.set(name, (core.get(name) ?? 0) + n);
  };
  const at = (a: Address, rounds: readonly number[]): number =>
    (a.strides ?? []).reduce((sum, s, i) => sum + s * (rounds[i] as number), a.base);
  const command = (c: Command, rounds: readonly number[]): void => {
    if (c.kind === "core") {
      for (const [name, n] of Object.entries(c.ops)) tally(name, n);
      for (const [name, n] of Object.entries(c.lanes)) tally(`lanes ${name}`, n);
      for (const [name, n] of Object.entries(c.read)) tally(`read ${name}`, n);
      for (const [name, n] of Object.entries(c.write)) tally(`write ${name}`, n);
      return;
    }
    flush();
    const resolved = JSON.stringify(c, (key, v: unknown) =>
      key === "at" && typeof v === "object" ? at(v as Address, rounds) : v,
    );
    out.push(resolved);
  };
  const walk = (list: readonly Item[], rounds: readonly number[]): void => {
    for (const item of list) {
      if (item.kind !== "loop") command(item, rounds);
      else for (let r = 0; r < item.count; r++) walk(item.body, [r, ...rounds]);
    }
  };
  walk(items, []);
  flush();
  return out;
}

/** Items, those of bodies once. */
export const itemCount = (items: readonly Item[]): number =>
  items.reduce((n, i) => n + 1 + (i.kind === "loop" ? itemCount(i.body) : 0), 0);

/** Derives a trace for all rounds of loops at once and for each alone; the commands must be the same ones. */
export function expectSame(k: Kernel, args: readonly TraceArgument[], tiles: number): Trace {
  const all = deriveTrace(k, args, { tiles });
  const single = deriveTrace(k, args, { tiles, oneByOne: true });
  all.tiles.forEach((items, t) => {
    expect(flat(items)).toEqual(flat(single.tiles[t] as readonly Item[]));
  });
  expect(verifyTrace(all)).toEqual([]);
  return all;
}
