/** Machine files: what is wrong is said by field, where it stands, with what to write; right ones pass unchanged. */

import fc from "fast-check";
import { build, f32, i32, KpuError, kernel, ptr, S, simulate } from "kpu-dsl";
import { describe, expect, test } from "vitest";
import type { Diagnostic } from "../../ir/diagnostic.ts";
import { checkMachine, parseMachine } from "../../machine/check.ts";
import { FIELD_PATHS, type FieldPath, withField } from "../../machine/coverage.ts";
import { PRESET_NAMES, PRESETS } from "../../machine/presets/index.ts";
import { RULES, withoutEffect } from "../../machine/rules.ts";
import { type MachineConfig, machineSchema } from "../../machine/schema.ts";
import { targetOf } from "../../machine/target.ts";
import { UNITS } from "../../machine/trace.ts";
import { smallMachine } from "./machines.ts";

const edge = { ...PRESETS.edge, name: "mine" };
const edgeText = JSON.stringify(edge, null, 2);

function findings(run: () => unknown): readonly Diagnostic[] {
  try {
    run();
  } catch (error) {
    if (error instanceof KpuError) return error.diagnostics;
    throw error;
  }
  return [];
}
const said = (run: () => unknown): readonly string[] =>
  findings(run).map((d) => `${d.code} ${d.message}${d.help === undefined ? "" : ` | ${d.help}`}`);

test("presets, and what is written of them, pass unchanged", () => {
  for (const machine of [...Object.values(PRESETS), smallMachine]) {
    expect(checkMachine(machine)).toEqual(machine);
    expect(parseMachine(JSON.stringify(machine), "m.json")).toEqual(machine);
  }
});

test("$schema is for editors", () => {
  expect(parseMachine(JSON.stringify({ $schema: "./machine.schema.json", ...edge }), "m.json")).toEqual(edge);
  expect(said(() => checkMachine({ $schema: "x", ...edge }))[0]).toContain("$schema: there is no such field");
});

describe("unknown keys", () => {
  test.each([
    ["dram", "chanels", 'did you mean "channels"?'],
    ["dram", "page_bytes", 'did you mean "pageBytes"?'],
    ["tile.fabric.macs", "f31", 'did you mean "f32"?'],
    ["tile.fabric.macs", "int8", "there are i8, u8, f16, bf16, f32"],
    ["dram", "hopCycles", "did you mean noc.hopCycles?"],
    ["noc", "zzz", "there are topology, linkBytesPerCycle, hopCycles"],
  ])("%s.%s", (section, key, help) => {
    const path = section.split(".");
    const add = (part: unknown, [first, ...rest]: readonly string[]): unknown => {
      const object = { ...(part as Readonly<Record<string, unknown>>) };
      if (first === undefined) return { ...object, [key]: 1 };
      return { ...object, [first]: add(object[first], rest) };
    };
    expect(said(() => checkMachine(add(edge, path)))).toContain(
      `KPU9005 ${section}.${key}: there is no such field | ${help}`,
    );
  });
});

test("all mistakes of a file come together, in its order, each where it stands", () => {
  const text = edgeText
    .replace('"control": 1000000000', '"control": "1 GHz"')
    .replace('"engines": 2,', "")
    .replace('"topology": "mesh"', '"topology": "ring"')
    .replace('"events": 16', '"events": 16, "evnets": 4');
  const lines = text.split("\n");
  const found = findings(() => parseMachine(text, "m.json")).map((d) => ({
    field: d.data?.["path"],
    message: d.message,
    stands: lines[(d.location?.line ?? 0) - 1]?.slice(
      (d.location?.column ?? 0) - 1,
      (d.location?.endColumn ?? 0) - 1,
    ),
  }));
  expect(found).toEqual([
    {
      field: "clocks.control",
      message: 'clocks.control: expected a number above 0, got "1 GHz"',
      stands: '"1 GHz"',
    },
    {
      field: "dma.engines",
      message: "dma.engines: expected a whole number from 1, found nothing",
      stands: "{",
    },
    {
      field: "noc.topology",
      message: 'noc.topology: expected none, mesh or torus, got "ring"',
      stands: '"ring"',
    },
    { field: "tile.evnets", message: "tile.evnets: there is no such field", stands: '"evnets"' },
  ]);
});

describe("rules between fields", () => {
  const CASES: readonly (readonly [FieldPath, unknown, string])[] = [
    ["name", "t64", "reports would name the wrong machine: choose another name"],
    ["clocks.control", 900, "for 900 MHz write 900000000"],
    ["clocks.fabric", 1200, "for 1200 MHz write 1200000000"],
    ["clocks.memory", 0.8, "for 0.8 MHz write 800000"],
    ["dram.latency.rowEmpty", 21, "dram.latency.rowHit is 22: write 22 or more"],
    ["dram.latency.rowConflict", 35, "dram.latency.rowEmpty is 36: write 36 or more"],
    ["dma.burstBytes", 48, "write 32 or 64"],
    ["dram.interleaveBytes", 300, "write 256 or 512"],
    ["dram.interleaveBytes", 32, "dma.burstBytes is 64: write 64"],
    ["dram.pageBytes", 1500, "write 1024 or 2048"],
    ["dram.pageBytes", 128, "dram.interleaveBytes is 256: write 256"],
    [
      "dram.capacityBytes",
      1e9,
      "dram.channels x dram.banks x dram.pageBytes is 65536: write 999948288 or 1000013824",
    ],
    ["l3.bytesPerTile", 1001, "l3.banks is 8: write 1000 or 1008"],
    ["l3.bytesPerTile", 2 ** 40, "l3.tiles x l3.bytesPerTile is 2199023255552 bytes"],
    ["tile.l2.bytesPerBank", 1000, "tile.vector.bits / 8 is 32: write 992 or 1024"],
    ["tile.l2.bytesPerBank", 2 ** 40, "tile.l2.banks x tile.l2.bytesPerBank is 8796093022208 bytes"],
    ["tile.local.bytes", 16, "tile.vector.bits / 8 is 32: write 32"],
    ["tile.private.bytes", 33, "tile.vector.bits / 8 is 32: write 32 or 64"],
    ["tile.streamers.rows", 3, "tile.fabric.rows is 16: write 1, 2, 4, 8 or 16"],
    ["tile.streamers.cols", 32, "tile.fabric.cols is 16: write 1, 2, 4, 8 or 16"],
    ["tile.streamers.drain", 5, "tile.fabric.cols is 16: write 1, 2, 4, 8 or 16"],
    ["tile.fabric.macs", {}, 'write {"f32": 1} for one multiply-accumulate of f32 per cycle'],
    ["tile.fabric.macs", { ...edge.tile.fabric.macs, bool: 1 }, "leave bool out"],
    ["tile.fabric.macs", { ...edge.tile.fabric.macs, i16: 1 }, ""],
    ...UNITS.map(
      (unit) =>
        [
          `tile.units.${unit}.count`,
          1,
          `give tile.units.${unit}.perCycle what they do, as {"compare": 1} for one comparison per cycle`,
        ] as const,
    ),
    ["energy.mac", { i8: 1 }, "the fabric runs u8, f16, bf16, f32: add what a multiply-accumulate costs"],
    ["energy.mac", { ...edge.energy.mac, i16: 1 }, "the fabric does not run i16: leave it out"],
  ];
  test("each is here", () => {
    expect(new Set(CASES.map(([field]) => field))).toEqual(new Set(RULES.map((r) => r.field)));
  });
  test.each(CASES)("%s = %j", (field, value, help) => {
    // With a third dtype only the energy is missing.
    const reported = help === "" ? "energy.mac" : field;
    const found = findings(() => checkMachine(withField(edge, field, value)));
    expect(found).toContainEqual(
      expect.objectContaining({
        code: "KPU9005",
        data: { path: reported },
        ...(help === "" ? {} : { help }),
      }) as Diagnostic,
    );
    // What the message asks for is a rule of the table.
    expect(
      RULES.some((r) => found.some((d) => d.message.startsWith(`${r.field}: expected ${r.rule}, got `))),
    ).toBe(true);
  });
  test("a preset under its own name stays as it is", () => {
    expect(checkMachine(PRESETS.edge)).toEqual(PRESETS.edge);
    expect(said(() => checkMachine(withField(PRESETS.edge, "dma.startup", 3)))).toEqual([
      'KPU9005 name: expected a name that no preset has, unless all is as in the preset, got "edge" | reports would name the wrong machine: choose another name',
    ]);
  });
});

test("whatever stands in a field, there is a machine or a report, and the field is named", () => {
  const value = fc.oneof(fc.jsonValue(), fc.integer(), fc.double(), fc.constant(undefined), fc.bigInt());
  fc.assert(
    fc.property(fc.constantFrom(...FIELD_PATHS), value, (field, x) => {
      const found = findings(() => checkMachine(withField(edge, field, x)));
      if (found.length > 0) {
        expect(found.every((d) => d.code === "KPU9005" && d.help !== undefined && d.help !== "")).toBe(true);
        // In the message of a rule it may be the other field.
        for (const d of found) expect(`${d.message} ${d.help}`).toContain(field);
      }
    }),
    { numRuns: 400 },
  );
});

describe("a machine of one's own", () => {
  const sum = kernel([ptr(f32), ptr(f32), i32], function sum(x, out, n) {
    if (S.tileId() !== 0) return;
    let total = 0;
    for (let i = 0; i < n; i++) total = S.f32(total + x.get(i));
    out.set(0, total);
    out.set(1, S.target.lanes(f32));
  });
  test("any that passes is a compile target, with the same bits in both executions", () => {
    const changes = fc.record({
      from: fc.constantFrom(...PRESET_NAMES),
      count: fc.integer({ min: 1, max: 16 }),
      bits: fc.constantFrom(128 as const, 256 as const, 512 as const, 1024 as const),
      banks: fc.integer({ min: 1, max: 16 }),
    });
    fc.assert(
      fc.property(changes, ({ from, count, bits, banks }) => {
        const preset = PRESETS[from];
        const machine: MachineConfig = checkMachine({
          ...preset,
          name: "mine",
          tile: {
            ...preset.tile,
            count,
            vector: { ...preset.tile.vector, bits },
            l2: { ...preset.tile.l2, banks },
          },
        });
        const target = targetOf(machine);
        expect(target.capacity.l2).toBe(banks * preset.tile.l2.bytesPerBank);
        const x = Float32Array.of(0.1, 0.2, 0.3);
        const [direct, compiled] = [new Float32Array(2), new Float32Array(2)];
        simulate(sum, [x, direct, 3], { target });
        build(sum, { target }).run(x, compiled, 3);
        expect(direct[1]).toBe(bits / 32);
        expect(compiled).toEqual(direct);
      }),
      { numRuns: 15 },
    );
  });
});

test("what a machine declares in vain is said", () => {
  expect(withoutEffect(PRESETS.edge)).toEqual([]);
  expect(withoutEffect(PRESETS.minimal).map((w) => w.field)).toEqual(["dram.interleaveBytes"]);
  expect(withoutEffect(smallMachine).map((w) => w.field)).toEqual([
    "noc.linkBytesPerCycle",
    "noc.hopCycles",
    "energy.bytes.noc",
    "dram.interleaveBytes",
  ]);
  const idle = withField(PRESETS["itpu-v0"], "tile.units.spc.count", 0);
  expect(withoutEffect(machineSchema().parse(idle)).map((w) => w.field)).toEqual([
    "tile.units.spc.startup",
    "tile.units.spc.bytesPerCycle",
    "tile.units.spc.perCycle",
  ]);
});
