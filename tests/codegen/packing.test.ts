/** Lanes moved by run-time values, over one and several registers: compiled against the interpreter. */
import { describe, it } from "vitest";
import { DTYPES, type DTypeName, INTS, NUMERIC } from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";
import { hostArray } from "../../ir/elements.ts";
import { TARGETS } from "../../ir/target.ts";
import { type HostArgument, threeWays } from "./threeway.ts";

const LANES = [1, 16, 43];

/** `value` over vectors %a, %b and masks %m, %e (no lane), %f (every lane). */
function run(
  from: DTypeName,
  lanes: number,
  to: DTypeName,
  results: number,
  value: string,
  bits = 256,
): void {
  const t = `${from}x${lanes}`;
  const text = `kir 1, level: virtual
kernel @k(%out: ptr<${to}, global>, %x: ptr<${from}, global>, %y: ptr<${from}, global>, %z: ptr<bool, global>, %n: i32) {
  let %a: ${t} = load<${t}> %x
  let %b: ${t} = load<${t}> %y
  let %m: mask<${lanes}> = load<mask<${lanes}>> %z
  let %e: mask<${lanes}> = tail_mask<${lanes}> %n
  let %f: mask<${lanes}> = not %e
  store<${to}x${results}> %out, (${value})
}
`;
  const edges = edgeValues(from);
  const pick = (k: number): number => edges[k % edges.length] as number;
  const args: HostArgument[] = [
    hostArray(to, new Array(results).fill(0)),
    hostArray(
      from,
      Array.from({ length: lanes }, (_, i) => pick(i * 3)),
    ),
    hostArray(
      from,
      Array.from({ length: lanes }, (_, i) => pick(i * 5 + 1)),
    ),
    Uint8Array.from({ length: lanes }, (_, i) => ((i * 7 + (i >> 3)) % 3 === 1 ? 1 : 0)),
    0,
  ];
  threeWays(text, args, { target: { ...TARGETS.edge, registerBits: bits } });
}

describe.each(NUMERIC)("%s", (d) => {
  it.each(["compress", "expand"])("%s", (op) => {
    for (const n of LANES) for (const m of ["%m", "%e", "%f"]) run(d, n, d, n, `${op}.${d}x${n} %a, ${m}`);
    run(d, 200, d, 200, `${op}.${d}x200 %a, %m`, 1024);
    run(d, 20, d, 20, `${op}.${d}x20 %a, %m`, 128);
  });
  it("slide", () => {
    for (const n of LANES)
      for (const by of [0, 1, n >> 1, n]) run(d, n, d, n, `slide.${d}x${n} %a, %b, (add.i32 %n, ${by})`);
  });
  it("bitcast", () => {
    for (const to of NUMERIC) {
      const ratio = DTYPES[d].bits / DTYPES[to].bits;
      for (const n of [4, 44]) run(d, n, to, n * ratio, `bitcast.${d}x${n}{dtype: ${to}} %a`);
    }
  });
});

describe.each(INTS)("tables by %s", (d) => {
  it.each([1, 16, 43, 140])("%i lanes", (n) => {
    // Indices from the edge values, and such that hit.
    const hits = `popcnt.${d}x${n} %a`;
    for (const index of ["%a", `(${hits})`, `(mul.${d}x${n} (${hits}), (${hits}))`])
      run(d, n, d, n, `table.${d}x${n} ${index}, %b`);
    const half = Math.max(1, n >> 1);
    const lanes = Array.from({ length: half }, (_, i) => i).join(", ");
    run(d, n, d, n, `table.${d}x${n} (${hits}), (shuffle{lanes: [${lanes}]} %b)`, 128);
    run(d, n, d, half, `table.${d}x${half} (shuffle{lanes: [${lanes}]} (${hits})), %b, %a`, 1024);
  });
});
