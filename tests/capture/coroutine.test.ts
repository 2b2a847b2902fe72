import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { authorFrame, captureFunction, coroutineOf } from "../../capture/index.ts";
import { strippingNode, underPlainNode, underTsx, underTypeStripping } from "./environments.ts";
import { blockingMap, direct, drain, P, pause } from "./fixtures/pause.ts";
import { compareAll } from "./fixtures/run-coroutines.ts";

/** The line of this file that contains the text first. */
function lineOf(text: string): number {
  return (
    readFileSync(import.meta.filename, "utf8")
      .split("\n")
      .findIndex((row) => row.includes(text)) + 1
  );
}

type Compared = ReturnType<typeof compareAll>;

const environments: [string, () => Compared, boolean][] = [
  ["vitest", compareAll, true],
  ["tsx", () => underTsx("report-coroutines.ts") as Compared, true],
  ["plain Node", () => underPlainNode("report-coroutines.ts") as Compared, true],
  [
    "type stripping",
    () => underTypeStripping("report-coroutines.ts") as Compared,
    strippingNode !== undefined,
  ],
];
describe.each(environments)("under %s", (_name, run, available) => {
  test.runIf(available)("coroutine forms give what the functions give, and stop at every wait", () => {
    const all = run();
    expect(all.filter((r) => !r.same)).toEqual([]);
    expect(all.map((r) => r.yields)).toEqual([1, 1, 8, 1, 1, 1, 1, 25, 25]);
  });
});

test("nested closures with this, chained calls, optional calls", () => {
  const o = {
    k: 2,
    run(n: number) {
      const inner = (v: number) => {
        pause(v);
        return v * this.k;
      };
      const table = [inner];
      return inner(n) + (table[0]?.(n + 1) ?? 0);
    },
  };
  const make = (n: number) => {
    pause("make");
    return (m: number) => n + m;
  };
  const chain = (n: number) => make(n)(2) + make(n)(3);
  const blocking = blockingMap([o.run, make, chain], ["pause", "inner", "make", ""]);
  expect(drain(coroutineOf(captureFunction(o.run), blocking) as never, o, [5]).result).toBe(
    direct(o.run as never, o, [5]),
  );
  const { yielded, result } = drain(coroutineOf(captureFunction(chain), blocking) as never, undefined, [5]);
  expect(yielded).toEqual(["make", "make"]);
  expect(result).toBe(15);
});

test("a stack trace in a coroutine shows the author's line", () => {
  function blocks(n: number): void {
    P.pause(n);
    if (n > 0) throw new Error("here");
  }
  const blocking = blockingMap([blocks], ["pause"]);
  let stack = "";
  try {
    drain(coroutineOf(captureFunction(blocks), blocking) as never, undefined, [1]);
  } catch (error) {
    stack = (error as Error).stack ?? "";
  }
  expect(authorFrame(stack)).toMatchObject({ file: import.meta.filename, line: lineOf("throw new Error") });
});

test("a wait in a default parameter is refused", () => {
  const bad = (n: number, m = pause(n)): number => m;
  const blocking = blockingMap([bad], ["pause"]);
  expect(() => coroutineOf(captureFunction(bad), blocking)).toThrowError(/KPU1011/);
});

interface Stop {
  readonly function: string;
  readonly text: string;
  readonly locals: Record<string, number>;
  readonly coroutine: boolean;
}
const TSX = fileURLToPath(new URL("../../node_modules/tsx/dist/cli.mjs", import.meta.url));
const TARGET = fileURLToPath(new URL("./fixtures/debug-target.ts", import.meta.url));
const debuggers: [string, string | undefined, string[]][] = [
  ["tsx", process.execPath, [TSX, TARGET]],
  ["type stripping", strippingNode, [TARGET]],
];
describe.each(debuggers)("a debugger under %s", (_name, command, args) => {
  test.runIf(command !== undefined)("stops at the author's lines, with the locals, in both forms", () => {
    const out = execFileSync(command ?? "", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
    // The creation of a generator form may count as a stop where a whole file is one line.
    const stops = (JSON.parse(out) as Stop[]).filter((s) => s.function !== "");
    const shown = (coroutine: boolean) =>
      stops
        .filter((s) => s.coroutine === coroutine)
        .map(({ function: f, text, locals }) => ({ f, text, locals }));
    expect(shown(true)).toEqual(shown(false));
    expect(shown(true).slice(0, 4)).toEqual([
      {
        f: "blocks",
        text: "sum += square + p.x; // breakpoint: loop",
        locals: { square: 0, i: 0, n: 3, sum: 0 },
      },
      {
        f: "blocks",
        text: "sum += square + p.x; // breakpoint: loop",
        locals: { square: 1, i: 1, n: 3, sum: 3 },
      },
      {
        f: "blocks",
        text: "sum += square + p.x; // breakpoint: loop",
        locals: { square: 4, i: 2, n: 3, sum: 7 },
      },
      { f: "helper", text: "return doubled; // breakpoint: helper", locals: { v: 14, doubled: 28 } },
    ]);
    expect(shown(true)[4]).toMatchObject({ f: "blocks", locals: { n: 3, sum: 14, after: 15 } });
  });
});
