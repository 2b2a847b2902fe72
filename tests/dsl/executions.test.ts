/**
 * Every lanewise intrinsic, dtype and form of options through both executions, bit for bit, on edge values: one kernel
 * per intrinsic, dtype and lane count, which stores the result of every form.
 */
import { describe, it } from "vitest";
import { INTRINSICS, type IntrinsicRecord } from "../../dsl/index.ts";
import { DTYPES, type DTypeName, isInt, oppositeSign } from "../../ir/dtype.ts";
import { agreeOn, edgeValues, generated, hostOf, type Pointers, sequence } from "./both.ts";

/** Option texts of a record for a dtype: every option alone, under a mask, with a vector r. */
function forms(record: IntrinsicRecord, d: DTypeName): string[] {
  const names = (record.signature.options ?? []).map((o) => o.name);
  const own: string[] = [""];
  if (isInt(d) && names.includes("saturate")) own.push("saturate: true");
  if (names.includes("withRound")) own.push("withRound: true");
  const masks = ["", "mask: m", "mask: m, r", "mask: M, r: 1"];
  return own.flatMap((o) => masks.map((m) => [o, m].filter((t) => t !== "").join(", ")));
}

const lanewise = INTRINSICS.filter(
  (r) =>
    r.value &&
    /^v/.test(r.name) &&
    r.signature.operands.every((o) => o.kind === "vec|scalar") &&
    // Those that take some widths only are the matrix's (tests/equivalence/matrix.test.ts).
    r.signature.widths === undefined &&
    r.name !== "vsel",
);

describe("both executions agree", () => {
  for (const record of lanewise) {
    for (const d of (record.signature.operands[0]?.dtype ?? []) as readonly DTypeName[]) {
      if (d === "bool") continue;
      // One register and a tail.
      const lanes = 256 / DTYPES[d].bits + 5;
      it(`${record.name} ${d} x${lanes}`, () => run(record, d, lanes));
    }
  }
});

function run(record: IntrinsicRecord, d: DTypeName, lanes: number): void {
  const arity = record.signature.operands.length;
  const isMask = record.signature.result.startsWith("mask");
  const lines: string[] = [];
  let stores = 0;
  const other = isInt(d) ? oppositeSign(d) : d;
  const operands = [
    ["x", "y", "z"],
    ...(arity > 1
      ? [
          ["x", "1", "z"],
          ["x", "s", "2"],
        ]
      : []),
  ];
  for (const ops of operands) {
    for (const form of forms(record, d)) {
      const o =
        form === ""
          ? ""
          : `, { ${isMask ? form.replace(/\br\b(?!:)/, "r: m").replace("r: 1", "r: true") : form} }`;
      lines.push(
        `S.vstore(S.${record.name}(${ops.slice(0, arity).join(", ")}${o}), ${isMask ? "b" : "o"}.at(${stores++ * lanes}));`,
      );
    }
  }
  if (isInt(d) && record.signature.options?.some((o) => o.name === "outSign")) {
    const sign = DTYPES[d].signed ? "unsigned" : "signed";
    for (const more of ["", ", saturate: true", ", saturate: true, mask: m"]) {
      lines.push(
        `S.vstore(S.${record.name}(x, y, { outSign: "${sign}"${more} }), u.at(${stores++ * lanes}));`,
      );
    }
  }
  const setup = [
    `const x = S.vload(px, { lanes: ${lanes} }), y = S.vload(py, { lanes: ${lanes} }), z = S.vload(pz, { lanes: ${lanes} });`,
    `const r = z, m = S.vload(pm, { lanes: ${lanes} }), s = py.get(${lanes - 1});`,
  ];
  const M = Array.from({ length: lanes }, (_, i) => i % 3 !== 1);
  const pointers: Pointers = [
    ["px", d],
    ["py", d],
    ["pz", d],
    ["pm", "bool"],
    ["o", d],
    ["u", other],
    ["b", "bool"],
  ];
  const k = generated(`${record.name}_${d}`, pointers, [...setup, ...lines], { M });
  const agree = agreeOn(k);
  const next = sequence(lanes * 7919 + record.name.length);
  for (let round = 0; round < 4; round++) {
    const values = [0, 1, 2].map(() => hostOf(d, edgeValues(d, lanes, next)));
    const mask = hostOf(
      "bool",
      Array.from({ length: lanes }, () => (next() < 0.5 ? 0 : 1)),
    );
    const output = (t: DTypeName) => () => hostOf(t, new Array<number>(stores * lanes).fill(0));
    agree(
      [...values.map((v) => () => v.slice()), () => mask.slice(), output(d), output(other), output("bool")],
      (i, element) => {
        const place = `${pointers[i]?.[0]}.at(${Math.floor(element / lanes) * lanes})`;
        const lane = element % lanes;
        return `lane ${lane} of ${lines.find((l) => l.includes(place))}; x, y, z = ${values.map((v) => v[lane]).join(", ")}`;
      },
    );
  }
}
