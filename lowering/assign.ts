/** Places that can be assigned, destructuring, compound assignment and `++`. */
import type ts from "typescript";
import { spreadItems } from "./arrays.ts";
import { ifStmt } from "./emit.ts";
import { binary, toBoolean, toNumber } from "./operators.ts";
import { elementKey, property, propertyName } from "./properties.ts";
import { mayAssign } from "./scan.ts";
import {
  arrayOf,
  assignCell,
  hold,
  newCell,
  prepareRegion,
  readCell,
  region,
  settle,
  slotCell,
} from "./staging.ts";
import { type Cell, describe, runtime, stat, UNDEFINED, type Value } from "./values.ts";
import type { Walker } from "./walker.ts";

export interface Place {
  read(): Value;
  /** Stores and returns the value of the assignment expression. */
  write(v: Value): Value;
}

/** The place that an assignment target names. */
export function target(w: Walker, node: ts.Expression): Place {
  const t = w.ts;
  if (t.isParenthesizedExpression(node)) return target(w, node.expression);
  if (t.isIdentifier(node)) {
    const cell = w.frame.scope.find(node.text);
    if (cell === undefined) {
      w.refuse(
        "KPU2002",
        `expected a variable of the kernel, but ${w.text(node)} is captured from outside`,
        node,
        `copy it first: let local = ${w.text(node)}`,
      );
    }
    return cellPlace(w, cell, node);
  }
  if (t.isPropertyAccessExpression(node) || t.isElementAccessExpression(node)) {
    const object = w.expr(node.expression);
    const key = t.isPropertyAccessExpression(node) ? node.name.text : elementKey(w, object, node);
    return elementPlace(w, object, key, node);
  }
  if (t.isArrayLiteralExpression(node) || t.isObjectLiteralExpression(node)) {
    return {
      read: () => w.refuse("KPU1011", "expected a variable, got a pattern", node),
      write: (v) => {
        destructureExpression(w, node, v);
        return v;
      },
    };
  }
  return w.refuse("KPU1011", `expected a variable or an element to assign, got ${w.text(node)}`, node);
}

function cellPlace(w: Walker, cell: Cell, node: ts.Node): Place {
  return {
    read: () => readCell(w, cell, node),
    write: (v) => {
      assignCell(w, cell, v, node);
      return v;
    },
  };
}

function elementPlace(w: Walker, object: Value, key: string | number, node: ts.Node): Place {
  switch (object.kind) {
    case "array": {
      const index = Number(key);
      if (key === "length") {
        return {
          read: () => stat(object.slots.length),
          write: (v) => {
            if (v.kind !== "static" || w.depth > object.depth)
              w.refuse("KPU2006", "expected a static length outside runtime control flow", node);
            object.slots.length = Math.min(object.slots.length, Number(v.value));
            return v;
          },
        };
      }
      if (!Number.isInteger(index) || index < 0)
        w.refuse("KPU2006", `expected an index of an array, got ${String(key)}`, node);
      const slot = object.slots[index];
      if (slot) return cellPlace(w, slot, node);
      return {
        read: () => UNDEFINED,
        write: (v) => {
          if (w.depth > object.depth) {
            w.refuse(
              "KPU2006",
              "expected an array of static length, but it grows under runtime control flow",
              node,
              "make the array with its full length before the loop",
            );
          }
          for (let i = object.slots.length; i < index; i++)
            object.slots.push(slotCell(w, `${i}`, UNDEFINED, object.origin));
          object.slots.push(slotCell(w, `${index}`, v, object.origin));
          return v;
        },
      };
    }
    case "object": {
      const field = object.fields.get(String(key));
      if (field) return cellPlace(w, field, node);
      return {
        read: () => UNDEFINED,
        write: (v) => {
          if (w.depth > object.depth)
            w.refuse(
              "KPU2006",
              "expected an object whose fields are static, but it grows under runtime control flow",
              node,
            );
          object.fields.set(String(key), slotCell(w, String(key), v, object.origin));
          return v;
        },
      };
    }
    case "static":
      return w.refuse(
        "KPU2002",
        "expected an array or object of the kernel, but this one is captured from outside",
        node,
        "copy it first: const own = [...captured]",
      );
    case "poison":
      return { read: () => object, write: (v) => v };
    default:
      return w.refuse(
        "KPU2006",
        `expected an array or object to write into, got ${describe(object)}`,
        node,
        "write memory with p.set(i, x) or S.vstore(v, p.at(i))",
      );
  }
}

/** Declares the names of a pattern with these values. */
export function declare(w: Walker, name: ts.BindingName, value: Value, constant: boolean): void {
  const t = w.ts;
  if (t.isIdentifier(name)) {
    declareName(w, name, value, constant);
    return;
  }
  if (t.isArrayBindingPattern(name)) {
    const items = listOf(w, value, name);
    name.elements.forEach((e, i) => {
      if (!t.isBindingElement(e)) return;
      if (e.dotDotDotToken) {
        declare(w, e.name, arrayOf(w, items.slice(i), e), constant);
        return;
      }
      declare(w, e.name, withDefault(w, items[i] ?? UNDEFINED, e.initializer), constant);
    });
    return;
  }
  const taken = new Set<string>();
  for (const e of name.elements) {
    if (e.dotDotDotToken) {
      declare(w, e.name, restOf(w, value, taken, e), constant);
      continue;
    }
    const key = e.propertyName ? propertyName(w, e.propertyName) : (e.name as ts.Identifier).text;
    taken.add(key);
    declare(w, e.name, withDefault(w, field(w, value, key, e), e.initializer), constant);
  }
}

function declareName(w: Walker, name: ts.Identifier, value: Value, constant: boolean): void {
  const written = w.nameOf(name);
  const named: Value = value.kind === "closure" && value.name === "" ? { ...value, name: written } : value;
  const fresh = newCell(w, written, hold(w, named, written), constant, name);
  const cell = w.frame.scope.cells.get(name.text);
  // Closures and hoisted uses refer to the cell that the block declared at its start.
  if (cell !== undefined && cell.value === undefined) Object.assign(cell, fresh);
  else w.frame.scope.cells.set(name.text, fresh);
}

function withDefault(w: Walker, v: Value, initializer: ts.Expression | undefined): Value {
  return initializer !== undefined && v.kind === "static" && v.value === undefined ? w.expr(initializer) : v;
}

function field(w: Walker, value: Value, key: string, node: ts.Node): Value {
  return property(w, value, key, node, node);
}

function restOf(w: Walker, value: Value, taken: ReadonlySet<string>, node: ts.Node): Value {
  if (value.kind === "static") {
    return stat(Object.fromEntries(Object.entries(value.value as object).filter(([k]) => !taken.has(k))));
  }
  if (value.kind === "object") {
    const fields = new Map(
      [...value.fields]
        .filter(([k]) => !taken.has(k))
        .map(([k, c]) => [k, slotCell(w, k, c.value as Value, value.origin)]),
    );
    return { ...value, fields, depth: w.depth };
  }
  return w.refuse("KPU1015", `expected an object to destructure, got ${describe(value)}`, node);
}

function listOf(w: Walker, value: Value, node: ts.Node): Value[] {
  return spreadItems(w, value, node);
}

function destructureExpression(
  w: Walker,
  node: ts.ArrayLiteralExpression | ts.ObjectLiteralExpression,
  value: Value,
): void {
  const t = w.ts;
  const store = (to: ts.Expression, v: Value): void => {
    if (t.isBinaryExpression(to) && to.operatorToken.kind === t.SyntaxKind.EqualsToken) {
      target(w, to.left).write(withDefault(w, v, to.right));
    } else target(w, to).write(v);
  };
  if (t.isArrayLiteralExpression(node)) {
    // The slots are read before the first store: [a, b] = [b, a].
    const items = listOf(w, value, node).map((v) => settle(w, v));
    node.elements.forEach((e, i) => {
      if (t.isOmittedExpression(e)) return;
      if (t.isSpreadElement(e)) store(e.expression, arrayOf(w, items.slice(i), e));
      else store(e, items[i] ?? UNDEFINED);
    });
    return;
  }
  for (const p of node.properties) {
    if (t.isShorthandPropertyAssignment(p)) {
      target(w, p.name).write(withDefault(w, field(w, value, p.name.text, p), p.objectAssignmentInitializer));
    } else if (t.isPropertyAssignment(p)) store(p.initializer, field(w, value, propertyName(w, p.name), p));
    else w.refuse("KPU1011", "expected plain properties in a pattern", p);
  }
}

/** `a += b`, `a &&= b` and their like. */
export function compound(w: Walker, node: ts.BinaryExpression): Value {
  const K = w.ts.SyntaxKind;
  const kind = node.operatorToken.kind;
  const op = (w.ts.tokenToString(kind) as string).slice(0, -1);
  if (
    kind === K.AmpersandAmpersandEqualsToken ||
    kind === K.BarBarEqualsToken ||
    kind === K.QuestionQuestionEqualsToken
  ) {
    return logicalAssignment(w, node, op);
  }
  const place = target(w, node.left);
  const before = place.read();
  const left = mayAssign(w.ts, node.right, (name) => w.frame.scope.find(name) !== undefined)
    ? settle(w, before)
    : before;
  const right = w.expr(node.right);
  return place.write(keep(w, binary(w, op, left, right, node.left, node.right, node), node));
}

function keep(w: Walker, v: Value, node: ts.Node): Value {
  return isStatementLike(w, node) ? v : hold(w, v, "t");
}

function logicalAssignment(w: Walker, node: ts.BinaryExpression, op: string): Value {
  const first = target(w, node.left).read();
  const c =
    op === "??"
      ? !(first.kind === "static" && (first.value === null || first.value === undefined))
      : toBoolean(w, first, node.left);
  if (typeof c === "boolean") {
    const writes = op === "&&" ? c : !c;
    return writes ? target(w, node.left).write(w.expr(node.right)) : first;
  }
  prepareRegion(w, [node]);
  const place = target(w, node.left);
  const now = toBoolean(w, place.read(), node.left);
  if (typeof now === "boolean") throw new TypeError("a runtime condition became static");
  const store = region(w, () => {
    place.write(w.expr(node.right));
  });
  const at = w.emit.site;
  w.emit.list.push(ifStmt(now, op === "&&" ? store : [], op === "&&" ? [] : store, at));
  return place.read();
}

/** `++x`, `x++`, `--x`, `x--`; a postfix form gives the number before. */
export function increment(
  w: Walker,
  operand: ts.Expression,
  op: "+" | "-",
  postfix: boolean,
  node: ts.Node,
): Value {
  const place = target(w, operand);
  const before = place.read();
  if (before.kind === "static") {
    const old = Number(before.value);
    place.write(stat(op === "+" ? old + 1 : old - 1));
    return stat(postfix ? old : op === "+" ? old + 1 : old - 1);
  }
  const used = !isStatementLike(w, node);
  let old = toNumber(w, before, operand);
  if (used && postfix) old = w.emit.settle(old);
  const next = w.emit.op(op === "+" ? "add" : "sub", [old, w.emit.num(1)]);
  const value = used && !postfix ? w.emit.bind(next) : next;
  place.write(runtime(value));
  return runtime(postfix ? old : value);
}

/** Whether the value of an assignment is dropped. */
export function isStatementLike(w: Walker, node: ts.Node): boolean {
  const parent = node.parent;
  return w.ts.isExpressionStatement(parent) || (w.ts.isForStatement(parent) && parent.incrementor === node);
}
