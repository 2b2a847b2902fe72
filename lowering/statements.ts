/** Statements of a kernel, one case per form. */
import type ts from "typescript";
import { declare } from "./assign.ts";
import { ifStatement } from "./choice.ts";
import { forStatement } from "./counted.ts";
import { forOfStatement } from "./foreach.ts";
import { returnStatement } from "./inline.ts";
import { jumpStatement, whileStatement } from "./loops.ts";
import { bindingNames } from "./scan.ts";
import { newCell, prepareRegion, region } from "./staging.ts";
import { switchStatement } from "./switch.ts";
import { Scope, UNDEFINED } from "./values.ts";
import type { Jump, Walker } from "./walker.ts";

export function statement(w: Walker, node: ts.Statement, names: readonly string[] = []): Jump {
  const t = w.ts;
  const K = t.SyntaxKind;
  switch (node.kind) {
    case K.Block:
      return w.statements((node as ts.Block).statements);
    case K.ExpressionStatement:
      w.effect((node as ts.ExpressionStatement).expression);
      return undefined;
    case K.VariableStatement:
      variables(w, (node as ts.VariableStatement).declarationList);
      return undefined;
    case K.IfStatement:
      return ifStatement(w, node as ts.IfStatement);
    case K.ForStatement:
      return forStatement(w, node as ts.ForStatement, names);
    case K.ForOfStatement:
      return forOfStatement(w, node as ts.ForOfStatement, names);
    case K.WhileStatement:
    case K.DoStatement:
      return whileStatement(w, node as ts.WhileStatement, names);
    case K.SwitchStatement:
      return switchStatement(w, node as ts.SwitchStatement, names);
    case K.BreakStatement:
    case K.ContinueStatement:
      return jumpStatement(w, node as ts.BreakStatement);
    case K.ReturnStatement:
      return returnStatement(w, node as ts.ReturnStatement);
    case K.LabeledStatement:
      return labelled(w, node as ts.LabeledStatement, names);
    case K.FunctionDeclaration:
    case K.EmptyStatement:
    case K.DebuggerStatement:
      return undefined;
    default:
      return w.refuse("KPU1011", "expected a statement that kernels have", node);
  }
}

function variables(w: Walker, list: ts.VariableDeclarationList): void {
  const constant = (list.flags & w.ts.NodeFlags.Const) !== 0;
  for (const d of list.declarations)
    declare(w, d.name, d.initializer ? w.expr(d.initializer) : UNDEFINED, constant);
}

/** Opens a scope; names exist from its start, functions with their value. */
export function declareBlock(w: Walker, nodes: readonly ts.Statement[]): void {
  const t = w.ts;
  const scope = new Scope(w.frame.scope);
  w.frame.scope = scope;
  for (const s of nodes) {
    if (t.isVariableStatement(s)) {
      const names: string[] = [];
      for (const d of s.declarationList.declarations) bindingNames(t, d.name, names);
      for (const name of names) scope.cells.set(name, newCell(w, name, undefined, false, undefined));
    } else if (t.isFunctionDeclaration(s) && s.name) {
      const name = s.name.text;
      const { captured, thisValue } = w.frame;
      scope.cells.set(
        name,
        newCell(w, name, { kind: "closure", node: s, captured, scope, thisValue, name }, false, s),
      );
    }
  }
}

function labelled(w: Walker, node: ts.LabeledStatement, names: readonly string[]): Jump {
  const t = w.ts;
  const all = [...names, node.label.text];
  const inner = node.statement;
  const loop =
    t.isIterationStatement(inner, false) || t.isLabeledStatement(inner) || t.isSwitchStatement(inner);
  if (loop) return statement(w, inner, all);
  const label = w.emit.label(node.label.text);
  prepareRegion(w, [inner]);
  w.frame.targets.push({
    names: all,
    breakTo: label,
    continueTo: undefined,
    depth: w.depth + 1,
    unrolled: undefined,
    block: true,
  });
  let jump: Jump;
  try {
    const list = region(w, () => void (jump = w.statement(inner)), false);
    const leaves = jump !== undefined && jump.label !== label && label.used === 0;
    w.emit.block(label, list);
    return leaves ? jump : undefined;
  } finally {
    w.frame.targets.pop();
  }
}
