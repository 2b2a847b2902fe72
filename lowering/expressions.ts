/** Expressions of a kernel to values. One case per form of syntax; the meaning of operators stands in operators.ts. */
import type ts from "typescript";
import { spreadItems } from "./arrays.ts";
import { compound, increment, isStatementLike, target } from "./assign.ts";
import { call, newExpression, taggedTemplate } from "./calls.ts";
import { conditional, logical } from "./choice.ts";
import { nameValue } from "./names.ts";
import { binary, toBoolean, typeOf, unary } from "./operators.ts";
import { elementKey, property, propertyName } from "./properties.ts";
import { isAssignment, mayAssign } from "./scan.ts";
import { arrayOf, hold, originOf, settle, slotCell } from "./staging.ts";
import { type Cell, describe, stat, UNDEFINED, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

export function expression(w: Walker, node: ts.Expression): Value {
  const t = w.ts;
  const K = t.SyntaxKind;
  switch (node.kind) {
    case K.NumericLiteral:
      return stat(Number((node as ts.NumericLiteral).text));
    case K.StringLiteral:
    case K.NoSubstitutionTemplateLiteral:
      return stat((node as ts.StringLiteral).text);
    case K.TrueKeyword:
      return stat(true);
    case K.FalseKeyword:
      return stat(false);
    case K.NullKeyword:
      return stat(null);
    case K.Identifier:
      return nameValue(w, node as ts.Identifier);
    case K.ThisKeyword:
      w.readThis();
      return w.frame.thisValue;
    case K.ParenthesizedExpression:
      return w.expr((node as ts.ParenthesizedExpression).expression);
    case K.BinaryExpression:
      return binaryExpression(w, node as ts.BinaryExpression);
    case K.PrefixUnaryExpression: {
      const n = node as ts.PrefixUnaryExpression;
      if (n.operator === K.PlusPlusToken || n.operator === K.MinusMinusToken) {
        return increment(w, n.operand, n.operator === K.PlusPlusToken ? "+" : "-", false, node);
      }
      return unary(w, t.tokenToString(n.operator) as string, w.expr(n.operand), n.operand);
    }
    case K.PostfixUnaryExpression: {
      const n = node as ts.PostfixUnaryExpression;
      return increment(w, n.operand, n.operator === K.PlusPlusToken ? "+" : "-", true, node);
    }
    case K.ConditionalExpression:
      return conditional(w, node as ts.ConditionalExpression);
    case K.CallExpression:
      return call(w, node as ts.CallExpression);
    case K.PropertyAccessExpression: {
      const n = node as ts.PropertyAccessExpression;
      const object = w.expr(n.expression);
      if (n.questionDotToken && isNullish(object)) return UNDEFINED;
      if (t.isPrivateIdentifier(n.name)) {
        w.refuse(
          "KPU2010",
          `expected a property that can be read from outside the class, got ${n.name.text}`,
          n.name,
          "copy it into a const outside the kernel",
        );
      }
      return property(w, object, n.name.text, node, n.name);
    }
    case K.ElementAccessExpression: {
      const n = node as ts.ElementAccessExpression;
      const object = w.expr(n.expression);
      if (n.questionDotToken && isNullish(object)) return UNDEFINED;
      return property(w, object, elementKey(w, object, n), node, n.argumentExpression);
    }
    case K.ArrayLiteralExpression: {
      const items: Value[] = [];
      for (const e of (node as ts.ArrayLiteralExpression).elements) {
        if (t.isSpreadElement(e))
          items.push(...spreadItems(w, w.expr(e.expression), e).map((v) => settle(w, v)));
        else items.push(t.isOmittedExpression(e) ? UNDEFINED : settle(w, w.expr(e)));
      }
      return arrayOf(w, items, node);
    }
    case K.ObjectLiteralExpression:
      return objectLiteral(w, node as ts.ObjectLiteralExpression);
    case K.ArrowFunction:
    case K.FunctionExpression: {
      const n = node as ts.ArrowFunction | ts.FunctionExpression;
      return {
        kind: "closure",
        node: n,
        captured: w.frame.captured,
        scope: w.frame.scope,
        thisValue: w.frame.thisValue,
        name: n.name?.text ?? "",
      };
    }
    case K.TemplateExpression:
      return template(w, node as ts.TemplateExpression);
    case K.TaggedTemplateExpression:
      return taggedTemplate(w, node as ts.TaggedTemplateExpression);
    case K.NewExpression:
      return newExpression(w, node as ts.NewExpression);
    case K.TypeOfExpression: {
      const operand = (node as ts.TypeOfExpression).expression;
      if (
        t.isIdentifier(operand) &&
        !w.frame.scope.find(operand.text) &&
        !w.frame.captured.resolve(operand.text)
      ) {
        return stat("undefined");
      }
      return stat(typeOf(w.expr(operand)));
    }
    case K.VoidExpression:
      w.effect((node as ts.VoidExpression).expression);
      return UNDEFINED;
    case K.NonNullExpression:
    case K.AsExpression:
    case K.SatisfiesExpression:
      return w.expr((node as ts.NonNullExpression).expression);
    case K.RegularExpressionLiteral: {
      const literal = (node as ts.RegularExpressionLiteral).text;
      const end = literal.lastIndexOf("/");
      return stat(new RegExp(literal.slice(1, end), literal.slice(end + 1)));
    }
    case K.BigIntLiteral:
      return w.refuse(
        "KPU1008",
        `expected a number, got the bigint ${w.text(node)}`,
        node,
        "write a number; integers are exact up to 2^53",
      );
    default:
      return w.refuse("KPU1011", `expected syntax that kernels have, got ${shown(w.text(node))}`, node);
  }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: what the author writes
const PRINT_HELP = "print runtime values with S.print`x = ${x}`";

const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 37)}...` : text);

function isNullish(v: Value): boolean {
  return v.kind === "static" && (v.value === undefined || v.value === null);
}

/** Operands from left to right; one that a later operand may change is bound first. */
export function operands(w: Walker, nodes: readonly ts.Expression[]): Value[] {
  const out: Value[] = [];
  nodes.forEach((n, i) => {
    const values = w.ts.isSpreadElement(n) ? spreadItems(w, w.expr(n.expression), n) : [w.expr(n)];
    const changes = nodes
      .slice(i + 1)
      .some((later) => mayAssign(w.ts, later, (name) => w.frame.scope.find(name) !== undefined));
    out.push(...(changes ? values.map((v) => settle(w, v)) : values));
  });
  return out;
}

function binaryExpression(w: Walker, node: ts.BinaryExpression): Value {
  const K = w.ts.SyntaxKind;
  const kind = node.operatorToken.kind;
  if (kind === K.EqualsToken) {
    const place = target(w, node.left);
    const value = w.expr(node.right);
    // As a value of its own it must not read the variable again after the store.
    return place.write(isStatementLike(w, node) ? value : hold(w, value, "t"));
  }
  if (isAssignment(w.ts, kind)) return compound(w, node);
  if (kind === K.AmpersandAmpersandToken || kind === K.BarBarToken || kind === K.QuestionQuestionToken) {
    return logical(w, node);
  }
  if (kind === K.CommaToken) {
    w.effect(node.left);
    return w.expr(node.right);
  }
  const [a, b] = operands(w, [node.left, node.right]) as [Value, Value];
  const op = w.ts.tokenToString(kind) as string;
  if ((op === "in" || op === "instanceof") && (a.kind !== "static" || b.kind !== "static")) {
    w.refuse("KPU1012", `expected static operands of ${op}, got ${describe(a)} and ${describe(b)}`, node);
  }
  return binary(w, op, a, b, node.left, node.right, node);
}

function template(w: Walker, node: ts.TemplateExpression): Value {
  let text = node.head.text;
  for (const span of node.templateSpans) {
    const v = w.expr(span.expression);
    if (v.kind !== "static") {
      w.refuse(
        "KPU1010",
        `expected static values in a string, got ${describe(v)}`,
        span.expression,
        PRINT_HELP,
      );
    }
    text += `${v.value as string}${span.literal.text}`;
  }
  return stat(text);
}

function objectLiteral(w: Walker, node: ts.ObjectLiteralExpression): Value {
  const t = w.ts;
  const origin = originOf(w, node, "{}");
  const fields = new Map<string, Cell>();
  const put = (key: string, v: Value): void => {
    fields.set(key, slotCell(w, key, v, origin));
  };
  for (const p of node.properties) {
    if (t.isPropertyAssignment(p)) put(propertyName(w, p.name), w.expr(p.initializer));
    else if (t.isShorthandPropertyAssignment(p)) put(p.name.text, nameValue(w, p.name));
    else if (t.isSpreadAssignment(p)) {
      const v = w.expr(p.expression);
      if (v.kind === "object") for (const [key, f] of v.fields) put(key, f.value as Value);
      else if (v.kind === "static") for (const [key, x] of Object.entries(v.value ?? {})) put(key, stat(x));
      else w.refuse("KPU1015", `expected an object to spread, got ${describe(v)}`, p);
    } else if (t.isMethodDeclaration(p)) {
      const name = propertyName(w, p.name);
      put(name, {
        kind: "closure",
        node: p,
        captured: w.frame.captured,
        scope: w.frame.scope,
        thisValue: UNDEFINED,
        name,
      });
    } else w.refuse("KPU1011", "expected plain properties in an object of a kernel, got an accessor", p);
  }
  return { kind: "object", fields, origin, depth: w.depth };
}

export function conditionOf(w: Walker, node: ts.Expression): boolean | ReturnType<Walker["condition"]> {
  const t = w.ts;
  let n = node;
  while (t.isParenthesizedExpression(n)) n = n.expression;
  if (t.isPrefixUnaryExpression(n) && n.operator === t.SyntaxKind.ExclamationToken) {
    const inner = w.condition(n.operand);
    return typeof inner === "boolean" ? !inner : w.emit.op("not", [inner]);
  }
  if (t.isBinaryExpression(n)) {
    const kind = n.operatorToken.kind;
    if (kind === t.SyntaxKind.AmpersandAmpersandToken || kind === t.SyntaxKind.BarBarToken) {
      return toBoolean(w, logical(w, n, true), n);
    }
  }
  return toBoolean(w, w.expr(n), n);
}
