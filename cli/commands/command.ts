/** The shape of a command, and the options that several have, parsed. */
import { z } from "zod";
import { fail } from "../../ir/diagnostic.ts";
import { MACHINE_NAMES, targetNamed } from "../machines.ts";

export interface Command {
  /** As cac reads it: `check <...files>`. */
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly (readonly [flags: string, text: string])[];
  readonly examples: readonly string[];
  /** Gives the exit code. */
  run(args: readonly unknown[], options: unknown): number | Promise<number>;
}

/** cac gives numbers for what looks like one, and an array for what is repeated. */
export const text = z.union([z.string(), z.number()]).transform(String);
export const texts = z
  .union([text, z.array(text)])
  .transform((v) => (Array.isArray(v) ? v : [v]))
  .default([]);
export const flag = z.boolean().default(false);
const whole = (text: string) => ({
  error: (issue: { readonly input?: unknown }) => `expected ${text}, got ${String(issue.input)}`,
});
export const count = z.int(whole("a whole number from 1")).positive(whole("a whole number from 1"));
export const oneOf = <const T extends readonly string[]>(names: T) =>
  z.enum(names, whole(names.join(", ").replace(/, ([^,]*)$/, " or $1")));
export const integer = z.int(whole("a whole number"));
/** A preset or a machine file. */
export const target = text.transform(targetNamed).optional();

/** The name of an option on the command line: `memory-trace` of `memoryTrace`. */
export const flagOf = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** Options by a schema; a mismatch is wrong use. */
export function parse<T extends z.ZodType>(schema: T, options: unknown): z.infer<T> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  return fail("KPU8001", `option --${issue?.path.join(".")}: ${issue?.message}`, { help: "see kpu --help" });
}

export const TARGET_OPTION = ["--target <name>", `${MACHINE_NAMES}; default: edge`] as const;
export const KERNEL_OPTION = ["--kernel <name>", "Which kernel, where the file has several"] as const;
export const JSON_OPTION = ["--json", "Print JSON"] as const;
