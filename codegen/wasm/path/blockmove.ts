/** The block movers: boxes of elements, panels and windows, as they are or quantized (ir/path/blockmove.ts). */
import { DTYPES, type DTypeName } from "../../../ir/dtype.ts";
import type { Attrs, Expr } from "../../../ir/kir.ts";
import { type LayoutName, type TransformName, WINDOW } from "../../../ir/path/operands.ts";
import { dtypeOf, type Emitter, scalarName } from "../context.ts";
import type { Code, LocalIndex, WasmType } from "../encoder.ts";
import { add, copyRowsHelper, countDown, I32S, pushAddress, pushBytes } from "../rows.ts";
import { castScalar, index32 } from "../scalar.ts";
import { LOAD, STORE } from "../transfer.ts";

/** How one element gets from memory to memory. */
interface Mover {
  readonly name: string;
  /** Bytes of an element of the source and of the destination. */
  readonly from: number;
  readonly to: number;
  /** Types of what is given beside the block: scale and zero point. */
  readonly extra: readonly WasmType[];
  /** `at` is the local of the first extra parameter. */
  readonly move: (h: Code, dst: LocalIndex, src: LocalIndex, at: LocalIndex) => void;
  /** Stores what stands for 0. */
  readonly zero: (h: Code, dst: LocalIndex, at: LocalIndex) => void;
}

function raw(bytes: number): Mover {
  return {
    name: `${bytes}`,
    from: bytes,
    to: bytes,
    extra: [],
    move: (h, dst, src) => h.get(dst).get(src).access(LOAD[bytes]!).access(STORE[bytes]!),
    zero: (h, dst) => h.get(dst).i32(0).access(STORE[bytes]!),
  };
}

function quantizing(d: DTypeName): Mover {
  const { min, max } = DTYPES[d];
  return {
    name: `f32 to ${d}`,
    from: 4,
    to: 1,
    extra: ["f32", "f32"],
    move: (h, dst, src, at) => {
      const q = h.temp("i32");
      h.get(src).access("f32.load").get(at).op("f32.div").op("f32.nearest");
      h.get(at + 1)
        .op("f32.add")
        .sat("i32.trunc_sat_f32_s")
        .set(q);
      h.get(q).i32(min).get(q).i32(min).op("i32.gt_s").op("select").set(q);
      h.get(dst).get(q).i32(max).get(q).i32(max).op("i32.lt_s").op("select").access("i32.store8");
    },
    zero: (h, dst, at) =>
      h
        .get(dst)
        .get(at + 1)
        .sat("i32.trunc_sat_f32_s")
        .access("i32.store8"),
  };
}

export function emitBlockMove(E: Emitter, attrs: Attrs, operand: (name: string) => Expr): void {
  const c = E.code;
  const d = dtypeOf(operand("dst"));
  const mover = attrs["quantized"] === true ? quantizing(d) : raw(DTYPES[d].bytes);
  const transform = attrs["transform"] as TransformName;
  const count = (name: string): void => index32(E, operand(name));
  pushAddress(E, operand("dst"));
  pushAddress(E, operand("src"));
  if (transform === "identity" && mover.extra.length === 0) {
    for (const name of ["cols", "srcStride", "dstStride"]) pushBytes(E, operand(name), mover.to);
    count("rows");
    c.call(copyRowsHelper(c));
    return;
  }
  const extra = (): void => {
    for (const name of mover.extra.length === 0 ? [] : ["scale", "zeroPoint"]) {
      E.scalar(operand(name));
      castScalar(c, scalarName(operand(name)), "f32");
    }
  };
  switch (transform) {
    case "identity":
    case "transpose": {
      count("rows");
      count("cols");
      pushBytes(E, operand("srcStride"), mover.from);
      const across = transform === "transpose";
      if (across) c.i32(mover.to);
      pushBytes(E, operand("dstStride"), mover.to);
      if (!across) c.i32(mover.to);
      extra();
      c.call(gridHelper(c, mover));
      return;
    }
    case "pack":
      for (const name of ["rows", "cols"]) count(name);
      pushBytes(E, operand("srcStride"), mover.from);
      count("panel");
      extra();
      c.call(packHelper(c, mover));
      return;
    case "im2col":
      count("rows");
      pushBytes(E, operand("dstStride"), mover.to);
      for (const name of WINDOW) count(name);
      extra();
      c.call(windowHelper(c, mover, attrs["layout"] as LayoutName));
  }
}

/** (dst, src, rows, cols, source row step, destination row step, destination column step, ...extra): steps in bytes. */
function gridHelper(c: Code, mover: Mover): number {
  return c.module.helper(`move grid ${mover.name}`, [...I32S(7), ...mover.extra], [], (h) => {
    const [to, from, n] = [h.local("i32"), h.local("i32"), h.local("i32")];
    countDown(h, 2, () => {
      h.get(0).set(to).get(1).set(from).get(3).set(n);
      countDown(h, n, () => {
        mover.move(h, to, from, 7);
        add(h, to, 6);
        h.get(from).i32(mover.from).op("i32.add").set(from);
      });
      add(h, 0, 5);
      add(h, 1, 4);
    });
  });
}

/** (dst, src, rows, cols, source row step, panel, ...extra): panels, each a grid with rows and columns exchanged. */
function packHelper(c: Code, mover: Mover): number {
  return c.module.helper(`move panels ${mover.name}`, [...I32S(6), ...mover.extra], [], (h) => {
    const [dst, src, rows, cols, step, panel] = [0, 1, 2, 3, 4, 5];
    const [column, to, height, n] = [h.local("i32"), h.local("i32"), h.local("i32"), h.local("i32")];
    h.get(panel).i32(mover.to).op("i32.mul").set(column);
    h.block();
    const done = h.depth - 1;
    h.loop();
    const again = h.depth - 1;
    h.get(rows).i32(0).op("i32.le_s").brIf(done);
    h.get(rows).get(panel).get(rows).get(panel).op("i32.lt_s").op("select").set(height);
    h.get(dst).get(src).get(height).get(cols).get(step).i32(mover.to).get(column);
    for (const [i] of mover.extra.entries()) h.get(6 + i);
    h.call(gridHelper(h, mover));
    // Rows that the last panel lacks.
    const [absent, row] = [h.local("i32"), h.local("i32")];
    h.get(panel).get(height).op("i32.sub").set(absent);
    h.get(dst).get(height).i32(mover.to).op("i32.mul").op("i32.add").set(row);
    countDown(h, absent, () => {
      h.get(row).set(to).get(cols).set(n);
      countDown(h, n, () => {
        mover.zero(h, to, 6);
        add(h, to, column);
      });
      h.get(row).i32(mover.to).op("i32.add").set(row);
    });
    h.get(column).get(cols).op("i32.mul").get(dst).op("i32.add").set(dst);
    h.get(step).get(panel).op("i32.mul").get(src).op("i32.add").set(src);
    h.get(rows).get(panel).op("i32.sub").set(rows).br(again).end().end();
  });
}

/** (dst, src, rows, destination row step, the numbers of WINDOW, ...extra). */
function windowHelper(c: Code, mover: Mover, layout: LayoutName): number {
  const extraAt = 4 + WINDOW.length;
  return c.module.helper(
    `move windows ${mover.name} ${layout}`,
    [...I32S(extraAt), ...mover.extra],
    [],
    (h) => {
      const w = Object.fromEntries(WINDOW.map((name, i) => [name, 4 + i])) as Record<
        (typeof WINDOW)[number],
        LocalIndex
      >;
      const names = [
        "across",
        "pixel",
        "line",
        "plane",
        "cell",
        "depth",
        "y",
        "x",
        "kh",
        "kw",
        "top",
        "left",
      ] as const;
      const more = ["to", "from", "n", "place"] as const;
      const l = Object.fromEntries([...names, ...more].map((name) => [name, h.local("i32")])) as Record<
        (typeof names)[number] | (typeof more)[number],
        LocalIndex
      >;
      // Output positions across.
      h.get(w.width).get(w.padLeft).op("i32.add").get(w.padRight).op("i32.add");
      h.get(w.dilationWidth)
        .get(w.kernelWidth)
        .i32(1)
        .op("i32.sub")
        .op("i32.mul")
        .i32(1)
        .op("i32.add")
        .op("i32.sub");
      h.get(w.strideWidth).op("i32.div_s").i32(1).op("i32.add").set(l.across);
      // Bytes of the image from a pixel to the next, a row, a channel; of a row of the destination from one place under the
      // kernel to the next, and from one channel to the next.
      const bytes = (to: LocalIndex, size: number, ...factors: LocalIndex[]): void => {
        h.i32(size);
        for (const f of factors) h.get(f).op("i32.mul");
        h.set(to);
      };
      if (layout === "nhwc") {
        bytes(l.pixel, mover.from, w.channels);
        bytes(l.line, mover.from, w.channels, w.width);
        bytes(l.plane, mover.from);
        bytes(l.cell, mover.to, w.channels);
        bytes(l.depth, mover.to);
      } else {
        bytes(l.pixel, mover.from);
        bytes(l.line, mover.from, w.width);
        bytes(l.plane, mover.from, w.width, w.height);
        bytes(l.cell, mover.to);
        bytes(l.depth, mover.to, w.kernelHeight, w.kernelWidth);
      }
      countDown(h, 2, () => {
        const start = (
          quotient: "i32.div_u" | "i32.rem_u",
          stride: LocalIndex,
          pad: LocalIndex,
          at: LocalIndex,
        ): void => {
          h.get(w.first).get(l.across).op(quotient).get(stride).op("i32.mul").get(pad).op("i32.sub").set(at);
        };
        start("i32.div_u", w.strideHeight, w.padTop, l.top);
        start("i32.rem_u", w.strideWidth, w.padLeft, l.left);
        h.get(0).set(l.place).get(l.top).set(l.y).get(w.kernelHeight).set(l.kh);
        countDown(h, l.kh, () => {
          h.get(l.left).set(l.x).get(w.kernelWidth).set(l.kw);
          countDown(h, l.kw, () => {
            h.get(l.place).set(l.to).get(w.channels).set(l.n);
            // Below 0 is far above the size, unsigned.
            h.get(l.y).get(w.height).op("i32.lt_u").get(l.x).get(w.width).op("i32.lt_u").op("i32.and").if();
            h.get(1).get(l.y).get(l.line).op("i32.mul").op("i32.add");
            h.get(l.x).get(l.pixel).op("i32.mul").op("i32.add").set(l.from);
            countDown(h, l.n, () => {
              mover.move(h, l.to, l.from, extraAt);
              add(h, l.to, l.depth);
              add(h, l.from, l.plane);
            });
            h.else();
            countDown(h, l.n, () => {
              mover.zero(h, l.to, extraAt);
              add(h, l.to, l.depth);
            });
            h.end();
            add(h, l.place, l.cell);
            add(h, l.x, w.dilationWidth);
          });
          add(h, l.y, w.dilationHeight);
        });
        add(h, 0, 3);
        h.get(w.first).i32(1).op("i32.add").set(w.first);
      });
    },
  );
}
