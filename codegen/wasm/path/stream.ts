/** The streamers: elements of l2 into the panels that the fabric's micro-kernels read (panels.ts). */
import { DTYPES, type DTypeName, isPacked } from "../../../ir/dtype.ts";
import type { Apply, Expr } from "../../../ir/kir.ts";
import { dtypeOf, type Emitter } from "../context.ts";
import type { Code, LocalIndex } from "../encoder.ts";
import { widen16 } from "../floats.ts";
import { SCALAR_LOAD } from "../memory.ts";
import { elementUnits } from "../pointer.ts";
import { add, countDown, down, I32S, pushAddress, pushBytes } from "../rows.ts";
import { fromBits, index32 } from "../scalar.ts";
import { emitLookedUp, isNoted } from "./forward.ts";
import { ELEMENT, TILE, UNIT, unitsOf } from "./panels.ts";

export function emitStream(
  E: Emitter,
  edge: "rows" | "cols",
  e: Apply,
  operand: (name: string) => Expr,
): void {
  const c = E.code;
  const src = operand("src");
  const d = dtypeOf(src);
  const across = (edge === "rows") === (e.attrs["transposed"] === true);
  const count = (name: string): LocalIndex => {
    index32(E, operand(name));
    return c.save("i32");
  };
  pushAddress(E, operand("dst"));
  pushAddress(E, src);
  const [extent, depth] = [count("extent"), count("depth")];
  pushBytes(E, operand("stride"), elementUnits(src));
  const stride = c.save("i32");
  if (isNoted(E, e)) {
    c.get(across ? depth : extent);
    c.get(across ? extent : depth)
      .i32(sizeOf(d))
      .op("i32.mul");
    c.get(stride);
    emitLookedUp(E);
    c.set(stride);
  }
  c.get(extent).get(depth).get(stride);
  c.call(streamHelper(c, d, TILE[edge], across ? "extent" : "depth"));
}

/**
 * (dst, src, extent, depth, stride): the stride in bytes, of 4-bit elements in half bytes, as src is. `along`: what consecutive
 * elements run along.
 */
function streamHelper(c: Code, d: DTypeName, width: number, along: "extent" | "depth"): number {
  return c.module.helper(`stream ${d} ${width} ${along}`, I32S(5), [], (h) => {
    const [dst, src, extent, depth, stride] = [0, 1, 2, 3, 4];
    const size = sizeOf(d);
    const narrow = narrowHelper(h, d);
    /** Moves to the next panel. */
    const next = (): void => {
      if (along === "extent")
        h.get(src)
          .i32(width * size)
          .op("i32.add")
          .set(src);
      else h.get(src).get(stride).i32(width).op("i32.mul").op("i32.add").set(src);
      h.get(dst)
        .get(depth)
        .i32(width * ELEMENT[unitsOf(d)])
        .op("i32.mul")
        .op("i32.add")
        .set(dst);
    };
    const steps = (): Code => (along === "extent" ? h.i32(size).get(stride) : h.get(stride).i32(size));
    const whole = h.temp("i32");
    if (isPacked(d)) h.i32(0).set(whole);
    else h.get(extent).i32(width).op("i32.div_u").set(whole);
    const left = h.temp("i32");
    if (along === "extent") manyAlongExtent(h, d, width, whole);
    h.get(whole).set(left);
    countDown(h, left, () => {
      const rest = along === "extent" ? restAlongExtent(h, d, width) : oneAlongDepth(h, d, width);
      h.get(rest.dst).get(rest.src).i32(width).get(rest.depth);
      steps().call(narrow);
      next();
    });
    // What is narrower than a panel, and 4-bit elements.
    h.get(extent).get(whole).i32(width).op("i32.mul").op("i32.sub").set(left);
    down(
      h,
      left,
      () => h.i32(width),
      () => {
        h.get(dst).get(src);
        h.get(left).i32(width).get(left).i32(width).op("i32.lt_s").op("select");
        h.get(depth);
        steps().call(narrow);
        next();
      },
    );
  });
}

/** Units of address from one element to the next. */
function sizeOf(d: DTypeName): number {
  return isPacked(d) ? 1 : DTYPES[d].bytes;
}

// The helpers below are in a helper with the parameters of streamHelper.

/** What of a panel is left over: depths from there on. */
interface Rest {
  readonly dst: LocalIndex;
  readonly src: LocalIndex;
  readonly depth: LocalIndex;
}

/** One panel of full width by registers, where consecutive elements run along the depth: quads of units are transposed. */
function oneAlongDepth(h: Code, d: DTypeName, width: number): Rest {
  const pairs = unitsOf(d) === "pairs";
  const [to, from, left, n] = [h.temp("i32"), h.temp("i32"), h.temp("i32"), h.temp("i32")];
  h.get(0).set(to).get(1).set(from);
  const depths = 4 * (pairs ? 2 : 1);
  h.get(3).i32(depths).op("i32.div_u").set(n);
  h.get(3).get(n).i32(depths).op("i32.mul").op("i32.sub").set(left);
  countDown(h, n, () => {
    const row = h.temp("i32");
    h.get(from).set(row);
    for (let q = 0; q < width / 4; q++) {
      const quad = Array.from({ length: 4 }, () => {
        if (pairs) h.get(row).vaccess(d === "i8" ? "v128.load8x8_s" : "v128.load8x8_u");
        else floats(h, d, row, 0);
        add(h, row, 4);
        return h.save("v128");
      });
      transposed(h, quad).forEach((push, i) => {
        h.get(to);
        push();
        h.vaccess("v128.store", i * width * UNIT + q * 16);
      });
    }
    h.get(from)
      .i32(depths * sizeOf(d))
      .op("i32.add")
      .set(from);
    h.get(to)
      .i32(4 * width * UNIT)
      .op("i32.add")
      .set(to);
  });
  return { dst: to, src: from, depth: left };
}

/** Units of depth that {@link manyAlongExtent} writes side by side: of 8 columns they are a line of a cache. */
const TOGETHER = 2;
const depthsTogether = (d: DTypeName): number => TOGETHER * (unitsOf(d) === "pairs" ? 2 : 1);

/**
 * All panels of full width by registers, where consecutive elements run along them: some depths across all panels, then the next, so
 * that memory is read in the order that it has.
 */
function manyAlongExtent(h: Code, d: DTypeName, width: number, whole: LocalIndex): void {
  const pairs = unitsOf(d) === "pairs";
  const [rounds, n, pitch] = [h.temp("i32"), h.temp("i32"), h.temp("i32")];
  const [at, to, from] = [h.temp("i32"), h.temp("i32"), h.temp("i32")];
  const rows = Array.from({ length: depthsTogether(d) }, () => h.temp("i32"));
  h.get(3)
    .i32(width * ELEMENT[unitsOf(d)])
    .op("i32.mul")
    .set(pitch);
  h.get(1).set(from).get(0).set(at);
  h.get(3).i32(rows.length).op("i32.div_u").set(rounds);
  countDown(h, rounds, () => {
    for (const row of rows) {
      h.get(from).set(row);
      add(h, from, 4);
    }
    h.get(at).set(to).get(whole).set(n);
    countDown(h, n, () => {
      for (let u = 0; u < TOGETHER; u++) {
        const offset = u * width * UNIT;
        if (pairs) pairsAlongExtent(h, d, width, to, offset, rows[2 * u]!, rows[2 * u + 1]!);
        else
          for (let q = 0; q < width / 4; q++) {
            h.get(to);
            floats(h, d, rows[u]!, q * 4 * sizeOf(d));
            h.vaccess("v128.store", offset + q * 16);
          }
      }
      for (const row of rows)
        h.get(row)
          .i32(width * sizeOf(d))
          .op("i32.add")
          .set(row);
      add(h, to, pitch);
    });
    h.get(at)
      .i32(TOGETHER * width * UNIT)
      .op("i32.add")
      .set(at);
  });
}

/** What {@link manyAlongExtent} leaves of each panel. */
function restAlongExtent(h: Code, d: DTypeName, width: number): Rest {
  const [dst, src, depth, done] = [h.temp("i32"), h.temp("i32"), h.temp("i32"), h.temp("i32")];
  h.get(3).get(3).i32(depthsTogether(d)).op("i32.rem_u").tee(depth).op("i32.sub").set(done);
  h.get(0)
    .get(done)
    .i32(width * ELEMENT[unitsOf(d)])
    .op("i32.mul")
    .op("i32.add")
    .set(dst);
  h.get(1).get(done).get(4).op("i32.mul").op("i32.add").set(src);
  return { dst, src, depth };
}

/** Pushes four consecutive floats from memory as f32. */
function floats(h: Code, d: DTypeName, at: LocalIndex, offset: number): void {
  h.get(at);
  if (d === "f32") {
    h.vaccess("v128.load", offset);
    return;
  }
  h.vaccess("v128.load64_zero", offset);
  widen16(h, d as "f16" | "bf16", "low");
}

/** Bytes of two depths, each consecutive in memory, as `width` pairs. */
function pairsAlongExtent(
  h: Code,
  d: DTypeName,
  width: number,
  to: LocalIndex,
  offset: number,
  ...depths: readonly [LocalIndex, LocalIndex]
): void {
  const wide = depths.map((at) => {
    h.get(at);
    if (width === 8) h.vaccess(d === "i8" ? "v128.load8x8_s" : "v128.load8x8_u");
    else
      h.vaccess("v128.load32_zero").v(d === "i8" ? "i16x8.extend_low_i8x16_s" : "i16x8.extend_low_i8x16_u");
    return h.save("v128");
  });
  for (let half = 0; half < width / 4; half++) {
    h.get(to).get(wide[0]!).get(wide[1]!);
    h.shuffle(
      Array.from({ length: 4 }, (_, i) => 8 * half + 2 * i).flatMap((b) => [b, b + 1, b + 16, b + 17]),
    );
    h.vaccess("v128.store", offset + half * 16);
  }
}

/** Four registers of 32-bit lanes, exchanged with their lanes. */
function transposed(h: Code, rows: readonly LocalIndex[]): (() => void)[] {
  const zip = (x: LocalIndex, y: LocalIndex, high: number): LocalIndex => {
    const words = [high, high + 1].flatMap((w) => [w * 4, 16 + w * 4]);
    h.get(x)
      .get(y)
      .shuffle(words.flatMap((b) => [b, b + 1, b + 2, b + 3]));
    return h.save("v128");
  };
  const [a, b, c, d] = rows as [LocalIndex, LocalIndex, LocalIndex, LocalIndex];
  const [ab, cd, abHigh, cdHigh] = [zip(a, b, 0), zip(c, d, 0), zip(a, b, 2), zip(c, d, 2)];
  const join = (x: LocalIndex, y: LocalIndex, half: number) => () => {
    const from = half * 8;
    h.get(x)
      .get(y)
      .shuffle([0, 16].flatMap((base) => Array.from({ length: 8 }, (_, i) => base + from + i)));
  };
  return [join(ab, cd, 0), join(ab, cd, 1), join(abHigh, cdHigh, 0), join(abHigh, cdHigh, 1)];
}

/** (dst, src, width, depth, extent step, depth step): a panel of any width, element by element. */
function narrowHelper(c: Code, d: DTypeName): number {
  return c.module.helper(`stream ${d} narrow`, I32S(6), [], (h) => {
    const [n, w, at] = [h.temp("i32"), h.temp("i32"), h.temp("i32")];
    /** `count` rounds of `perRound` depths. */
    const depths = (perRound: number, count: () => void, each: () => void): void => {
      count();
      h.set(n);
      countDown(h, n, () => {
        h.get(1).set(at).get(2).set(w);
        countDown(h, w, () => {
          each();
          add(h, at, 4);
        });
        for (let i = 0; i < perRound; i++) add(h, 1, 5);
      });
    };
    const forward = (bytes: number): Code => h.get(0).i32(bytes).op("i32.add").set(0);
    if (unitsOf(d) === "floats") {
      depths(
        1,
        () => h.get(3),
        () => {
          h.get(0);
          element(h, d, at);
          h.access("f32.store");
          forward(UNIT);
        },
      );
      return;
    }
    const one = (offset: number, from: LocalIndex): void => {
      h.get(0);
      element(h, d, from);
      h.access("i32.store16", offset);
    };
    const second = h.temp("i32");
    depths(
      2,
      () => h.get(3).i32(1).op("i32.shr_u"),
      () => {
        one(0, at);
        h.get(at).get(5).op("i32.add").set(second);
        one(2, second);
        forward(UNIT);
      },
    );
    depths(
      1,
      () => h.get(3).i32(1).op("i32.and"),
      () => {
        one(0, at);
        forward(2);
      },
    );
  });
}

/** Pushes one element: floats as f32, integers as i32. */
function element(h: Code, d: DTypeName, at: LocalIndex): void {
  if (isPacked(d)) {
    // The address counts half bytes: the low one comes first.
    h.get(at).i32(1).op("i32.shr_u").access("i32.load8_u");
    h.get(at).i32(1).op("i32.and").i32(2).op("i32.shl").op("i32.shr_u");
    if (d === "i4") h.i32(28).op("i32.shl").i32(28).op("i32.shr_s");
    else h.i32(15).op("i32.and");
    return;
  }
  h.get(at).access(SCALAR_LOAD[d]);
  if (d === "f16" || d === "bf16") fromBits(h, d);
}
