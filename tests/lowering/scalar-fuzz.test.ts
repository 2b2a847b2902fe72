/**
 * Conformance 44 and 48: random expressions over scalars of every dtype and origin mean the same in JavaScript, in a
 * direct run, in a program with and without checks, and in the interpreter of KIR.
 *
 * `npm run test:scalars` runs 100,000; SCALARS sets the number, SCALARS_SEED the first seed (printed in failures).
 */
import {
  type AnyKernel,
  bool,
  build,
  type DType,
  type DTypeName,
  dtypeOf,
  kernel,
  ptr,
  recordOf,
  S,
  simulate,
  TARGETS,
} from "kpu-dsl";
import { describe, expect, test } from "vitest";
import { bindArguments } from "../../ir/hostargs.ts";
import { interpretKernel } from "../../ir/interpret.ts";
import { lowerKernel } from "../../lowering/index.ts";
import { held, hostArray, numbersOf } from "../harness/arrays.ts";
import { HELPER, randomOf, Writer } from "./expressions.ts";

const EXPRESSIONS = Number(process.env["SCALARS"] ?? 2000);
const FIRST = Number(process.env["SCALARS_SEED"] ?? 1);
const PER_KERNEL = 50;
const RUNS = 3;

const DTYPES = ["i8", "u8", "i16", "u16", "i32", "u32", "f16", "bf16", "f32"] as const;
const SCALARS = ["a", "b", "c", "d", "u", "x", "h"] as const;
type Random = () => number;

interface Batch {
  readonly source: string;
  readonly lines: readonly string[];
  readonly dtypes: readonly DTypeName[];
  readonly kernel: AnyKernel;
  plain(args: readonly unknown[]): string[];
  args(): unknown[];
}

/** One kernel that prints the values of independent expressions. */
function batch(seed: number): Batch {
  const next = randomOf(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const dtypes = [0, 1, ...SCALARS].map(() => pick(DTYPES));
  const lines = Array.from({ length: PER_KERNEL }, () => line(next));
  const source = `${HELPER}\nreturn function k(p, q, ${SCALARS.join(", ")}, t) {\n  ${lines.join("\n  ")}\n}`;
  const statics = [Math.floor(next() * 100) - 50, next() * 1000, -0];
  const make = new Function("S", "K", "L", "Z", source) as (
    ...values: unknown[]
  ) => (...args: never[]) => void;
  const declared = dtypes.map((d, i) => (i < 2 ? ptr(dtypeOf(d)) : dtypeOf(d)));
  const k = kernel([...declared, bool] as DType[], make(S, ...statics) as never) as unknown as AnyKernel;
  return {
    source,
    lines,
    dtypes,
    kernel: k,
    plain(args) {
      const printed: string[] = [];
      const print = (_: string, v: number | boolean): void =>
        void printed.push(Object.is(v, -0) ? "-0" : String(v));
      const [p, q] = [0, 1].map((i) => {
        const values = numbersOf(dtypes[i] as DTypeName, args[i] as never);
        return { get: (at: number) => values[at] };
      });
      const rounded = dtypes.slice(2).map((d, i) => held(d, args[i + 2] as number));
      make({ ...S, print }, ...statics)(...([p, q, ...rounded, args[9]] as never[]));
      return printed;
    },
    args: () => {
      const values = dtypes.map((d, i) =>
        i < 2
          ? hostArray(
              d,
              Array.from({ length: 8 }, () => value(d, next)),
            )
          : value(d, next),
      );
      return [...values, next() < 0.5];
    },
  };
}

/** One expression in a place of its own: as it is, under a loop counter, or behind variables that change. */
function line(next: Random): string {
  const scope = ["v0", "v1", "v2"];
  const start = `let v0 = 0, v1 = a, v2 = x;`;
  const shape = next();
  if (shape < 0.2) {
    const from = ["0", "-2", "5", "(b & 3)", "0.5", "-0"][Math.floor(next() * 6)] as string;
    const head = [`i < 4; i++`, `i > -3; i -= 2`, `i < 3; i += 0.75`, `i <= (c & 3); ++i`, `i >= 0; i--`];
    const w = new Writer(next, [...scope, "i"]);
    return `{ ${start} for (let i = ${from}; ${head[Math.floor(next() * head.length)]}) { if (i > 50 || i < -50) break; S.print("{}", ${w.number()}); } }`;
  }
  const w = new Writer(next, scope);
  if (shape < 0.35) return `{ ${start} if (${w.bool()}) v0 = ${w.number()}; S.print("{}", ${w.number()}); }`;
  return `{ ${start} S.print("{}", ${shape < 0.45 ? w.bool() : w.number()}); }`;
}

const FLOATS = [0, -0, Number.NaN, Infinity, -Infinity, 1, -1, 0.5, 1.5, -2.5, 1e-40, 65504, 16777217, 3e38];

function value(d: DTypeName, next: Random): number {
  if (d === "f16" || d === "bf16" || d === "f32") {
    const x =
      next() < 0.5
        ? (FLOATS[Math.floor(next() * FLOATS.length)] as number)
        : (next() - 0.5) * 2 ** (next() * 40 - 4);
    return held(d, x);
  }
  const bits = Number(d.slice(1));
  const [lo, hi] = d.startsWith("u") ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  const edges = [lo, hi, 0, 1, 2, 3, Math.max(lo, -1), Math.max(lo, -2)];
  if (next() < 0.5) return edges[Math.floor(next() * edges.length)] as number;
  return next() < 0.5 ? Math.floor(next() * 20) : Math.floor(lo + next() * (hi - lo + 1));
}

type Print = (line: string) => void;

/** Every way to run the kernel. */
function executions(k: AnyKernel): [string, (args: readonly unknown[], print: Print) => void][] {
  const record = recordOf(k) as NonNullable<ReturnType<typeof recordOf>>;
  const { kernel: kir, paramSpecs } = lowerKernel(record);
  const programs = [true, false].map((checks) => build(k, { checks }));
  const target = TARGETS.edge;
  return [
    ["direct", (args, print) => void simulate(k, args, { tiles: 1, print })],
    ["with checks", (args, print) => programs[0]?.runWith({ tiles: 1, print }, ...args)],
    ["without checks", (args, print) => programs[1]?.runWith({ tiles: 1, print }, ...args)],
    [
      "interpreted",
      (args, print) =>
        interpretKernel(kir, bindArguments("k", paramSpecs, args), { tiles: 1, target, print }),
    ],
  ];
}

describe("scalar expressions", () => {
  const kernels = Math.ceil(EXPRESSIONS / PER_KERNEL);
  test(`${kernels * PER_KERNEL} random ones mean what they mean in JavaScript, in every execution`, () => {
    for (let seed = FIRST; seed < FIRST + kernels; seed++) {
      const b = batch(seed);
      const ways = executions(b.kernel);
      for (let run = 0; run < RUNS; run++) {
        const args = b.args();
        const want = b.plain(args);
        for (const [way, execute] of ways) {
          const got: string[] = [];
          execute(args, (text) => got.push(text.replace("tile 0: ", "")));
          const at = want.findIndex((x, i) => x !== got[i]);
          if (at < 0 && got.length === want.length) continue;
          const about = `seed ${seed}, ${way}, print ${at}; dtypes ${b.dtypes.join()}; args ${args.map(String).join(" | ")}`;
          expect(got, `${about}\n${b.source}`).toEqual(want);
        }
      }
    }
  }, 3_600_000);
});
