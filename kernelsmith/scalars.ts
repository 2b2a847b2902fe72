/** Expressions on JavaScript numbers and booleans. */
import { DTYPES, type DTypeName, hasIntegers, isInt } from "../ir/dtype.ts";
import { edgeValues } from "../ir/edges.ts";
import { scalarAt } from "./accesses.ts";
import { callForm } from "./forms.ts";
import { known, type Maker } from "./maker.ts";
import { BOOL, type Expr, expr, I32, int, leaf, literal, NUM, numberText, type Ty } from "./tree.ts";

const NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  31,
  32,
  33,
  100,
  127,
  128,
  255,
  256,
  32767,
  32768,
  65535,
  65536,
  2147483647,
  2147483648,
  4294967295,
  4294967296,
  9007199254740991,
  0.5,
  1.5,
  2.5,
  0.1,
  -1,
  -2,
  -128,
  -0.5,
  -0,
  1e10,
  1e38,
  3.5e38,
  1e300,
  -1e300,
  1e-45,
  1e-320,
  6.1e-5,
  65504,
  65520,
  -2147483648,
  Infinity,
  -Infinity,
  NaN,
];

function someNumber(m: Maker): Expr {
  const x = m.r.chance(0.5) ? m.r.between(-4, 20) : m.r.pick(NUMBERS);
  if (m.r.chance(0.15)) return leaf(NUM, m.capture("K", numberText(x), "captured number"));
  return literal(Number.isInteger(x) && !Object.is(x, -0) ? int(x, x) : NUM, x);
}

function element(
  m: Maker,
  allowed: (d: DTypeName) => boolean,
  type: (d: DTypeName) => Ty,
  depth: number,
): Expr | undefined {
  const areas = m.scope.areas.filter((a) => allowed(a.dtype));
  if (areas.length === 0) return undefined;
  const area = m.r.pick(areas);
  return scalarAt(m, area, type(area.dtype), depth);
}

/** A number of any kind. */
export function num(m: Maker, depth: number): Expr {
  const { r } = m;
  const n = (): Expr => m.num(depth - 1);
  if (depth <= 0 || r.chance(0.25)) {
    const found = r.chance(0.65)
      ? known(m, NUM)
      : r.chance(0.5)
        ? element(
            m,
            (d) => d !== "bool",
            () => NUM,
            depth,
          )
        : undefined;
    return found ?? (r.chance(0.05) ? staticNumber(m) : someNumber(m));
  }
  switch (r.below(14)) {
    case 0:
    case 1:
      return expr(NUM, "+")`(${n()} + ${n()})`;
    case 2:
      return expr(NUM, "-")`(${n()} - ${n()})`;
    case 3:
      return expr(NUM, "*")`(${n()} * ${n()})`;
    case 4:
      return r.chance(0.5) ? expr(NUM, "/")`(${n()} / ${n()})` : expr(NUM, "%")`(${n()} % ${n()})`;
    case 5: {
      const f = r.pick(["abs", "floor", "ceil", "trunc", "round", "sqrt", "sign", "fround"]);
      return expr(NUM, `Math.${f}`)`Math.${f}(${n()})`;
    }
    case 6: {
      const f = r.pick(["min", "max"]);
      return expr(NUM, `Math.${f}`)`Math.${f}(${n()}, ${n()})`;
    }
    case 7:
      return expr(NUM, "?:")`(${m.bool(depth - 1)} ? ${n()} : ${n()})`;
    case 8:
      return expr(NUM, "unary -")`(-${n()})`;
    case 9: {
      const d = r.pick(m.dtypes.filter((x) => x !== "bool"));
      const lanes = r.pick(m.lanes);
      return expr(NUM, "Vec.at")`${m.vec(d, lanes, depth - 1)}.at(${m.int(0, lanes - 1, depth - 2)})`;
    }
    case 10:
      return expr(NUM, "Number")`Number(${m.bool(depth - 1)})`;
    case 11:
    case 12:
      return callForm(m, NUM, depth) ?? n();
    default:
      return wide(m, depth);
  }
}

/** A number that is known when the kernel is checked: a fact of the target, or what a function computes then. */
function staticNumber(m: Maker): Expr {
  const { r } = m;
  switch (r.below(6)) {
    case 0:
      return leaf(int(1, 4096), `S.target.${r.pick(["tiles", "events"])}`, "target");
    case 1:
      return leaf(int(1, 2 ** 30), `S.target.capacity.${r.pick(["l3", "l2", "local", "private"])}`, "target");
    case 2: {
      // The same kernel on registers of another width is another kernel.
      m.pinned = true;
      if (r.chance(0.5)) return leaf(int(128, 1024), "S.target.registerBits", "target");
      return leaf(int(4, 128), `S.target.lanes(${r.pick(["i8", "i16", "f16", "f32", "u32"])})`, "target");
    }
    default: {
      const x = someNumber(m);
      return r.chance(0.5)
        ? expr(NUM, "comptime")`S.comptime(() => [${x}, 2, 3].reduce((a, b) => a + b))`
        : expr(NUM, "comptime")`S.comptime(() => Array.from({ length: 4 }, (_, k) => k / ${x})[3])`;
    }
  }
}

/** An integer of the i32 range or a little more. */
function wide(m: Maker, depth: number): Expr {
  const { r } = m;
  const n = (): Expr => m.num(depth - 1);
  const i = (): Expr => m.int(I32_LOW, I32_HIGH, depth - 1, true);
  switch (r.below(14)) {
    case 0:
    case 1:
      return expr(I32, "| 0")`(${n()} | 0)`;
    case 2:
      return expr(I32, "~")`(~${n()})`;
    case 3:
      return expr(I32, "Math.imul")`Math.imul(${n()}, ${n()})`;
    case 4:
      return expr(I32, "^")`(${n()} ^ ${n()})`;
    case 5:
      return expr(I32, "|")`(${n()} | ${n()})`;
    case 6:
      return expr(I32, "<<")`(${n()} << ${n()})`;
    case 7:
      return expr(I32, ">>")`(${n()} >> ${n()})`;
    case 8:
      return expr(int(0, 2 ** 32 - 1), ">>>")`(${n()} >>> ${n()})`;
    case 9: {
      const f = r.pick(["floordiv", "ceildiv"]);
      const divisor = literal(NUM, r.pick([1, 2, 3, 5, 8, -2, -7, 255]));
      return expr(int(-(2 ** 31), 2 ** 31), f)`S.${f}(${i()}, ${divisor})`;
    }
    case 10: {
      const f = r.pick(["+", "-", "*"]);
      return expr(int(-(2 ** 53), 2 ** 53), `int ${f}`)`(${i()} ${f} ${m.int(-1024, 1024, depth - 1, true)})`;
    }
    case 11: {
      const d = r.pick(["i8", "u8", "i16", "u16", "i32"] as const);
      return converted(m, d, depth);
    }
    case 12:
      return expr(int(0, 32), "Math.clz32")`Math.clz32(${n()})`;
    default:
      return expr(int(-127, 127), "int %")`(${i()} % ${literal(NUM, r.pick([3, 7, 10, 16, -5, 128]))})`;
  }
}
const I32_LOW = -(2 ** 31);
const I32_HIGH = 2 ** 31 - 1;

function converted(m: Maker, d: DTypeName, depth: number): Expr {
  const { min, max } = DTYPES[d];
  const wrap = m.r.chance(0.25) ? ", { wrap: true }" : "";
  return expr(int(min, max), d)`S.${d}(${m.num(depth - 1)}${wrap})`;
}

/** An integer of low .. high that the checker can prove to be one; and its bounds too, where they are asked for. */
export function integer(m: Maker, low: number, high: number, depth: number, proven: boolean): Expr {
  const { r } = m;
  const type = int(low, high, !proven);
  if (low === high) return literal(int(low, high), low);
  if (r.chance(0.5)) {
    const found = known(m, type);
    if (found !== undefined) return found;
  }
  const shifted = r.chance(0.3) ? moved(m, low, high, proven) : undefined;
  if (shifted !== undefined) return shifted;
  if (depth <= 0 || r.chance(0.3)) {
    if (low <= I32_LOW && high >= I32_HIGH && r.chance(0.5)) {
      const found = element(m, isInt, rangeOf, depth);
      if (found !== undefined && within(found.type, low, high)) return found;
    }
    const edge = Math.min(
      high,
      Math.max(low, r.pick([low, high, 0, 1, r.between(low, Math.min(high, low + 2 ** 30))])),
    );
    return literal(int(edge, edge), edge);
  }
  if (low <= I32_LOW && high >= I32_HIGH) {
    const e = wide(m, depth);
    return within(e.type, low, high) ? e : expr(I32, "| 0")`(${e} | 0)`;
  }
  const fit = (["i8", "u8", "i16", "u16"] as const).filter(
    (d) => DTYPES[d].min >= low && DTYPES[d].max <= high,
  );
  if (fit.length > 0 && r.chance(0.3)) return converted(m, r.pick(fit), depth);
  if (r.chance(0.2)) return expr(int(low, high), "clip")`S.clip(${m.num(depth - 1)} | 0, ${low}, ${high})`;
  if (r.chance(0.15)) {
    const arm = (): Expr => m.int(low, high, depth - 1, proven);
    return expr(type, "?:")`(${m.bool(depth - 1)} ? ${arm()} : ${arm()})`;
  }
  const power = 2 ** Math.floor(Math.log2(Math.min(high - low + 1, 2 ** 31)));
  const bits = expr(int(0, power - 1), "&")`(${m.num(depth - 1)} & ${power - 1})`;
  return low === 0 ? bits : expr(int(low, low + power - 1), "int +")`(${bits} + ${literal(NUM, low)})`;
}

const rangeOf = (d: DTypeName): Ty => int(DTYPES[d].min, DTYPES[d].max);
const within = (t: Ty, low: number, high: number): boolean =>
  t.is === "int" && t.low >= low && t.high <= high;

/** A variable and a constant whose sum stays in range. */
function moved(m: Maker, low: number, high: number, proven: boolean): Expr | undefined {
  const found = m.scope.variables.filter(
    (v) => v.type.is === "int" && !(proven && v.type.loose) && v.type.high - v.type.low <= high - low,
  );
  if (found.length === 0) return undefined;
  const v = m.r.pick(found);
  if (v.type.is !== "int") return undefined;
  const least = low - v.type.low;
  const most = high - v.type.high;
  const by = Math.min(most, Math.max(least, m.r.between(-4, 8)));
  if (by < least || Math.abs(by) > 2 ** 31) return undefined;
  const sign = by < 0 ? "-" : "+";
  const name: Expr = { parts: [v.name], args: [], type: v.type, name: v.name, tags: [] };
  if (by === 0) return name;
  return expr(
    int(v.type.low + by, v.type.high + by, v.type.loose),
    `int ${sign}`,
  )`(${name} ${sign} ${Math.abs(by)})`;
}

const COMPARISONS = ["<", "<=", ">", ">=", "===", "!=="];

export function bool(m: Maker, depth: number): Expr {
  const { r } = m;
  const b = (): Expr => m.bool(depth - 1);
  if (depth <= 0 || r.chance(0.2)) {
    const found = r.chance(0.6)
      ? known(m, BOOL)
      : r.chance(0.3)
        ? element(
            m,
            (d) => d === "bool",
            () => BOOL,
            depth,
          )
        : undefined;
    if (found !== undefined) return found;
    if (r.chance(0.1)) return leaf(BOOL, r.pick(["true", "false"]));
  }
  switch (depth <= 0 ? 0 : r.below(11)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const op = r.pick(COMPARISONS);
      return expr(BOOL, op)`(${m.num(depth - 1)} ${op} ${m.num(depth - 1)})`;
    }
    case 4:
      return expr(BOOL, "&&")`(${b()} && ${b()})`;
    case 5:
      return expr(BOOL, "||")`(${b()} || ${b()})`;
    case 6:
      return expr(BOOL, "!")`(!${b()})`;
    case 7: {
      const lanes = r.pick(m.lanes);
      return expr(BOOL, "Mask.at")`${m.mask(lanes, depth - 1)}.at(${m.int(0, lanes - 1, depth - 2)})`;
    }
    case 8: {
      const f = r.pick(["Number.isNaN", "Number.isFinite", "Number.isInteger", "Boolean"]);
      return expr(BOOL, f)`${f}(${m.num(depth - 1)})`;
    }
    case 9:
      return expr(BOOL, "?:")`(${b()} ? ${b()} : ${b()})`;
    default:
      return callForm(m, BOOL, depth) ?? b();
  }
}

/** A number that a vector of the dtype takes as a scalar operand: integers must be proven to fit. */
export function fitting(m: Maker, d: DTypeName, depth: number): Expr {
  if (!hasIntegers(d)) {
    if (m.r.chance(0.4)) return literal(NUM, m.r.pick(edgeValues(d)));
    return m.num(depth - 1);
  }
  const { min, max } = DTYPES[d];
  if (m.r.chance(0.4)) return literal(int(min, max), m.r.pick(edgeValues(d)));
  return isInt(d) && m.r.chance(0.4) ? converted(m, d, depth) : m.int(min, max, depth - 1, true);
}
