/**
 * For every value intrinsic, dtype and form of options: what direct execution gives is what the lowered ops mean.
 * The cases are generated from the records' signatures; the ops are evaluated lane by lane, not by dsl/ops.ts.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DType, dtypeOf, INTRINSICS, type IntrinsicRecord, Mask, S, Vec } from "../../dsl/index.ts";
import { roundTo } from "../../ir/convert.ts";
import { DTYPES, type DTypeName, isFloat, isInt, isStorage, NUMERIC } from "../../ir/dtype.ts";
import { type Expr, type Local, mask as maskType, scalar, vec } from "../../ir/kir.ts";
import { evaluate, FakeLowering, inKernel, param, plain, type RuntimeValue } from "./fake.ts";

const lane = (d: DTypeName): fc.Arbitrary<number> => {
  const { min, max } = DTYPES[d];
  if (d === "bool") return fc.integer({ min: 0, max: 1 });
  if (isInt(d))
    return fc.oneof(fc.constantFrom(min, min + 1, 0, 1, 2, max - 1, max), fc.integer({ min, max }));
  const round = roundTo(d as "f32");
  const special = fc.constantFrom(0, -0, 1, -1, 0.5, max, -max, Infinity, -Infinity, NaN, 2 ** -149, 1e-40);
  return fc.oneof(special, fc.double()).map(round);
};
const lanesOf = (d: DTypeName, n: number): fc.Arbitrary<number[]> =>
  fc.array(lane(d), { minLength: n, maxLength: n });
const values = (d: DTypeName, data: readonly number[]): Vec | Mask =>
  d === "bool" ? new Mask(data) : new Vec(dtypeOf(d) as DType as Vec["dtype"], data);

/** One runtime argument: its JavaScript value, its KIR parameter, and how the evaluator sees it. */
interface Argument {
  readonly direct: unknown;
  readonly lowered: unknown;
  readonly local?: Local;
  readonly value?: RuntimeValue;
}
function runtimeLanes(d: DTypeName, data: readonly number[]): Argument {
  const p = param(d === "bool" ? maskType(data.length) : vec(d, data.length));
  return { direct: values(d, data), lowered: p, local: p.local, value: { lanes: data } };
}
const staticArgument = (v: unknown): Argument => ({ direct: v, lowered: v });
function runtimeNumber(x: number): Argument {
  const p = param(scalar("num"));
  return { direct: x, lowered: p, local: p.local, value: x };
}

function agree(
  record: IntrinsicRecord,
  args: readonly Argument[],
  options: Readonly<Record<string, Argument>> | undefined,
): void {
  const env = new Map<Local, RuntimeValue>();
  for (const a of [...args, ...Object.values(options ?? {})])
    if (a.local && a.value !== undefined) env.set(a.local, a.value);
  const pick = (side: "direct" | "lowered"): unknown[] => {
    const o = options && Object.fromEntries(Object.entries(options).map(([k, a]) => [k, a[side]]));
    return [...args.map((a) => a[side]), ...(o ? [o] : [])];
  };
  const direct = inKernel(() =>
    (S as unknown as Record<string, (...a: unknown[]) => unknown>)[record.name]?.(...pick("direct")),
  );
  const lower = record.lower as unknown as (b: FakeLowering, ...a: unknown[]) => Expr;
  const lowered = lower(new FakeLowering(), ...pick("lowered"));
  expect(plain(direct)).toEqual(evaluate(lowered, env));
}

const optionSets = (record: IntrinsicRecord, d: DTypeName): string[][] => {
  const names = (record.signature.options ?? [])
    .map((o) => o.name)
    .filter((n) => n !== "lanes" && n !== "part");
  const own = names.filter(
    (n) => n !== "mask" && n !== "r" && n !== "returnIdx" && (isInt(d) || n === "withRound"),
  );
  const masks = names.includes("mask")
    ? [[], ["mask"], ...(names.includes("r") ? [["mask", "r"]] : [])]
    : [[]];
  const extra = [
    [],
    ...own.map((n) => [n]),
    ...(own.length > 1 ? [own] : []),
    ...(names.includes("returnIdx") ? [["returnIdx"]] : []),
  ];
  return masks.flatMap((m) => extra.map((e) => [...m, ...e]));
};

function resultDType(record: IntrinsicRecord, d: DTypeName, outSign: string | undefined): DTypeName {
  if (record.signature.result.startsWith("mask")) return "bool";
  if (outSign === undefined || !isInt(d)) return d;
  return `${outSign === "signed" ? "i" : "u"}${DTYPES[d].bits}` as DTypeName;
}

/** Records that say themselves which values are worth a test are not drawn here. */
const saysValues = ({ operands, options = [] }: IntrinsicRecord["signature"]): boolean =>
  [...operands, ...options].some((o) => o.values !== undefined);
/** Records whose operands and result all have the lanes and dtype of the first. */
const lanewise = INTRINSICS.filter(
  (r) =>
    r.value &&
    r.signature.operands[0]?.kind.startsWith("vec") &&
    /^v/.test(r.name) &&
    r.name !== "vsel" &&
    !saysValues(r.signature) &&
    r.signature.operands.every((o) => o.lanes === undefined && Array.isArray(o.dtype)) &&
    (r.signature.options ?? []).every((o) => o.lanes === undefined) &&
    !r.signature.result.startsWith("array"),
);

describe("direct execution is what the lowered ops mean", () => {
  for (const record of lanewise) {
    const dtypes = (record.signature.operands[0]?.dtype ?? []) as readonly DTypeName[];
    const step = record.signature.widths?.multipleOf ?? 1;
    for (const d of dtypes) {
      // Storage dtypes are only moved, which the matrix tries.
      if (isStorage(d)) continue;
      it(`${record.name} ${d}`, () => {
        const sets = optionSets(record, d);
        const property = fc.property(
          fc.constantFrom(...[1, 3, 8, 13].map((n) => Math.ceil(n / step) * step)).chain((n) =>
            fc.record({
              operands: fc.tuple(lanesOf(d, n), lanesOf(d, n), lanesOf(d, n)),
              kinds: fc.tuple(
                fc.constantFrom("vec", "number", "static"),
                fc.constantFrom("vec", "number", "runtime"),
                fc.constantFrom("vec", "number", "runtime"),
              ),
              mask: fc.array(fc.boolean(), { minLength: n, maxLength: n }),
              maskForm: fc.constantFrom("mask", "array", "string", "runtime"),
              rForm: fc.constantFrom("vec", "number", "static"),
              r: fc.array(lane("u8"), { minLength: n, maxLength: n }),
              set: fc.constantFrom(...sets),
              outSign: fc.constantFrom("signed", "unsigned"),
            }),
          ),
          (c) => {
            const arity = record.signature.operands.length;
            const args = c.operands.slice(0, arity).map((data, i): Argument => {
              const first = data[0] as number;
              const scalarAllowed =
                record.signature.operands[i]?.kind === "vec|scalar" && arity > 1 && i > 0 && d !== "bool";
              const kind =
                i === 0 || !scalarAllowed ? (c.kinds[i] === "static" ? "static" : "vec") : c.kinds[i];
              if (kind === "static") return staticArgument(values(d, data));
              if (kind === "number") return staticArgument(first);
              return kind === "runtime" ? runtimeNumber(first) : runtimeLanes(d, data);
            });
            const outSign = c.set.includes("outSign") ? c.outSign : undefined;
            const options: Record<string, Argument> = {};
            for (const name of c.set) {
              const bits = c.mask.map((b) => (b ? 1 : 0));
              const rd = resultDType(record, d, outSign);
              // Values of u8 that every dtype holds.
              const r = c.r.map((x) => (rd === "bool" ? x & 1 : x & 127));
              if (name === "mask") {
                if (c.maskForm === "runtime") options["mask"] = runtimeLanes("bool", bits);
                else if (c.maskForm === "array") options["mask"] = staticArgument(c.mask);
                else if (c.maskForm === "string")
                  options["mask"] = staticArgument(c.mask.map((b) => (b ? "T" : "F")).join(""));
                else options["mask"] = staticArgument(new Mask(bits));
              } else if (name === "r") {
                const x = rd === "bool" ? Boolean(r[0]) : (r[0] as number);
                options["r"] =
                  c.rForm === "number"
                    ? staticArgument(x)
                    : c.rForm === "static"
                      ? staticArgument(values(rd, r))
                      : runtimeLanes(rd, r);
              } else options[name] = staticArgument(name === "outSign" ? c.outSign : true);
            }
            agree(record, args, c.set.length > 0 ? options : undefined);
          },
        );
        fc.assert(property, { numRuns: 60 });
      });
    }
  }

  const named = (name: string): IntrinsicRecord => INTRINSICS.find((r) => r.name === name) as IntrinsicRecord;

  it("cast: every pair, part and rule", () => {
    for (const from of NUMERIC) {
      for (const to of NUMERIC) {
        for (const part of [undefined, "low", "odd", "hl"]) {
          for (const rule of [undefined, "saturate", "wrap"]) {
            if (rule !== undefined && isFloat(to)) continue;
            fc.assert(
              fc.property(lanesOf(from, 8), (data) => {
                const o: Record<string, Argument> = {};
                if (part) o["part"] = staticArgument(part);
                if (rule) o[rule] = staticArgument(true);
                agree(named("cast"), [runtimeLanes(from, data), staticArgument(dtypeOf(to))], o);
              }),
              { numRuns: 10 },
            );
          }
        }
      }
    }
  });

  it("cast of a list", () => {
    fc.assert(
      fc.property(lanesOf("i32", 4), lanesOf("i32", 3), (a, b) => {
        const p = runtimeLanes("i32", a);
        const q = runtimeLanes("i32", b);
        const env = new Map<Local, RuntimeValue>([
          [p.local as Local, p.value as RuntimeValue],
          [q.local as Local, q.value as RuntimeValue],
        ]);
        const lower = named("cast").lower as unknown as (b: FakeLowering, ...x: unknown[]) => Expr;
        const e = lower(new FakeLowering(), [p.lowered, q.lowered], dtypeOf("i8"), undefined);
        expect(
          plain(S.cast([p.direct as Vec<DType<"i32">>, q.direct as Vec<DType<"i32">>], dtypeOf("i8"))),
        ).toEqual(evaluate(e, env));
      }),
    );
  });

  it("vsel, vbcast, tailMask", () => {
    fc.assert(
      fc.property(lanesOf("f32", 5), lanesOf("f32", 5), lanesOf("bool", 5), fc.double(), (a, b, m, n) => {
        agree(
          named("vsel"),
          [runtimeLanes("f32", a), runtimeLanes("f32", b), runtimeLanes("bool", m)],
          undefined,
        );
        agree(named("vsel"), [runtimeLanes("f32", a), staticArgument(3), runtimeLanes("bool", m)], undefined);
        agree(
          named("vsel"),
          [runtimeLanes("bool", m), staticArgument(true), staticArgument("2T3F")],
          undefined,
        );
        agree(named("vbcast"), [runtimeNumber(n), staticArgument(dtypeOf("f16"))], {
          mask: runtimeLanes("bool", m),
        });
        agree(named("tailMask"), [runtimeNumber(n), staticArgument(6)], undefined);
      }),
    );
  });

  it("scalar functions", () => {
    fc.assert(
      fc.property(
        fc.double(),
        fc.double(),
        fc.integer(),
        fc.integer().filter((x) => x !== 0),
        (x, y, a, b) => {
          for (const name of ["min", "max"])
            agree(named(name), [runtimeNumber(x), runtimeNumber(y)], undefined);
          agree(named("clip"), [runtimeNumber(x), runtimeNumber(y), staticArgument(3)], undefined);
          agree(named("abs"), [runtimeNumber(x)], undefined);
          for (const name of ["ceildiv", "floordiv"])
            agree(named(name), [runtimeNumber(a), runtimeNumber(b)], undefined);
          for (const d of [...NUMERIC, "bool"]) agree(named(d), [runtimeNumber(x)], undefined);
          agree(named("i8"), [runtimeNumber(x)], { wrap: staticArgument(true) });
          for (const { name, family } of INTRINSICS) {
            if (family === "math" && name !== "vpow") agree(named(name), [runtimeNumber(x)], undefined);
          }
          agree(named("vrint"), [runtimeNumber(x)], undefined);
          agree(named("vpow"), [runtimeNumber(x), runtimeNumber(y)], undefined);
        },
      ),
    );
  });
});
