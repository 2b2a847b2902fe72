/** Integer division and remainder, compiled, against arithmetic that shares nothing with the table: all pairs of 8 bits, and the quotients that rounding would get wrong. */
import { describe, expect, it } from "vitest";
import { compileKernel } from "../../codegen/index.ts";
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import { TARGETS } from "../../ir/target.ts";
import { KpuProgram } from "../../runtime/program.ts";
import { type HostArgument, kernelOf } from "./threeway.ts";

type Ints = Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array;
const ARRAYS: Readonly<Record<string, new (values: ArrayLike<number>) => Ints>> = {
  i8: Int8Array,
  u8: Uint8Array,
  i16: Int16Array,
  u16: Uint16Array,
  i32: Int32Array,
  u32: Uint32Array,
};

function compiled(op: "div" | "mod", d: DTypeName, x: Ints, y: Ints): Ints {
  const program = new KpuProgram<HostArgument[]>(
    compileKernel(
      kernelOf(`kir 1, level: virtual
kernel @k(%out: ptr<${d}, global>, %x: ptr<${d}, global>, %y: ptr<${d}, global>, %n: i32) {
  for %i: i32 = 0 to %n step 32 {
    let %a: ${d}x32 = load<${d}x32> %x[%i]
    let %b: ${d}x32 = load<${d}x32> %y[%i]
    store<${d}x32> %out[%i], (${op}.${d}x32 %a, %b)
  }
}
`),
      { target: TARGETS.edge, checks: true },
    ),
  );
  const out = x.slice();
  program.runWith({ tiles: 1 }, out, x, y, x.length);
  return out;
}

/** The corners as the reference says them, by whole numbers. */
function expected(op: "div" | "mod", d: DTypeName, x: number, y: number): number {
  if (y === 0) return 0;
  const remainder = (x % y) + 0;
  return op === "mod" ? remainder : Math.min(DTYPES[d].max, (x - remainder) / y + 0);
}

function check(d: DTypeName, pairs: readonly (readonly [number, number])[]): void {
  const make = ARRAYS[d]!;
  const whole = pairs.slice(0, pairs.length - (pairs.length % 32));
  const x = new make(whole.map((p) => p[0]));
  const y = new make(whole.map((p) => p[1]));
  for (const op of ["div", "mod"] as const) {
    const out = compiled(op, d, x, y);
    const wrong = out.findIndex((r, i) => r !== expected(op, d, x[i]!, y[i]!));
    if (wrong >= 0) expect.fail(`${x[wrong]} ${op} ${y[wrong]} gives ${out[wrong]}`);
  }
}

describe("integer division", () => {
  it.each(["i8", "u8"] as const)("every pair of %s", (d) => {
    const all = Array.from({ length: 256 }, (_, i) => DTYPES[d].min + i);
    check(
      d,
      all.flatMap((x) => all.map((y) => [x, y] as const)),
    );
  });

  it.each(["i16", "u16", "i32", "u32"] as const)("%s around multiples of the divisor", (d) => {
    const { min, max, bits } = DTYPES[d];
    const inside = (v: number): number => Math.max(min, Math.min(max, v));
    let state = 12345;
    const random = (): number => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0);
    const pairs: [number, number][] = [];
    for (let i = 0; i < 8000; i++) {
      // Divisors and quotients of every size.
      const y = inside((random() >>> (32 - bits + (random() % bits))) * (min < 0 && random() & 1 ? -1 : 1));
      const q = y === 0 ? 0 : Math.trunc(max / y / 2 ** (random() % 8));
      for (const off of [-1, 0, 1]) pairs.push([inside(q * y + off), y]);
    }
    for (const x of [min, min + 1, -1, 0, 1, max - 1, max].map(inside))
      for (const y of [min, min + 1, -1, 0, 1, max - 1, max].map(inside)) pairs.push([x, y]);
    while (pairs.length % 32 !== 0) pairs.push([max, 3]);
    check(d, pairs);
  });
});
