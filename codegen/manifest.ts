/** The manifest of a program file: what it says about itself, as JSON. */
import type { z as Zod } from "zod";
import { ALL_DTYPES, type DTypeName } from "../ir/dtype.ts";
import { zod } from "../ir/zod.ts";

export const PROGRAM_VERSION = 1;

const makeSchema = (z: typeof Zod) => {
  const bytes = z.number().int().nonnegative();
  return z.strictObject({
    name: z.string(),
    version: z.literal(PROGRAM_VERSION),
    /** SHA-256 of the source section. */
    sourceHash: z.string().regex(/^[0-9a-f]{64}$/u),
    target: z.strictObject({
      name: z.string(),
      tiles: z.number().int().min(1).max(1024),
      registerBits: z.union([z.literal(128), z.literal(256), z.literal(512), z.literal(1024)]),
      /** l1 and acc are 0 where absent: files from before they were there are read as they were. */
      capacity: z.strictObject({
        l3: bytes,
        l2: bytes,
        l1: bytes.default(0),
        acc: bytes.default(0),
        local: bytes,
        private: bytes,
      }),
      events: bytes,
      vectorAlignment: bytes.optional(),
    }),
    params: z.array(
      z.strictObject({
        name: z.string(),
        dtype: z.enum(ALL_DTYPES as [DTypeName, ...DTypeName[]]),
        pointer: z.boolean(),
        constant: z.boolean(),
        /** Absent where it does not hold, so that files from before it are read as they were. */
        noalias: z.boolean().exactOptional(),
      }),
    ),
    checks: z.boolean(),
    memory: z.strictObject({ program: bytes, perTile: bytes }),
  });
};
let schema: ReturnType<typeof makeSchema> | undefined;
export function manifestSchema(): ReturnType<typeof makeSchema> {
  schema ??= makeSchema(zod());
  return schema;
}
export type Manifest = Zod.infer<ReturnType<typeof makeSchema>>;
