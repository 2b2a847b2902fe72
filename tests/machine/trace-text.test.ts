import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KpuError } from "../../ir/diagnostic.ts";
import type { Item, Trace } from "../../machine/trace.ts";
import { parseTrace } from "../../machine/trace-parse.ts";
import { printTrace } from "../../machine/trace-print.ts";
import { checkTrace, verifyTrace } from "../../machine/trace-verify.ts";
import { arbitraryCase } from "./arbitraries.ts";
import { smallMachine } from "./machines.ts";

const EXAMPLE = `trace 1 @example
tile {
  begin "load" at 0
  dma dram[0]: 16 of 64 step 1024 to l3[0]: 1024 signal 0 at 1
  end "load" at 2
  loop 8 {
    bm l3[0, 128]: 128 to l2[0]: 32 of 4 step 16 transpose after [0] signal 1 at 3
    rows l2[0]: 128 to l1[0]: 128 after [1] signal 2 at 4
    mma i8 [4, 8, 32] os after [1, 2] signal 3 at 5
    drain l1[0]: 128 to l2[1024]: 32 quantize sfu 32 [bias, "relu 6"] read [l3: 16, l2: 8] after [3] at 6
    core cycles 12 ops [valu: 4, load: 2] lanes [32, 0, 0] read [l2: 128] write [] at 7
    wait 1 at 8
    wait 2 at 8
    wait 3 at 8
  }
  fill l3[0]: 1024 at 9
  barrier at 10
}
tile {
  barrier at 10
}
`;

const twoTiles = { ...smallMachine, tile: { ...smallMachine.tile, count: 2 } };

describe("text", () => {
  test("has one line for each item, and reads back", () => {
    const trace = parseTrace(EXAMPLE);
    expect(verifyTrace(trace, twoTiles)).toEqual([]);
    expect(printTrace(trace)).toBe(EXAMPLE);
  });

  test("of random traces reads back equal, and they are well formed", () => {
    fc.assert(
      fc.property(arbitraryCase(), ({ trace, config }) => {
        expect(verifyTrace(trace, config).map((d) => d.message)).toEqual([]);
        const text = printTrace(trace);
        expect(parseTrace(text)).toEqual(trace);
        expect(printTrace(parseTrace(text))).toBe(text);
      }),
      { numRuns: 100 },
    );
  });

  test("says where it is wrong and what was expected there", () => {
    const report = (text: string): string => {
      try {
        parseTrace(text, "t.trace");
        return "reads";
      } catch (error) {
        if (!(error instanceof KpuError)) throw error;
        return error.message;
      }
    };
    const changed = (from: string, to: string): string => report(EXAMPLE.replace(from, to));
    expect(report("")).toMatchInlineSnapshot(
      `"t.trace:1:1: error[KPU9010]: expected trace, got the end of the text"`,
    );
    expect(changed("trace 1", "trace 2")).toMatchInlineSnapshot(
      `"t.trace:1:7: error[KPU9010]: version 2 of traces is not known; this is version 1"`,
    );
    expect(changed("mma i8", "mma i9")).toMatchInlineSnapshot(
      `"t.trace:9:9: error[KPU9010]: expected a dtype (i8, u8, i16, u16, i32, u32, f16, bf16, f32, bool, i4, u4, f8e4m3, f8e5m2), got "i9""`,
    );
    expect(changed("[4, 8, 32]", "[4, 8]")).toMatchInlineSnapshot(
      `"t.trace:9:17: error[KPU9010]: expected the sizes m, n, k"`,
    );
    expect(changed("loop 8 {", "loop 8")).toMatchInlineSnapshot(
      `"t.trace:6:9: error[KPU9010]: expected "{", got the end of the line"`,
    );
    expect(changed("load: 2", "valu: 2")).toMatchInlineSnapshot(
      `"t.trace:11:34: error[KPU9010]: valu stands here twice"`,
    );
    expect(changed("bm l3", "mv l3")).toMatchInlineSnapshot(
      `"t.trace:7:5: error[KPU9010]: expected a command (dma, bm, rows, cols, drain, fill, mma, mieu, ecu, spc, core, wait, barrier, begin, end, loop), got "mv""`,
    );
    expect(report(`trace 1 @deep\ntile {\n${"loop 2 {\n".repeat(500)}`)).toMatchInlineSnapshot(
      `"t.trace:402:8: error[KPU9010]: nested more than 400 deep"`,
    );
  });

  test("cut anywhere or with characters changed never crashes the parser", () => {
    const mutation = fc.tuple(
      fc.nat(),
      fc.constantFrom("", "{", "}", "[", "\n", "9", "-", "of", ":", '"', "é"),
      fc.nat(20),
    );
    fc.assert(
      fc.property(arbitraryCase(), mutation, ({ trace, config }, [where, what, length]) => {
        const text = printTrace(trace);
        const at = where % text.length;
        for (const broken of [text.slice(0, at), text.slice(0, at) + what + text.slice(at + length)]) {
          try {
            verifyTrace(parseTrace(broken), config);
          } catch (error) {
            if (!(error instanceof KpuError) || error.code !== "KPU9010") throw error;
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("rules", () => {
  const dma = "dma dram[0]: 64 to l3[0]: 64";
  /** What the items of one tile break. */
  const broken = (...lines: string[]): string[] =>
    verifyTrace(parseTrace(`trace 1 @t\ntile {\n${lines.join("\n")}\n}`), smallMachine).map(
      (d) => `${d.code} ${d.message.replace("@t: ", "")}`,
    );

  test.each([
    [
      "event signalled twice",
      [`${dma} signal 0 at 0`, `${dma} signal 0 at 0`],
      ["KPU9011 event 0 still belongs to another command: wait for it before it is used again"],
    ],
    [
      "after a free event",
      [`${dma} after [1] at 0`],
      ["KPU9011 after names event 1, which belongs to no command"],
    ],
    ["wait for nothing", ["wait 0 at 0"], ["KPU9011 event 0 belongs to no command"]],
    [
      "second round signals a held event",
      ["loop 2 {", `${dma} signal 0 at 0`, "}"],
      ["KPU9011 event 0 still belongs to another command: wait for it before it is used again"],
    ],
    [
      "second round waits for nothing",
      [`${dma} signal 0 at 0`, "loop 2 {", "wait 0 at 0", "}"],
      ["KPU9011 event 0 belongs to no command"],
    ],
    [
      "levels of a mover",
      ["bm dram[0]: 64 to l2[0]: 64 at 0", "drain l2[0]: 64 to l1[0]: 64 at 0"],
      [
        "KPU9011 bm reads from l3, l2, not dram",
        "KPU9011 drain reads from l1, not l2",
        "KPU9011 drain writes to l2, not l1",
      ],
    ],
    [
      "identity changes the size",
      ["dma dram[0]: 64 to l3[0]: 32 at 0"],
      ["KPU9011 identity reads 64 bytes and writes 32"],
    ],
    [
      "more strides than loops",
      ["dma dram[0, 4]: 64 to l3[0]: 64 at 0"],
      ["KPU9011 an address has 1 strides and 0 loops around it"],
    ],
    [
      "span open at the end of a body",
      ['loop 2 {\nbegin "a" at 0\n}', 'end "a" at 0'],
      [
        'KPU9011 the span "a" does not end in the body that begins it',
        "KPU9011 the span that ends is not the innermost open one of this body",
      ],
    ],
    [
      "spans that cross",
      ["begin 1 at 0", "begin 2 at 0", "end 1 at 0", "end 2 at 0"],
      [
        "KPU9011 the span that ends is not the innermost open one of this body",
        "KPU9011 the span that ends is not the innermost open one of this body",
      ],
    ],
    [
      "sizes of a product",
      ["mma i8 [4, 0, 4] os at 0"],
      ["KPU9011 a size of a product is 0, expected an integer from 1"],
    ],
    [
      "dtype without multipliers",
      ["mma bf16 [4, 4, 4] os at 0"],
      ["KPU9012 the fabric of small cannot multiply bf16"],
    ],
    [
      "event that the machine lacks",
      [`${dma} signal 8 at 0`],
      ["KPU9012 a tile of small has 8 events, there is no event 8"],
    ],
    [
      "event beside those of the machine that is not waited for at once",
      [`${dma} signal 8 at 0`, `${dma} signal 0 at 0`, "wait 8 at 0", `${dma} signal 9 at 0`, "wait 9 at 0"],
      [
        "KPU9012 a tile of small has 8 events, there is no event 8",
        "KPU9012 a tile of small has 8 events, there is no event 9",
      ],
    ],
    [
      "address behind the level, in the last round",
      ["loop 9 {", "dma dram[0]: 64 to l3[0, 4096]: 64 at 0", "}"],
      ["KPU9012 bytes up to 32832 of l3 are touched; small has 32768"],
    ],
    [
      "address below 0",
      ["dma dram[0]: 2 of 32 step -64 to l3[0]: 64 at 0"],
      ["KPU9011 bytes from -64 on are touched: an address is at least 0"],
    ],
    [
      "fractions",
      ["core ops [] lanes [0.5, 0, 0] read [] write [] at 0"],
      ["KPU9011 a count of ops is 0.5, expected an integer from 0"],
    ],
  ])("%s", (_, lines, expected) => {
    expect(broken(...lines).map((message) => message.replace(/ in `.*/, ""))).toEqual(expected);
  });

  test("a loop may hand an event from round to round", () => {
    expect(
      broken(`${dma} signal 0 at 0`, "loop 9 {", "wait 0 at 0", `${dma} signal 0 at 0`, "}", "wait 0 at 0"),
    ).toEqual([]);
  });
  test("a loop of no rounds does nothing", () => {
    expect(broken("loop 0 {", "wait 0 at 0", "}")).toEqual([]);
  });
  test("tiles pass the same number of barriers", () => {
    const barrier: Item = { kind: "barrier", at: 0 };
    const trace: Trace = {
      version: 1,
      kernel: "t",
      tiles: [[barrier, barrier], [{ kind: "loop", count: 2, body: [barrier] }]],
    };
    expect(verifyTrace(trace)).toEqual([]);
    expect(() => checkTrace({ ...trace, tiles: [[barrier], []] })).toThrow(
      "tile 0 passes 1 barriers, tile 1 0",
    );
    expect(() => checkTrace(trace, smallMachine)).toThrow("the trace has 2 tiles, small has 1");
  });
});
