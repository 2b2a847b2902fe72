/**
 * The location table: only the places that statements carry, numbered anew, as positions in the author's files. Most
 * programs never show one, so a position is looked up in the source map when it is first read.
 */
import type { Location } from "../ir/diagnostic.ts";
import type { Expr, Kernel, Stmt } from "../ir/kir.ts";

export function place(k: Kernel, locationOf: (site: number) => Location | undefined): Kernel {
  const locations: (Location | undefined)[] = [undefined];
  const numbers = new Map<number, number>([[0, 0]]);
  const number = (site: number): number => {
    let n = numbers.get(site);
    if (n === undefined) {
      n = locations.push(undefined) - 1;
      const index = n;
      const set = (value: Location | undefined): void => {
        Object.defineProperty(locations, index, {
          value,
          writable: true,
          enumerable: true,
          configurable: true,
        });
      };
      Object.defineProperty(locations, index, {
        get: () => {
          const found = locationOf(site);
          set(found);
          return found;
        },
        set,
        enumerable: true,
        configurable: true,
      });
      numbers.set(site, n);
    }
    return n;
  };
  const expr = (e: Expr): Expr =>
    e.kind === "apply" ? { ...e, at: number(e.at), args: e.args.map(expr) } : { ...e, at: number(e.at) };
  const list = (stmts: readonly Stmt[]): Stmt[] => stmts.map(stmt);
  const stmt = (s: Stmt): Stmt => {
    const at = number(s.at);
    switch (s.kind) {
      case "let":
      case "assign":
        return { ...s, value: expr(s.value), at };
      case "effect":
        return { ...s, value: expr(s.value) as typeof s.value, at };
      case "if":
        // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
        return { ...s, cond: expr(s.cond), then: list(s.then), else: list(s.else), at };
      case "for":
        return { ...s, from: expr(s.from), to: expr(s.to), body: list(s.body), at };
      case "loop":
        return {
          ...s,
          test: list(s.test),
          cond: expr(s.cond),
          body: list(s.body),
          update: list(s.update),
          at,
        };
      case "block":
        return { ...s, body: list(s.body), at };
      default:
        return { ...s, at };
    }
  };
  return { ...k, body: list(k.body), locations };
}
