/** The text of `S.print`, made in one place so that both executions print the same characters. */
import type { DTypeName, Scope } from "./dtype.ts";

/** What a print shows. Vectors and masks are their lanes; `text` is shown as it is (pointers, events). */
export type FormatValue =
  | number
  | boolean
  | { readonly dtype: DTypeName; readonly data: readonly number[] }
  | { readonly mask: readonly number[] }
  | { readonly text: string };

/**
 * The line that a print makes on a tile: `{}` takes the next value, values without a placeholder follow at the end, and a
 * placeholder without a value stays. Example: `formatPrint("i={}", [3], 1)` is `tile 1: i=3`.
 */
export function formatPrint(format: string, values: readonly FormatValue[], tile: number): string {
  let next = 0;
  const text = format.replaceAll("{}", (placeholder) => {
    const value = values[next];
    if (value === undefined) return placeholder;
    next++;
    return formatValue(value);
  });
  const rest = values.slice(next).map(formatValue);
  return `tile ${tile}: ${[...(text === "" ? [] : [text]), ...rest].join(" ")}`;
}

/** A pointer shows what it points to, not where: addresses are no part of a kernel's meaning. `null ptr<f32, global>`. */
export function pointerText(dtype: DTypeName, scope: Scope, isNull: boolean): string {
  return `${isNull ? "null " : ""}ptr<${dtype}, ${scope}>`;
}

/** One value: `-0`, `true`, `f32x2 [1, 0.5]`, `TTFF`. */
export function formatValue(value: FormatValue): string {
  if (typeof value === "number") return formatNumber(value);
  if (typeof value === "boolean") return String(value);
  if ("mask" in value) return value.mask.map((lane) => (lane ? "T" : "F")).join("");
  if ("text" in value) return value.text;
  return `${value.dtype}x${value.data.length} [${value.data.map(formatNumber).join(", ")}]`;
}

/** As JavaScript prints a number, except that -0 keeps its sign. */
export function formatNumber(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}
