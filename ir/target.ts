/**
 * The facts of a machine that the language itself needs: how many tiles, how wide a register is, what fits where.
 * The machines of `machine/presets/` take these facts from here and add time and energy, with the sources;
 * `targetOf` of `machine/target.ts` gives them for a machine of one's own.
 */

import { fail } from "./diagnostic.ts";
import { DTYPES, type DTypeName, type Scope } from "./dtype.ts";

export interface Target {
  readonly name: string;
  /** Compute tiles: the default and the largest tile count of a run. */
  readonly tiles: number;
  /** Vector register width in bits: 128, 256, 512 or 1024. */
  readonly registerBits: number;
  /** Bytes per scope; l3 for all tiles together, the others per tile. global is not limited here. */
  readonly capacity: { readonly [K in Exclude<Scope, "global">]: number };
  /** Events per tile. */
  readonly events: number;
  /**
   * Bytes that the place of a vector in its buffer must be a multiple of; a vector of fewer bytes needs its own size,
   * as the next power of two. Absent: any element. Strided and indexed accesses go by elements and are free.
   */
  readonly vectorAlignment?: number | undefined;
}

/** Buffers of a scope begin at multiples of so many bytes. */
const BUFFER_ALIGNMENT = 64;
/** Where the next buffer of a scope begins when the ones before end at a byte. */
export function nextBuffer(end: number): number {
  return Math.ceil(end / BUFFER_ALIGNMENT) * BUFFER_ALIGNMENT;
}

const KB = 1024;
const MB = 1024 * KB;

/** Stream buffers at each row and each column of the fabric. An assumption: the public documents give no size. */
const STREAM_BUFFER = 2 * KB;
/**
 * Accumulators of 32 bits for each processing element: 64 as in Gemmini's default configuration, 64 KB beside an array of
 * 16 x 16 (Genc et al., DAC 2021). The TPU has 16, 4 MB beside 256 x 256 (Jouppi et al., ISCA 2017).
 */
const ACCUMULATORS = 64;

/** Bytes of memory at and in a fabric of so many rows and columns. */
export function fabric(rows: number, cols: number): { readonly l1: number; readonly acc: number } {
  return { l1: (rows + cols) * STREAM_BUFFER, acc: rows * cols * ACCUMULATORS * 4 };
}

export const TARGETS = {
  minimal: {
    name: "minimal",
    tiles: 1,
    registerBits: 256,
    capacity: { l3: 128 * KB, l2: 128 * KB, ...fabric(8, 8), local: 32 * KB, private: 8 * KB },
    events: 8,
  },
  edge: {
    name: "edge",
    tiles: 2,
    registerBits: 256,
    capacity: { l3: 2 * MB, l2: 512 * KB, ...fabric(16, 16), local: 64 * KB, private: 8 * KB },
    events: 16,
  },
  "swkpu-v1": {
    name: "swkpu-v1",
    tiles: 1,
    registerBits: 256,
    capacity: { l3: 2 * MB, l2: 256 * KB, ...fabric(32, 32), local: 32 * KB, private: 8 * KB },
    events: 4,
  },
  embodied: {
    name: "embodied",
    tiles: 64,
    registerBits: 256,
    capacity: { l3: 16 * MB, l2: MB, ...fabric(24, 24), local: 32 * KB, private: 8 * KB },
    events: 16,
  },
  t64: {
    name: "t64",
    tiles: 32,
    registerBits: 256,
    capacity: { l3: 16 * MB, l2: 256 * KB, ...fabric(32, 32), local: 32 * KB, private: 8 * KB },
    events: 16,
  },
  t256: {
    name: "t256",
    tiles: 128,
    registerBits: 256,
    capacity: { l3: 64 * MB, l2: 512 * KB, ...fabric(32, 32), local: 64 * KB, private: 8 * KB },
    events: 16,
  },
  t768: {
    name: "t768",
    tiles: 384,
    registerBits: 256,
    capacity: { l3: 192 * MB, l2: 512 * KB, ...fabric(16, 8), local: 64 * KB, private: 8 * KB },
    events: 16,
  },
  "itpu-v0": {
    name: "itpu-v0",
    tiles: 1,
    registerBits: 256,
    capacity: { l3: 128 * KB, l2: 4 * MB, ...fabric(8, 8), local: 64 * KB, private: 8 * KB },
    events: 16,
  },
} as const satisfies Record<string, Target>;

export type TargetName = keyof typeof TARGETS;
export const DEFAULT_TARGET: Target = TARGETS.edge;
/** No machine of the presets has more; the bound of what `tileCount()` can be. */
export const MAX_TILES = 1024;

/** Bits that a vector register may have. */
export const REGISTER_BITS: readonly number[] = [128, 256, 512, 1024];

/** What is wrong with a target, as the end of a sentence; undefined when nothing is. */
export function targetProblem(t: Target): string | undefined {
  const whole = (n: number, least = 0, most = Number.MAX_SAFE_INTEGER): boolean =>
    Number.isSafeInteger(n) && n >= least && n <= most;
  if (!whole(t.tiles, 1, MAX_TILES)) return `must have 1 to ${MAX_TILES} tiles, got ${t.tiles}`;
  if (!REGISTER_BITS.includes(t.registerBits))
    return `must have registers of ${REGISTER_BITS.join(", ")} bits, got ${t.registerBits}`;
  const scope = Object.entries(t.capacity).find(([, bytes]) => !whole(bytes));
  if (scope !== undefined) return `must have a whole number of bytes of ${scope[0]}, got ${scope[1]}`;
  if (!whole(t.events)) return `must have a whole number of events, got ${t.events}`;
  if (t.vectorAlignment !== undefined && !whole(t.vectorAlignment, 1))
    return `must have a vectorAlignment of at least 1, got ${t.vectorAlignment}`;
  return undefined;
}

/**
 * Accepts a preset name or a target record of one's own.
 * @throws KPU6006 for a name that is none, and a record that is no machine
 */
export function resolveTarget(t: TargetName | Target | undefined): Target {
  if (t === undefined) return DEFAULT_TARGET;
  if (typeof t !== "string") {
    const wrong = targetProblem(t);
    return wrong === undefined ? t : fail("KPU6006", `target ${t.name} ${wrong}`);
  }
  const found = (TARGETS as Record<string, Target>)[t];
  if (found) return found;
  return fail("KPU6006", `unknown target "${t}"`, { help: `use one of ${Object.keys(TARGETS).join(", ")}` });
}

/** Lanes of one register: what `vload` takes when it is not told. */
export function registerLanes(target: Target, dtype: DTypeName): number {
  return target.registerBits / DTYPES[dtype].laneBits;
}
