/** Addition, subtraction and multiplication over results of either sign, wrapping and saturating, with operands of every origin. */
import { S, type Vec } from "kpu-dsl";
import { describe, test } from "vitest";
import {
  bitsOf,
  clamp,
  INT_NAMES,
  type IntName,
  integer,
  isSigned,
  maxOf,
  minOf,
  wrap,
} from "../harness/integers.ts";
import { expectElementwise, type Operation } from "./elementwise.ts";
import { group } from "./group.ts";

const EXACT = {
  vadd: (x: bigint, y: bigint) => x + y,
  vsub: (x: bigint, y: bigint) => x - y,
  vmul: (x: bigint, y: bigint) => x * y,
} as const;
const NAMES = ["vadd", "vsub", "vmul"] as const;

/** Lanes of no dtype in particular. */
type Lanes = Vec<never>;

/** Literals of a dtype, its limits among them. */
const literals = (d: IntName): bigint[] => [...new Set([minOf(d), maxOf(d), 0n, 1n, maxOf(d) / 2n + 1n])];

/** Everything that gives `to` from lanes of `d`. */
function operations(d: IntName, to: IntName): Operation[] {
  const outSign = isSigned(to) ? "signed" : "unsigned";
  const other = integer(bitsOf(d), !isSigned(d));
  return NAMES.flatMap((name) => {
    const exact = EXACT[name];
    return [false, true].flatMap((saturate): Operation[] => {
      const held = saturate ? clamp : wrap;
      const o = { saturate, ...(d === to ? {} : { outSign }) } as object;
      // The opposite sign's literals exist where the exact result is one: not on 32-bit lanes that saturate.
      const mixed = d !== to && !(saturate && bitsOf(d) === 32);
      const scalars = [...literals(d), ...(mixed ? literals(other) : [])];
      const shown = `${name}${saturate ? " saturating" : ""}`;
      return [
        {
          name: `${shown}, two vectors`,
          call: (x: Lanes, y: Lanes) => S[name](x, y, o),
          truth: (x, y) => held(to, exact(BigInt(x), BigInt(y))),
        },
        {
          name: `${shown}, a vector and a number of run time`,
          call: (x: Lanes, y: Lanes) => S[name](x, y.at(0), o),
          truth: (x, _y, _z, first) => held(to, exact(BigInt(x), BigInt(first[1] as number))),
        },
        {
          name: `${shown}, a number of run time and a vector`,
          call: (x: Lanes, y: Lanes) => S[name](y.at(0), x, o),
          truth: (x, _y, _z, first) => held(to, exact(BigInt(first[1] as number), BigInt(x))),
        },
        ...scalars.map((literal): Operation => {
          const c = Number(literal);
          return {
            name: `${shown} ${c}`,
            call: (x: Lanes) => S[name](x, c, o),
            truth: (x) => held(to, exact(BigInt(x), literal)),
          };
        }),
        ...(name === "vsub" ? scalars : scalars.slice(-1)).map((literal): Operation => {
          const c = Number(literal);
          return {
            name: `${c} ${shown}`,
            call: (x: Lanes) => S[name](c, x, o),
            truth: (x) => held(to, exact(literal, BigInt(x))),
          };
        }),
      ];
    });
  });
}

group(37, () => {
  describe.each(INT_NAMES)("%s", (d) => {
    test.each([integer(bitsOf(d), true), integer(bitsOf(d), false)])("to %s", (to) => {
      expectElementwise(operations(d, to), {
        operands: [d],
        result: to,
        sizes: [0, 1, 256 / bitsOf(d) + 1, 397],
      });
    });
  });
});
