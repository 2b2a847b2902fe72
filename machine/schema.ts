/**
 * The configuration of a machine: everything that time, traffic and energy depend on. One schema; unknown keys are
 * refused. Every field carries its unit and what it means, from which errors and the JSON Schema are made; which
 * mode it changes says `coverage.ts`.
 *
 * "Cycle" alone is a cycle of the clock that a part runs on: the memory clock for dram, the fabric clock for the fabric
 * and the special function unit, the control clock for all else.
 */
import type { z } from "zod";
import { ALL_DTYPES, type DTypeName } from "../ir/dtype.ts";
import { MAX_TILES } from "../ir/target.ts";
import { zod } from "../ir/zod.ts";
import { shown } from "./shown.ts";
import { UNIT_WORK } from "./trace.ts";

/** The unit of a text. */
const NO_UNIT = "";

/** An error says what the field takes, and what it found. */
const expecting = (expected: string) => ({
  error: (issue: { readonly input?: unknown }) =>
    issue.input === undefined
      ? `expected ${expected}, found nothing`
      : `expected ${expected}, got ${shown(issue.input)}`,
});

function field<T extends z.ZodType>(type: T, unit: string, description: string, expected: string): T {
  return type.meta({ description, unit, expected });
}

type NumberField = (unit: string, description: string) => z.ZodNumber;
const FROM_0 = "a number from 0";
const ABOVE_0 = "a number above 0";
const notNegative: NumberField = (unit, description) =>
  field(zod().number(expecting(FROM_0)).nonnegative(expecting(FROM_0)), unit, description, FROM_0);
const positive: NumberField = (unit, description) =>
  field(zod().number(expecting(ABOVE_0)).positive(expecting(ABOVE_0)), unit, description, ABOVE_0);

/** 1 / (1 / 49) is not quite 49. */
const isWhole = (x: number): boolean => Math.abs(x - Math.round(x)) < 1e-9;
const RATE = "a whole number or one over a whole number, as 4 or 0.25";
const rate: NumberField = (unit, description) => {
  const type = zod()
    .number(expecting(RATE))
    .positive({ ...expecting(RATE), abort: true });
  return field(
    type.refine((r) => isWhole(r >= 1 ? r : 1 / r), expecting(RATE)),
    unit,
    description,
    RATE,
  );
};

function whole(unit: string, description: string, { from = 1, to }: { from?: number; to?: number } = {}) {
  const expected = `a whole number from ${from}${to === undefined ? "" : ` to ${to}`}`;
  const type = zod().int(expecting(expected)).min(from, expecting(expected));
  return field(to === undefined ? type : type.max(to, expecting(expected)), unit, description, expected);
}
const natural = (unit: string, description: string) => whole(unit, description, { from: 0 });

function text(description: string) {
  const expected = "a text that is not empty";
  return field(zod().string(expecting(expected)).min(1, expecting(expected)), NO_UNIT, description, expected);
}

function oneOf<const T extends readonly [string, ...string[]]>(names: T, description: string) {
  const expected = names.join(", ").replace(/, ([^,]*)$/, " or $1");
  return field(zod().enum(names, expecting(expected)), NO_UNIT, description, expected);
}

function section<T extends z.ZodRawShape>(shape: T) {
  return zod().strictObject(shape, {
    error: (issue) => (issue.code === "invalid_type" ? expecting("an object").error(issue) : undefined),
  });
}

/** A number for each dtype that has one. */
function dtypeTable(value: NumberField, unit: string, description: string) {
  const names = zod().enum(ALL_DTYPES as unknown as [DTypeName, ...DTypeName[]]);
  const expected = `an object of dtypes, each with ${value(unit, description).meta()?.["expected"]}`;
  return field(
    zod().partialRecord(names, value(unit, description), expecting(expected)),
    unit,
    description,
    expected,
  );
}

const classCost = (ops: string) =>
  section({
    latency: natural("control cycles", `From issue to result, of ${ops}`),
    interval: whole("control cycles", `From one to the next that can issue, of ${ops}`),
  });

/** Units of a kind, and what one of them does in a cycle. */
const units = (purpose: string) => {
  const value = rate("items per control cycle", "");
  const expected = `an object of kinds of work, each with ${RATE}`;
  return section({
    count: natural("units", `Per compute tile, for ${purpose}; 0 where it has none`),
    startup: natural("control cycles", "From the command to the first item"),
    bytesPerCycle: positive("bytes per control cycle", "Rate of the port of one unit to L2"),
    perCycle: field(
      zod().partialRecord(zod().enum(UNIT_WORK), value, expecting(expected)),
      "items per control cycle",
      "Of one unit, of each kind of work that it does; kinds are worked on at the same time",
      expected,
    ),
  });
};

const readWrite = (level: string) =>
  section({
    read: notNegative("pJ per byte", `Read of ${level}`),
    write: notNegative("pJ per byte", `Write of ${level}`),
  });

const NAME = "a name of letters, digits, dots, hyphens and underscores";

const makeSchema = () =>
  section({
    schema: field(zod().literal(1, expecting("1")), NO_UNIT, "Version of this schema", "1"),
    name: field(
      zod()
        .string(expecting(NAME))
        .regex(/^[A-Za-z0-9][\w.-]*$/u, expecting(NAME)),
      NO_UNIT,
      "Name of the machine, which kernels see as S.target.name",
      NAME,
    ),
    version: text("Version of the machine's description"),
    source: text("Where the figures come from, and which are assumptions"),
    clocks: section({
      control: positive("Hz", "Clock of cores, engines, network and on-chip memories"),
      fabric: positive("Hz", "Clock of the fabrics and special function units"),
      memory: positive("Hz", "Clock of the DRAM interface, in which its latencies count"),
    }),
    dram: section({
      technology: text("Kind of memory, as LPDDR5; the energy constants are of this kind"),
      channels: whole("channels", "Independent channels; addresses take turns on them"),
      bytesPerCycle: positive("bytes per memory cycle", "Rate of one channel"),
      latency: section({
        rowHit: natural("memory cycles", "Wait of an access to the open row"),
        rowEmpty: natural("memory cycles", "Wait of an access while no row is open"),
        rowConflict: natural("memory cycles", "Wait of an access while another row is open"),
      }),
      pageBytes: whole("bytes", "A row of one bank"),
      banks: whole("banks", "Banks of a channel, each with one open row"),
      interleaveBytes: whole("bytes", "Consecutive addresses that stay on a channel"),
      capacityBytes: whole("bytes", "All channels together"),
    }),
    dma: section({
      engines: whole("engines", "Between DRAM and L3"),
      bytesPerCycle: positive("bytes per control cycle", "Rate of one engine"),
      startup: natural("control cycles", "From the command to its first byte"),
      window: whole("transfers", "Under way at a time in one engine"),
      burstBytes: whole(
        "bytes",
        "A contiguous run moves in bursts of this size; a shorter one costs a whole one",
      ),
    }),
    l3: section({
      tiles: whole("L3 tiles", "Memory tiles, shared by all compute tiles"),
      bytesPerTile: whole("bytes", "Of one L3 tile"),
      banks: whole("banks", "Of one L3 tile; they work at the same time"),
      bytesPerCycle: positive("bytes per control cycle", "Rate of one bank"),
    }),
    noc: section({
      topology: oneOf(["none", "mesh", "torus"], "How L3 tiles, compute tiles and memory are connected"),
      linkBytesPerCycle: positive("bytes per control cycle", "Rate of one link in one direction"),
      hopCycles: natural("control cycles", "Router and link to the next node"),
    }),
    tile: section({
      count: whole("compute tiles", "Each runs one instance of a kernel", { to: MAX_TILES }),
      l2: section({
        banks: whole("banks", "Of one compute tile; they work at the same time"),
        bytesPerBank: whole("bytes", "Of one bank"),
        bytesPerCycle: positive("bytes per control cycle", "Rate of one bank"),
      }),
      local: section({ bytes: whole("bytes", "Scratch memory of the vector core, per compute tile") }),
      private: section({ bytes: whole("bytes", "Registers and stack, per compute tile") }),
      blockMovers: section({
        count: whole("block movers", "Per compute tile, between L3 and its L2"),
        bytesPerCycle: positive("bytes per control cycle", "Rate of one block mover"),
        startup: natural("control cycles", "From the command to its first byte"),
      }),
      streamers: section({
        rows: whole("streams", "Per compute tile, that feed the rows of the fabric; they divide them evenly"),
        cols: whole(
          "streams",
          "Per compute tile, that feed the columns of the fabric; they divide them evenly",
        ),
        drain: whole(
          "streams",
          "Per compute tile, that take results from the columns; they divide them evenly",
        ),
        bytesPerCycle: positive("bytes per control cycle", "Rate of one stream"),
        startup: natural("control cycles", "From the command to its first byte"),
      }),
      fabric: section({
        rows: whole("processing elements", "Rows of the array"),
        cols: whole("processing elements", "Columns of the array"),
        macs: dtypeTable(
          rate,
          "MACs per fabric cycle",
          "Of one processing element; a dtype that is missing cannot run",
        ),
        fillCycles: natural("fabric cycles", "From an operand at the edge to the first processing element"),
      }),
      vector: section({
        bits: field(
          zod().literal([128, 256, 512, 1024], expecting("128, 256, 512 or 1024")),
          "bits",
          "Width of a vector register",
          "128, 256, 512 or 1024",
        ),
        issue: section({
          scalar: whole("ops per control cycle", "Of the scalar unit"),
          vector: whole("ops per control cycle", "Of the vector unit"),
          memory: whole("ops per control cycle", "Loads and stores of the core"),
        }),
        costs: section({
          scalar: classCost("scalar arithmetic"),
          branch: classCost("control flow"),
          valu: classCost("lanewise add, logic, compare, select"),
          vmul: classCost("lanewise multiply and fused multiply-add"),
          vdiv: classCost("lanewise division and square root"),
          vmath: classCost("lanewise transcendental functions"),
          vperm: classCost("lane permutations"),
          vreduce: classCost("reductions over the lanes"),
          load: classCost("loads"),
          store: classCost("stores"),
        }),
      }),
      units: section({
        mieu: units("mutual information"),
        ecu: units("entropies and densities"),
        spc: units("plasticity"),
      }),
      sfu: section({
        lanes: whole("elements per fabric cycle", "That the special function unit takes on the drain path"),
        latency: natural("fabric cycles", "From an element to its result"),
      }),
      events: whole("events", "That a compute tile can hold at a time"),
      commands: section({
        issue: natural(
          "control cycles",
          "In which a core gives a command to an engine, or asks for an event",
        ),
        queue: whole("commands", "That wait in an engine; a core with one more stands still"),
      }),
    }),
    energy: section({
      source: text("Where the constants come from, and which are assumptions"),
      node: positive("nm", "Process of the chip; the energy constants are of this node"),
      mac: dtypeTable(
        notNegative,
        "pJ per MAC",
        "Multiply-accumulate of the fabric, for each dtype that it runs",
      ),
      vector: section({
        int: notNegative("pJ per lane", "Integer op of the vector unit"),
        float: notNegative("pJ per lane", "Float op of the vector unit"),
        math: notNegative("pJ per lane", "Transcendental function of the vector unit"),
      }),
      scalar: notNegative("pJ per op", "Op of the scalar unit, with its fetch"),
      bytes: section({
        register: notNegative("pJ per byte", "Register of a processing element"),
        hop: notNegative("pJ per byte", "From one processing element to the next"),
        l1: readWrite("the stream buffers at the edge of the fabric"),
        local: readWrite("local memory"),
        l2: readWrite("L2"),
        l3: readWrite("L3"),
        dram: readWrite("DRAM, with its interface"),
        noc: notNegative("pJ per byte and hop", "Router and link of the network"),
      }),
      activation: notNegative("pJ per row", "DRAM row that is opened"),
      staticPerCycle: notNegative(
        "pJ per control cycle",
        "The whole machine, whatever it does: leakage and clock",
      ),
    }),
  });

let schema: ReturnType<typeof makeSchema> | undefined;

/** The schema, made when something is first checked. Who checks a machine uses `check.ts`, which also knows the rules between fields. */
export function machineSchema(): ReturnType<typeof makeSchema> {
  schema ??= makeSchema();
  return schema;
}

export type MachineConfig = z.infer<ReturnType<typeof makeSchema>>;
