/** Parameters of ops: what each takes, its default, and the check of what a caller gives. */
import { fail } from "../ir/diagnostic.ts";

/** One parameter. `read` gives its value or the text of what was expected. */
export interface Param<T> {
  readonly initial: T;
  /** What it takes, in words. */
  readonly expected: string;
  readonly accepts: (value: unknown) => value is T;
}
export type ParamTable = { readonly [name: string]: Param<unknown> };
export type Values<T extends ParamTable> = {
  readonly [K in keyof T]: T[K] extends Param<infer V> ? V : never;
};

export function choice<const V extends readonly [string, ...string[]]>(values: V): Param<V[number]> {
  return {
    initial: values[0],
    expected: values.join(", ").replace(/, ([^,]*)$/, " or $1"),
    accepts: (v): v is V[number] => values.some((one) => one === v),
  };
}

export function whole(initial: number, from: number): Param<number> {
  return {
    initial,
    expected: `a whole number from ${from}`,
    accepts: (v): v is number => Number.isSafeInteger(v) && (v as number) >= from,
  };
}

export function real(initial: number, o: { from?: number; to?: number } = {}): Param<number> {
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = o;
  const range = o.to !== undefined ? ` from ${from} to ${to}` : o.from !== undefined ? ` from ${from}` : "";
  return {
    initial,
    expected: `a number${range}`,
    accepts: (v): v is number => typeof v === "number" && Number.isFinite(v) && v >= from && v <= to,
  };
}

export const flag: Param<boolean> = {
  initial: false,
  expected: "true or false",
  accepts: (v): v is boolean => typeof v === "boolean",
};

/** Reads parameters, with defaults for those that are not given. @throws KPU9104 */
export function readParams<T extends ParamTable>(site: string, table: T, given: unknown): Values<T> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return fail("KPU9104", `${site}: expected an object of parameters, got ${JSON.stringify(given)}`);
  const names = Object.keys(table);
  for (const name of Object.keys(given))
    if (!Object.hasOwn(table, name))
      fail("KPU9104", `${site} has no parameter "${name}"`, {
        help: names.length === 0 ? "it has none" : `it has ${names.join(", ")}`,
      });
  const read = names.map((name) => {
    const param = table[name] as Param<unknown>;
    const value: unknown = Reflect.get(given, name);
    if (value === undefined) return [name, param.initial];
    if (!param.accepts(value))
      fail(
        "KPU9104",
        `${site}: ${name}: expected ${param.expected}, got ${JSON.stringify(value) ?? String(value)}`,
      );
    return [name, value];
  });
  return Object.fromEntries(read) as Values<T>;
}
