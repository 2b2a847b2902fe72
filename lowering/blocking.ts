/**
 * Where a tile may be suspended: direct execution turns the functions around these calls into generators, so every
 * call of such a function is one of them, also a call that happens not to wait.
 */
import type ts from "typescript";
import type { CapturedFunction } from "../capture/index.ts";
import { diagnostic, KpuError, type Location } from "../ir/diagnostic.ts";
import type { Frame, FunctionNode, Walker } from "./walker.ts";

/** A function that was inlined, and the call in the text of its caller. */
export interface InlinedCall {
  readonly fn: FunctionNode;
  readonly at: ts.Node;
  readonly caller: CapturedFunction;
  readonly calledBy: string | undefined;
  /** Location index of the call. */
  readonly site: number;
}

/** The tile may suspend at this call, and at every call that leads here. */
export function markBlocking(w: Walker, node: ts.Node): void {
  const location = (): Location | undefined => w.emitLocation(node);
  if (w.calledBy !== undefined) refuseCallback(w.calledBy, location);
  let at: ts.Node | undefined = node;
  for (let f: Frame | undefined = w.frame; f !== undefined && at !== undefined; f = f.parent) {
    mark(w, f.captured, at, location);
    if (f.calledBy !== undefined) refuseCallback(f.calledBy, location);
    at = f.callNode;
  }
}

type Where = () => Location | undefined;

function refuseCallback(by: string, where: Where): never {
  const help =
    "a tile waits only in the kernel and in functions that it calls itself: write a for ... of loop";
  throw new KpuError([
    diagnostic("KPU1011", `expected no barrier or wait inside the function that ${by} calls`, {
      location: where(),
      help,
    }),
  ]);
}

function mark(w: Walker, c: CapturedFunction, at: ts.Node, where: Where): boolean {
  let sites = w.blocking.get(c);
  if (sites === undefined) w.blocking.set(c, (sites = new Set()));
  const offset = at.getStart(c.sourceFile) - c.textOffset;
  if (sites.has(offset)) return false;
  const wrong = !w.ts.isCallExpression(at)
    ? "the tag of a template"
    : enclosing(w, at).parameter
      ? "a default parameter"
      : undefined;
  if (wrong !== undefined) {
    const help = "wait in a statement of its own";
    throw new KpuError([
      diagnostic("KPU1011", `expected a wait in the body of a function, but found one in ${wrong}`, {
        location: where(),
        help,
      }),
    ]);
  }
  sites.add(offset);
  w.waits.add(at);
  return true;
}

/** The function around a node, and whether the node stands among its parameters. */
function enclosing(w: Walker, node: ts.Node): { readonly fn: ts.Node; readonly parameter: boolean } {
  let parameter = false;
  let n = node.parent;
  while (n.parent !== undefined && !w.ts.isFunctionLike(n)) {
    if (w.ts.isParameter(n)) parameter = true;
    n = n.parent;
  }
  return { fn: n, parameter };
}

/** Marks the calls of functions that became generators because of another call of theirs. */
export function spreadBlocking(w: Walker, locationOf: (site: number) => Location | undefined): void {
  if (w.waits.size === 0) return;
  const generators = new Set<ts.Node>();
  for (const at of w.waits) generators.add(enclosing(w, at).fn);
  let again = true;
  while (again) {
    again = false;
    for (const c of w.inlined) {
      if (!generators.has(c.fn)) continue;
      const where = (): Location | undefined => locationOf(c.site);
      if (c.calledBy !== undefined) refuseCallback(c.calledBy, where);
      if (!mark(w, c.caller, c.at, where)) continue;
      generators.add(enclosing(w, c.at).fn);
      again = true;
    }
  }
}
