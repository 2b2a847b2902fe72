// biome-ignore-all lint: names that transpilers rename and imports that they rewrite; every kernel writes one number a line.
import { type AnyKernel, build, f32, i32, KpuError, kernel, ptr, recordOf, S, simulate } from "kpu-dsl";
import * as everything from "./imported.ts";
import named, { LIMIT, counter as renamed } from "./imported.ts";
import { viaReexport } from "./reexport.ts";

const scale = 2;
const offset = 100;

enum Mode {
  Fast = 3,
  Slow = Mode.Fast * 2,
}

function makeShadowed() {
  const scale = 5;
  {
    const scale = 11;
    const offset = 1000;
    return kernel([ptr(i32)], function shadowed(out) {
      const offset = 7;
      {
        const offset = scale;
        out.set(0, offset);
      }
      out.set(1, offset + scale);
    });
  }
}

const loops = [1, 2, 3].map((_, i) => i);
const perRound: ReturnType<typeof makeShadowed>[] = [];
for (let i = 0; i < 3; i++) {
  perRound.push(
    kernel([ptr(i32)], function perRound(out) {
      out.set(0, i * scale);
      out.set(1, loops[i]! + offset);
    }),
  );
}

class Table {
  static factor = 4;
  static #hidden = 9;
  readonly bias: number;
  constructor(bias: number) {
    this.bias = bias;
  }
  static kernelOf(table: Table) {
    return kernel([ptr(i32)], function members(out) {
      out.set(0, Table.factor + table.bias);
      out.set(1, Table.scaled(3));
    });
  }
  static scaled(v: number): number {
    return v * Table.factor;
  }
}

const imports = kernel([ptr(i32), i32], function imports(out, n) {
  out.set(0, twiceOf(n) + renamed + everything.LIMIT);
  out.set(1, viaReexport(n) + named(n) + LIMIT);
});
const twiceOf = (v: number) => everything.twice(v) - LIMIT;

const enums = kernel([ptr(i32)], function enums(out) {
  out.set(0, Mode.Fast);
  out.set(1, Mode.Slow);
});

const destructured = ((
  { gain, deep: [first, , third] }: { gain: number; deep: number[] },
  ...rest: number[]
) =>
  kernel([ptr(i32)], function destructured(out) {
    out.set(0, gain + first! + third!);
    out.set(1, rest[1]!);
  }))({ gain: 1, deep: [10, 20, 30] }, 5, 6);

let assigned = 1;
const mutated = kernel([ptr(f32)], function mutated(out) {
  out.set(0, assigned);
});
let written = 0;
const writes = kernel([ptr(f32)], function writes(out) {
  written++;
  out.set(0, written);
});

const argumentsOf = (k: AnyKernel, out: Int32Array): [Int32Array, number] =>
  [out, 3].slice(0, recordOf(k)!.params.length) as [Int32Array, number];

/** On one tile: what it writes directly, then what the program writes. */
function both(k: AnyKernel): number[] {
  const direct = new Int32Array(2);
  const compiled = new Int32Array(2);
  simulate(k, argumentsOf(k, direct), { tiles: 1 });
  const program = build(k as typeof imports, { target: "minimal" });
  program.run(...argumentsOf(k, compiled));
  return [...direct, ...compiled];
}

function code(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    return error instanceof KpuError ? error.code : String(error);
  }
}

export function results(): Record<string, unknown> {
  const found: Record<string, unknown> = {
    shadowed: both(makeShadowed()),
    loop: perRound.map((k) => both(k)),
    members: both(Table.kernelOf(new Table(20))),
    imports: both(imports),
    enums: both(enums),
    destructured: both(destructured),
  };
  const out = new Float32Array(1);
  simulate(mutated, [out], { tiles: 1 });
  assigned = 2;
  found["changed capture, direct"] = code(() => mutated(out));
  found["changed capture, built anew"] = code(() => build(mutated));
  found["assigned capture"] = [code(() => writes(out)), code(() => build(writes)), written];
  return found;
}

/** What plain JavaScript gives: direct values, then compiled ones. */
export const EXPECTED = {
  shadowed: [11, 18, 11, 18],
  loop: [
    [0, 100, 0, 100],
    [2, 101, 2, 101],
    [4, 102, 4, 102],
  ],
  members: [24, 12, 24, 12],
  imports: [61, 71, 61, 71],
  enums: [3, 6, 3, 6],
  destructured: [41, 6, 41, 6],
  "changed capture, direct": "KPU2003",
  "changed capture, built anew": "KPU2003",
  "assigned capture": ["KPU2002", "KPU2002", 0],
};
