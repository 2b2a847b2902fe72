/** Energy: amounts times prices of the configuration, which names their source. Absolute figures are +-30 % at best. */
import { ALL_DTYPES } from "../../ir/dtype.ts";
import type { MachineConfig } from "../schema.ts";
import { LEVELS, UNIT_WORK, UNITS, type UnitWork } from "../trace.ts";
import type { Counts, Quantity } from "./counts.ts";

/** What absolute figures are good for. */
export const ENERGY_ACCURACY = "+-30 % at best";

type Prices = MachineConfig["energy"];

/** Parts of a machine that energy is reported for. */
export const ENERGY_PARTS = [
  ...LEVELS,
  "noc",
  "fabric",
  "units",
  "sfu",
  "vector",
  "scalar",
  "static",
] as const;
export type EnergyPart = (typeof ENERGY_PARTS)[number];

interface Price {
  readonly part: EnergyPart;
  /** pJ of one. */
  readonly pJ: (e: Prices) => number;
}

/** What each amount costs. */
const PRICES = {
  register: { part: "fabric", pJ: (e) => e.bytes.register },
  hop: { part: "fabric", pJ: (e) => e.bytes.hop },
  scalar: { part: "scalar", pJ: (e) => e.scalar },
  int: { part: "vector", pJ: (e) => e.vector.int },
  float: { part: "vector", pJ: (e) => e.vector.float },
  math: { part: "vector", pJ: (e) => e.vector.math },
  // Its ops are a multiply, add or compare of a float each.
  sfu: { part: "sfu", pJ: (e) => e.vector.float },
  noc: { part: "noc", pJ: (e) => e.bytes.noc },
  activation: { part: "dram", pJ: (e) => e.activation },
} as const satisfies { readonly [Q in Quantity]?: Price };

/** Bytes of a count of a histogram, and of an entry of a table. */
const ENTRY = 4;
/**
 * pJ of an item of a unit, made of what the machine pays elsewhere: a float or integer op of a lane, a multiply-accumulate,
 * a transcendental function, an access of local memory for tables and counts.
 */
const UNIT_PRICES: { readonly [W in UnitWork]: (e: Prices) => number } = {
  difference: (e) => e.vector.float,
  compare: (e) => e.vector.int,
  bin: (e) => e.vector.float + e.vector.int + ENTRY * (e.bytes.local.read + e.bytes.local.write),
  digamma: (e) => e.vector.float + ENTRY * e.bytes.local.read,
  log: (e) => e.vector.math,
  exp: (e) => e.vector.math,
  mac: (e) => e.mac.f32 ?? e.vector.float,
  root: (e) => e.vector.math,
};

function priceOf(quantity: Quantity): Price {
  if (quantity in PRICES) return PRICES[quantity as keyof typeof PRICES];
  for (const level of LEVELS)
    for (const way of ["read", "write"] as const)
      if (quantity === `${level} ${way}`) return { part: level, pJ: (e) => e.bytes[level][way] };
  // Every dtype that the fabric runs has a price (`checkMachine`).
  for (const dtype of ALL_DTYPES)
    if (quantity === `mac ${dtype}`) return { part: "fabric", pJ: (e) => e.mac[dtype] ?? 0 };
  for (const unit of UNITS)
    for (const kind of UNIT_WORK)
      if (quantity === `${unit} ${kind}`) return { part: "units", pJ: UNIT_PRICES[kind] };
  throw new TypeError(`${quantity} has no price`);
}

/** pJ of amounts, by part. */
export function energyByPart(counts: Counts, energy: Prices): Map<EnergyPart, number> {
  const parts = new Map<EnergyPart, number>();
  for (const [quantity, amount] of Object.entries(counts) as [Quantity, number][]) {
    const { part, pJ } = priceOf(quantity);
    parts.set(part, (parts.get(part) ?? 0) + amount * pJ(energy));
  }
  return parts;
}

/** pJ of amounts. */
export function energyOf(counts: Counts, energy: Prices): number {
  let sum = 0;
  for (const pJ of energyByPart(counts, energy).values()) sum += pJ;
  return sum;
}
