/** Loops of run time in general: `while`, `do`, and every `for` that does not simply count; `break` and `continue`. */
import type ts from "typescript";
import type { Expr, Stmt } from "../ir/kir.ts";
import { dropTailContinue, type Label } from "./emit.ts";
import { prepareRegion, region } from "./staging.ts";
import type { Jump, JumpTarget, Walker } from "./walker.ts";

/** Lowers a loop body as a region and gives its statements. */
export function loopBody(
  w: Walker,
  names: readonly string[],
  label: Label,
  again: Label,
  body: () => void,
): Stmt[] {
  const before = w.definite;
  const t: JumpTarget = {
    names: [...names],
    breakTo: label,
    continueTo: again,
    depth: w.depth + 1,
    unrolled: undefined,
  };
  w.frame.targets.push(t);
  w.definite = new Set(before);
  try {
    return region(w, body);
  } finally {
    w.frame.targets.pop();
    w.definite = before;
  }
}

/** A label for the loop itself and one that only counts its `continue`s; KIR writes both with one name. */
export function loopLabels(w: Walker): [Label, Label] {
  const label = w.emit.label("loop");
  return [label, { name: label.name, used: 0 }];
}

export function whileStatement(
  w: Walker,
  node: ts.WhileStatement | ts.DoStatement,
  names: readonly string[],
): Jump {
  const testFirst = w.ts.isWhileStatement(node);
  return generalLoop(w, node.expression, node.statement, undefined, testFirst, names);
}

export function generalLoop(
  w: Walker,
  condition: ts.Expression | undefined,
  statement: ts.Statement,
  incrementor: ts.Expression | undefined,
  testFirst: boolean,
  names: readonly string[],
): Jump {
  prepareRegion(w, [condition, statement, incrementor]);
  const at = w.emit.site;
  const [label, again] = loopLabels(w);
  let c: boolean | Expr = true;
  const test = condition
    ? region(w, () => {
        c = w.condition(condition);
      })
    : [];
  if ((c as boolean | Expr) === false && testFirst) {
    w.emit.list.push(...test);
    return undefined;
  }
  const body = loopBody(w, names, label, again, () => void w.statement(statement));
  dropTailContinue(body, label.name);
  const update = incrementor ? region(w, () => w.effect(incrementor)) : [];
  const cond: Expr = typeof c === "boolean" ? w.emit.bool(c) : c;
  w.emit.list.push({ kind: "loop", label: label.name, testFirst, test, cond, body, update, at });
  return (c as boolean | Expr) === true && label.used === 0 ? { label: undefined } : undefined;
}

/** Whether the declared names are constants. */
export function isConst(w: Walker, list: ts.VariableDeclarationList): boolean {
  return (list.flags & w.ts.NodeFlags.Const) !== 0;
}

export function jumpStatement(w: Walker, node: ts.BreakOrContinueStatement): Jump {
  const isBreak = w.ts.isBreakStatement(node);
  const name = node.label?.text;
  const targets = w.frame.targets;
  for (let i = targets.length - 1; i >= 0; i--) {
    const t = targets[i] as JumpTarget;
    if (name !== undefined ? !t.names.includes(name) : !isBreak && t.continueTo === undefined) continue;
    if (name === undefined && isBreak && t.block) continue;
    const label = isBreak ? t.breakTo : t.continueTo;
    if (label === undefined) break;
    for (const passed of targets.slice(i)) {
      // A jump on a runtime condition out of unrolled rounds makes what follows conditional.
      if (passed.unrolled && w.depth > passed.depth) w.restart(passed.unrolled);
    }
    label.used++;
    const kind = isBreak || t.unrolled !== undefined ? "break" : "continue";
    w.emit.list.push({ kind, label: label.name, at: w.site(node) });
    return { label };
  }
  return w.refuse("KPU1011", `expected a loop or switch around ${isBreak ? "break" : "continue"}`, node);
}
