/** The keys of a manifest that do not follow from the rest of a file, as they come from outside. */
import type { z as Zod } from "zod";
import { ALL_DTYPES, type DTypeName, SCOPES } from "../../ir/dtype.ts";
import { TENSOR_ROLES } from "../../ir/program.ts";
import { zod } from "../../ir/zod.ts";

/** The part of a manifest that is declared. */
export type Declared = Zod.infer<ReturnType<typeof declaredSchema>>;

const makeDeclared = (z: typeof Zod) => {
  const text = z.string();
  const whole = z.int().nonnegative();
  const amount = z.number().nonnegative();
  const dtype = z.enum(ALL_DTYPES as readonly [DTypeName, ...DTypeName[]]);
  const scope = z.enum(SCOPES);
  const extent = z.union([whole, text]);
  const target = z.strictObject({
    name: text,
    tiles: z.int(),
    registerBits: z.int(),
    capacity: z.strictObject({ l3: whole, l2: whole, l1: whole, acc: whole, local: whole, private: whole }),
    events: whole,
    vectorAlignment: whole.exactOptional(),
  });
  const tensor = z.strictObject({
    name: text,
    dtype,
    shape: z.array(extent).exactOptional(),
    role: z.enum(TENSOR_ROLES),
    param: text.exactOptional(),
  });
  const tiling = z.strictObject({
    tileSizes: z.partialRecord(scope, z.record(text, z.int())),
    loopOrder: z.array(z.strictObject({ level: scope, dim: text })),
    doubleBuffer: z.array(scope),
    prefetchDistance: z.int(),
  });
  const op = z.strictObject({
    name: text,
    kind: text,
    span: whole.exactOptional(),
    dims: z.record(text, extent),
    inputs: z.array(text),
    outputs: z.array(text),
    attributes: z.record(text, z.union([text, z.number(), z.boolean()])).exactOptional(),
    tiling: tiling.exactOptional(),
    fusedWith: z.array(text).exactOptional(),
  });
  const bytes = z.strictObject({ read: amount, written: amount });
  const traffic = z.strictObject({ dram: bytes, l3: bytes, l2: bytes, local: bytes });
  const metrics = z.strictObject({
    source: text,
    machine: text,
    tiles: whole,
    arguments: z.array(z.union([z.number(), z.boolean(), text, z.strictObject({ bytes: whole }), z.null()])),
    clock: z.strictObject({ name: text, hz: amount }),
    totalCycles: amount,
    totalTimeUs: amount,
    computeCycles: amount,
    memoryStallCycles: amount,
    otherCycles: amount,
    macs: amount,
    computeUtilization: amount,
    memoryBandwidthUtilization: amount,
    traffic,
    totalEnergyUj: amount.exactOptional(),
    averagePowerWatts: amount.exactOptional(),
    ops: z.array(
      z.strictObject({
        op: text,
        cycles: amount,
        macs: amount,
        traffic,
        energyUj: amount.exactOptional(),
      }),
    ),
  });
  return z.strictObject({
    target,
    checks: z.boolean(),
    tensors: z.array(tensor),
    ops: z.array(op),
    schedule: z.array(text),
    estimates: metrics.exactOptional(),
    measured: metrics.exactOptional(),
  });
};
let declared: ReturnType<typeof makeDeclared> | undefined;
/** What is declared, alone. */
export function declaredSchema(): ReturnType<typeof makeDeclared> {
  declared ??= makeDeclared(zod());
  return declared;
}

const makeManifest = (z: typeof Zod) =>
  z.looseObject({
    ...declaredSchema().shape,
    constants: z.array(
      z.looseObject({
        dtype: z.enum(ALL_DTYPES as readonly [DTypeName, ...DTypeName[]]),
        elements: z.int().nonnegative(),
      }),
    ),
  });
let manifest: ReturnType<typeof makeManifest> | undefined;
/** What a reader needs of a manifest; the other keys are compared with those that it makes itself. */
export function manifestSchema(): ReturnType<typeof makeManifest> {
  manifest ??= makeManifest(zod());
  return manifest;
}
