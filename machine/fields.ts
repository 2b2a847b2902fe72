/** The fields of the configuration as data, and the JSON Schema, both from the schema. */
import { zod } from "../ir/zod.ts";
import { FIELD_PATHS, type FieldPath } from "./coverage.ts";
import { machineSchema } from "./schema.ts";

export interface FieldInfo {
  readonly path: FieldPath;
  readonly unit: string;
  readonly description: string;
  /** What values it takes, in words. */
  readonly expected: string;
}

/** Every field, in the order of the schema. */
export function machineFields(): readonly FieldInfo[] {
  const z = zod();
  const found: FieldInfo[] = [];
  const walk = (type: unknown, keys: readonly string[]): void => {
    if (type instanceof z.ZodObject) {
      for (const [key, inner] of Object.entries(type.shape)) walk(inner, [...keys, key]);
      return;
    }
    const path = FIELD_PATHS.find((f) => f === keys.join("."));
    if (path === undefined) throw new TypeError(`coverage.ts has no ${keys.join(".")}`);
    const meta: Readonly<Record<string, unknown>> = type instanceof z.ZodType ? (type.meta() ?? {}) : {};
    const said = (key: string): string => {
      const text = meta[key];
      if (typeof text !== "string") throw new TypeError(`${path} has no ${key}`);
      return text;
    };
    found.push({
      path,
      unit: said("unit"),
      description: said("description"),
      expected: said("expected"),
    });
  };
  walk(machineSchema(), []);
  return found;
}

/**
 * JSON Schema, draft 2020-12, with the unit behind each description: `Rate of one bank [bytes per control cycle]`. A file
 * may name it as `$schema`, for editors.
 */
export function machineJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = zod().toJSONSchema(machineSchema(), {
    override({ jsonSchema }) {
      const { unit, description } = jsonSchema;
      if (typeof unit === "string" && unit !== "") jsonSchema.description = `${description} [${unit}]`;
      delete jsonSchema["unit"];
      delete jsonSchema["expected"];
    },
  });
  return {
    ...schema,
    title: "KPU machine",
    properties: {
      $schema: { type: "string", description: "This schema, for editors" },
      ...schema.properties,
    },
  };
}
