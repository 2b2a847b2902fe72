/**
 * The free names of a running function. Names are those of the running text: transpilers rename shadowed variables
 * and rewrite imports, so the author's names would silently find other values.
 */
import { type FunctionPlace, type InspectedFunction, inspectFunction, scriptLine } from "./inspector.ts";

export interface Closure {
  readonly place: FunctionPlace | undefined;
  resolve(name: string): { readonly value: unknown } | undefined;
}

/** Counts checks: scopes that were read for an earlier check are read again. */
let check = 0;

/**
 * Starts a check: closures are read anew from here on, and every name keeps one value until the next check begins.
 * Lowering calls it once per kernel.
 */
export function beginCheck(): void {
  check++;
}

/** The closure of a function, read when it is first asked for. */
// biome-ignore lint/complexity/noBannedTypes: any function may be captured
export function closureOf(fn: Function, text: string): Closure {
  let inspected: InspectedFunction | undefined;
  let at = check;
  const read = (): InspectedFunction => {
    if (inspected === undefined || at !== check) {
      inspected = inspectFunction(fn);
      at = check;
    }
    return inspected;
  };
  const ownName = /^(?:async\s+)?function\s*\*?\s*([\w$\p{L}]+)/u.exec(text)?.[1];
  return {
    get place() {
      return (inspected ?? read()).place;
    },
    resolve(name) {
      const { scopes, place } = read();
      const found = resolveIn(scopes, name);
      if (name !== ownName || (found !== undefined && found.value === fn)) return found;
      // A named function expression sees itself under its name; a declaration sees the variable around it.
      if (found === undefined || place === undefined || isExpression(place, text)) return { value: fn };
      return found;
    },
  };
}

/** The innermost scope that has the name, then the global object. */
export function resolveIn(
  scopes: InspectedFunction["scopes"],
  name: string,
): { readonly value: unknown } | undefined {
  for (const scope of scopes) if (Object.hasOwn(scope, name)) return { value: scope[name] };
  if (name in globalThis) return { value: (globalThis as unknown as Record<string, unknown>)[name] };
  return undefined;
}

/** Whether the function stands where an expression is expected, told by the token before it in its script. */
function isExpression(place: FunctionPlace, text: string): boolean {
  // Up to the parameter list, the text is `function name`: step back over it, and over spaces and comments.
  const lead = text.slice(0, text.indexOf("(")).split(/\r\n|[\n\r\u2028\u2029]/);
  let line = place.line - (lead.length - 1);
  let row = scriptLine(place.scriptId, line);
  if (row === undefined) return false;
  row = row.slice(0, lead.length === 1 ? place.column : undefined);
  let before = row.slice(0, row.lastIndexOf(lead[0]!)).slice(-400);
  for (;;) {
    before = before.replace(/(\/\*[\s\S]*?\*\/|\/\/[^\n]*\n|\s)*$/, "");
    const above: string | undefined = before === "" ? scriptLine(place.scriptId, --line) : undefined;
    if (above === undefined) break;
    before = `${above.slice(-400)}\n`;
  }
  return /[(,=:[!&|?+\-*/%~^<>]$|\b(return|typeof|void|new|in|of|case|throw|extends)$/.test(before);
}
