/**
 * The fabric: register-blocked products of the panels that the streamers have written (panels.ts). A tile of 4 x 8
 * accumulators stays in eight registers while its depth runs: the widest that leaves room for operands in 16 of them.
 */
import type { Expr } from "../../../ir/kir.ts";
import { dtypeOf, type Emitter } from "../context.ts";
import type { Code, LocalIndex } from "../encoder.ts";
import { add, down, I32S, pushAddress } from "../rows.ts";
import { index32 } from "../scalar.ts";
import { ELEMENT, TILE, UNIT, type Units, unitsOf } from "./panels.ts";

export function emitMma(E: Emitter, operand: (name: string) => Expr): void {
  const c = E.code;
  const units = unitsOf(dtypeOf(operand("a")));
  for (const name of ["acc", "a", "b"]) pushAddress(E, operand(name));
  for (const name of ["m", "n", "k"]) index32(E, operand(name));
  E.scalar(operand("clear"));
  c.get(E.tileBase).i32(E.layout.near.acc).op("i32.add");
  c.call(mmaHelper(c, units));
}

const ROW = TILE.cols * UNIT;

/** Bytes of rows that meet one panel of columns after the other: with such a panel they stay in a first-level cache. */
const NEAR = 24 * 1024;

/** (acc, a, b, m, n, k, clear, scratch): the rows in blocks, so that those which meet all columns lie near. */
function mmaHelper(c: Code, units: Units): number {
  return c.module.helper(`mma ${units}`, I32S(8), [], (h) => {
    const [acc, a, b, m, n, k, clear, scratch] = [0, 1, 2, 3, 4, 5, 6, 7];
    const [block, rows] = [h.local("i32"), h.local("i32")];
    const bytes = TILE.rows * ELEMENT[units];
    // Whole panels of rows, at least one; the depth may be 0.
    h.i32(NEAR).get(k).i32(1).op("i32.add").i32(bytes).op("i32.mul").op("i32.div_u").set(block);
    h.get(block).i32(1).get(block).op("select").i32(TILE.rows).op("i32.mul").set(block);
    down(
      h,
      m,
      () => h.get(block),
      () => {
        h.get(block).get(m).get(block).get(m).op("i32.lt_s").op("select").set(rows);
        h.get(acc).get(a).get(b).get(rows).get(n).get(k).get(clear).get(scratch).call(blockHelper(h, units));
        h.get(acc).get(rows).get(n).op("i32.mul").i32(4).op("i32.mul").op("i32.add").set(acc);
        h.get(a).get(rows).get(k).op("i32.mul").i32(ELEMENT[units]).op("i32.mul").op("i32.add").set(a);
      },
    );
  });
}

/** The same for a block: each panel of columns meets all of its rows. */
function blockHelper(c: Code, units: Units): number {
  return c.module.helper(`mma block ${units}`, I32S(8), [], (h) => {
    const [acc, a, b, m, n, k, clear, scratch] = [0, 1, 2, 3, 4, 5, 6, 7];
    const names = ["rows", "row", "cols", "tile", "corner", "pitch", "width", "copied", "panels"] as const;
    const l = Object.fromEntries(names.map((name) => [name, h.local("i32")])) as Record<
      (typeof names)[number],
      LocalIndex
    >;
    h.get(n).i32(4).op("i32.mul").set(l.pitch);
    h.get(acc).set(l.corner);
    h.get(n).set(l.cols);
    down(
      h,
      l.cols,
      () => h.i32(TILE.cols),
      () => {
        h.get(l.corner).set(l.tile).get(a).set(l.row).get(m).set(l.rows);
        h.get(l.cols).i32(TILE.cols).get(l.cols).i32(TILE.cols).op("i32.lt_s").op("select").set(l.width);
        h.get(l.width).i32(TILE.cols).op("i32.eq").if();
        for (let rows = TILE.rows; rows > 0; rows--) {
          // All whole panels of rows, then what is narrower than a panel.
          if (rows === TILE.rows) h.get(m).i32(rows).op("i32.div_u");
          else h.get(l.rows).i32(rows).op("i32.eq");
          h.set(l.panels);
          h.get(l.panels).if();
          h.get(l.tile).get(l.row).get(b).get(k).get(l.pitch).i32(ROW).get(clear).get(l.panels);
          h.call(tileHelper(h, units, rows, "whole"));
          if (rows === TILE.rows) {
            h.get(l.panels).i32(rows).op("i32.mul").set(l.panels);
            h.get(l.row)
              .get(l.panels)
              .get(k)
              .op("i32.mul")
              .i32(ELEMENT[units])
              .op("i32.mul")
              .op("i32.add")
              .set(l.row);
            h.get(l.tile).get(l.panels).get(l.pitch).op("i32.mul").op("i32.add").set(l.tile);
            h.get(m).get(l.panels).op("i32.sub").set(l.rows);
          }
          h.end();
        }
        h.else();
        down(
          h,
          l.rows,
          () => h.i32(TILE.rows),
          () => {
            for (let rows = 1; rows <= TILE.rows; rows++) {
              h.get(l.rows)
                .i32(rows)
                .op(rows === TILE.rows ? "i32.ge_s" : "i32.eq")
                .if();
              copyTile(
                h,
                rows,
                l.width,
                l.copied,
                { at: scratch, pitch: undefined },
                { at: l.tile, pitch: l.pitch },
              );
              h.get(scratch)
                .get(l.row)
                .get(b)
                .get(k)
                .i32(ROW)
                .get(l.width)
                .i32(UNIT)
                .op("i32.mul")
                .get(clear)
                .i32(1);
              h.call(tileHelper(h, units, rows, "narrow"));
              copyTile(
                h,
                rows,
                l.width,
                l.copied,
                { at: l.tile, pitch: l.pitch },
                { at: scratch, pitch: undefined },
              );
              h.end();
            }
            h.get(l.row)
              .get(k)
              .i32(TILE.rows * ELEMENT[units])
              .op("i32.mul")
              .op("i32.add")
              .set(l.row);
            h.get(l.tile).get(l.pitch).i32(TILE.rows).op("i32.mul").op("i32.add").set(l.tile);
          },
        );
        h.end();
        h.get(b)
          .get(k)
          .i32(TILE.cols * ELEMENT[units])
          .op("i32.mul")
          .op("i32.add")
          .set(b);
        h.get(l.corner).i32(ROW).op("i32.add").set(l.corner);
      },
    );
  });
}

/** Rows of `width` accumulators; without a pitch they are a whole tile's. */
interface Rows {
  readonly at: LocalIndex;
  readonly pitch: LocalIndex | undefined;
}
function copyTile(h: Code, rows: number, width: LocalIndex, bytes: LocalIndex, to: Rows, from: Rows): void {
  h.get(width).i32(UNIT).op("i32.mul").set(bytes);
  const place = ({ at, pitch }: Rows, r: number): void => {
    h.get(at);
    if (r === 0) return;
    if (pitch === undefined) h.i32(r * ROW);
    else h.get(pitch).i32(r).op("i32.mul");
    h.op("i32.add");
  };
  for (let r = 0; r < rows; r++) {
    place(to, r);
    place(from, r);
    h.get(bytes).memoryCopy();
  }
}

/**
 * (tile, a, b, k, pitch, bytes of b per unit of depth, clear, panels): `rows` x 8 accumulators plus their products, for so many
 * panels of a below one another. Of a narrow panel of b each register reaches into the next units: those columns are computed
 * and not used.
 */
function tileHelper(c: Code, units: Units, rows: number, panel: "whole" | "narrow"): number {
  return c.module.helper(`mma ${units} ${rows} ${panel}`, I32S(8), [], (h) => {
    const [tile, row, col, k, pitch, step, clear, panels] = [0, 1, 2, 3, 4, 5, 6, 7];
    const sums = Array.from({ length: rows * 2 }, () => h.local("v128"));
    const at = Array.from({ length: rows }, (_, r) => (r === 0 ? tile : h.local("i32")));
    const [b0, b1] = [h.local("v128"), h.local("v128")];
    const [a, b, end] = [h.local("i32"), h.local("i32"), h.local("i32")];
    h.loop();
    const nextPanel = h.depth - 1;
    for (let r = 1; r < rows; r++)
      h.get(at[r - 1]!)
        .get(pitch)
        .op("i32.add")
        .set(at[r]!);
    h.get(clear).if();
    for (const s of sums) h.i32(0).v("i32x4.splat").set(s);
    h.else();
    sums.forEach((s, i) => {
      h.get(at[i >> 1]!)
        .vaccess("v128.load", (i & 1) * 16)
        .set(s);
    });
    h.end();
    h.get(row).set(a).get(col).set(b);
    h.get(k);
    if (units === "pairs") h.i32(1).op("i32.shr_u");
    h.i32(rows * UNIT)
      .op("i32.mul")
      .get(a)
      .op("i32.add")
      .set(end);
    // One depth a round: of several V8 loads all operands first, for which the registers do not suffice.
    h.get(a).get(end).op("i32.lt_u").if().loop();
    const again = h.depth - 1;
    h.get(b).vaccess("v128.load").set(b0).get(b).vaccess("v128.load", 16).set(b1);
    for (let r = 0; r < rows; r++) {
      h.get(a).vaccess("v128.load32_splat", r * UNIT);
      accumulate(h, units, sums, r, b0, b1);
    }
    if (panel === "whole") h.get(b).i32(ROW).op("i32.add").set(b);
    else add(h, b, step);
    h.get(a)
      .i32(rows * UNIT)
      .op("i32.add")
      .set(a);
    h.get(a).get(end).op("i32.lt_u").brIf(again).end().end();
    if (units === "pairs") {
      // An odd last depth: one 16-bit integer each. The other half of a's pair is 0, whatever b's is.
      h.get(k).i32(1).op("i32.and").if();
      h.get(b).vaccess("v128.load16x4_s").set(b0).get(b).vaccess("v128.load16x4_s", 8).set(b1);
      for (let r = 0; r < rows; r++) {
        h.get(a)
          .vaccess("v128.load16_splat", r * 2)
          .v32(0xffff)
          .v("v128.and");
        accumulate(h, units, sums, r, b0, b1);
      }
      h.end();
    }
    sums.forEach((s, i) => {
      h.get(at[i >> 1]!)
        .get(s)
        .vaccess("v128.store", (i & 1) * 16);
    });
    h.get(row)
      .get(k)
      .i32(rows * ELEMENT[units])
      .op("i32.mul")
      .op("i32.add")
      .set(row);
    h.get(tile).get(pitch).i32(rows).op("i32.mul").op("i32.add").set(tile);
    h.get(panels).i32(1).op("i32.sub").set(panels);
    h.get(panels).brIf(nextPanel).end();
  });
}

/** Row r of the tile += the unit of a, in every lane on the stack, times b. */
function accumulate(
  h: Code,
  units: Units,
  sums: readonly LocalIndex[],
  r: number,
  b0: LocalIndex,
  b1: LocalIndex,
): void {
  const x = h.temp("v128");
  h.set(x);
  for (const [half, y] of [b0, b1].entries()) {
    const sum = sums[2 * r + half]!;
    h.get(sum).get(x).get(y);
    if (units === "floats") h.v("f32x4.mul").v("f32x4.add");
    else h.v("i32x4.dot_i16x8_s").v("i32x4.add");
    h.set(sum);
  }
  h.releaseTemps();
}
