/**
 * A function that blocks, as a generator that stops where a tile may wait:
 *
 *     function sum(x, n) {            =>   function* sum(x, n) {
 *       share(x);                     =>     yield*$0(x);       // $0: the generator form of share
 *       S.barrier();                  =>     yield  $1();       // $1: S.barrier
 *     }
 *
 * The text keeps its script name, its lines and, as far as it can, its columns, so that breakpoints and stack traces
 * by the author's lines work unchanged. Captured names are passed in with the values that the closure holds.
 */
import vm from "node:vm";
import type ts from "typescript";
import { intrinsicOf } from "../dsl/intrinsic.ts";
import { recordOf } from "../dsl/kernel.ts";
import { fail, type Location } from "../ir/diagnostic.ts";
import { pathOfUrl } from "./authorfile.ts";
import type { CapturedFunction } from "./capture.ts";
import type { BlockingSites } from "./checked.ts";
import { Edits } from "./edits.ts";
import { shiftedMap } from "./shiftedmap.ts";
import { anchorOffset, hasParentheses } from "./source.ts";
import { typescript } from "./typescript.ts";

export type Coroutine = (this: unknown, ...args: unknown[]) => Generator<unknown, void, unknown>;
type AnyGenerator = (this: unknown, ...args: unknown[]) => Generator<unknown, unknown, unknown>;

type Blocking = (...args: unknown[]) => unknown;

/** One call expression that waits; the same object for every tile that waits there. */
export interface WaitSite {
  locate(): Location;
}
/** What a blocking intrinsic returns in direct execution, as far as the coroutine knows it. */
export interface WaitRequest {
  site: WaitSite | undefined;
}

const made = new WeakMap<BlockingSites, Map<CapturedFunction, Coroutine>>();

/** The generator form of a function; it yields what the blocking intrinsics return. One per function and sites. */
export function coroutineOf(c: CapturedFunction, blocking: BlockingSites): Coroutine {
  let forms = made.get(blocking);
  if (forms === undefined) {
    forms = new Map();
    made.set(blocking, forms);
  }
  let form = forms.get(c);
  if (form === undefined) {
    form = compile(new Rewrite(c, blocking));
    forms.set(c, form);
  }
  return form;
}

function compile(rewrite: Rewrite): Coroutine {
  const { c } = rewrite;
  const { script } = c;
  const anchor = anchorOffset(c);
  const prefix = rewrite.prefix();
  const names: string[] = [];
  const values: unknown[] = [];
  for (const [name, value] of rewrite.bindings) {
    names.push(name);
    values.push(value);
  }
  const start = c.scriptPlace(anchor);
  const map =
    script.sourceMapURL && rewrite.edits.moves(c.text) ? shiftedMap(c, rewrite.edits) : script.sourceMapURL;
  const comment = map ? `\n//# sourceMappingURL=${map}` : "";
  const code = `${prefix}${rewrite.edits.apply(c.text, anchor)}${comment}`;
  const options: vm.CompileFunctionOptions = {
    // As a path: loaders look up their source maps by it, and the inspector turns it into the same URL.
    filename: /[?#]/.test(script.url) ? script.url : pathOfUrl(script.url),
    lineOffset: start.line,
    columnOffset: start.column - prefix.length,
  };
  const form = vm.compileFunction(code, names, options)(...values) as Coroutine;
  Object.defineProperty(form, "name", { value: c.name, configurable: true });
  return form;
}

/** Collects the edits and bindings that make one function a generator. */
class Rewrite {
  readonly c: CapturedFunction;
  readonly edits = new Edits();
  /** What the text sees besides globals: captured names, and the aliases of blocking callees. */
  readonly bindings = new Map<string, unknown>();
  readonly #blocking: BlockingSites;
  readonly #names = new Set<string>();
  readonly #locals = new Set<string>();
  readonly #aliases = new Map<unknown, Map<unknown, string>>();
  #nameUses = 0;

  constructor(c: CapturedFunction, blocking: BlockingSites) {
    this.c = c;
    this.#blocking = blocking;
    this.#collectNames();
    this.#root();
    const sites = blocking.get(c) ?? new Set<number>();
    for (const call of this.#calls(sites)) {
      this.#enclosing(call);
      this.#site(call);
    }
    // What stands behind a node comes last, the innermost first.
    for (const closer of this.#closers.reverse()) closer();
  }

  /** Everything before the parameter list; it ends where the parameter list stood. */
  prefix(): string {
    const t = typescript();
    const { node } = this.c;
    const strict = Object.hasOwn(this.c.fn, "arguments") ? "" : '"use strict";';
    // The name stays for stack traces, unless the text also means something by it.
    const name =
      t.isFunctionExpression(node) && node.name !== undefined && this.#nameUses === 1
        ? ` ${node.name.text}`
        : "";
    const open = this.#opened(node) ? "" : "(";
    return `${strict}return function*${name}${open}`;
  }

  #offset(position: number): number {
    return position - this.c.textOffset;
  }
  #start(node: ts.Node): number {
    return this.#offset(node.getStart(this.c.sourceFile));
  }
  #end(node: ts.Node): number {
    return this.#offset(node.getEnd());
  }
  #opened(node: ts.SignatureDeclaration): boolean {
    return hasParentheses(node, this.c.sourceFile);
  }

  #collectNames(): void {
    const t = typescript();
    const { node: root } = this.c;
    const own = t.isFunctionExpression(root) ? root.name?.text : undefined;
    const references = new Set<string>();
    const bind = (name: ts.BindingName): void => {
      if (t.isIdentifier(name)) this.#locals.add(name.text);
      else for (const e of name.elements) if (t.isBindingElement(e)) bind(e.name);
    };
    const visit = (node: ts.Node): void => {
      if (t.isIdentifier(node)) {
        this.#names.add(node.text);
        if (node.text === own) this.#nameUses++;
        if (isReference(node)) references.add(node.text);
      } else if (t.isVariableDeclaration(node) || t.isParameter(node)) bind(node.name);
      else if (t.isFunctionDeclaration(node) && node.name) this.#locals.add(node.name.text);
      t.forEachChild(node, visit);
    };
    visit(root);
    for (const name of references) {
      if (name === own && this.#nameUses === 1) continue;
      const found = this.c.resolve(name);
      const isGlobal =
        name in globalThis && found?.value === (globalThis as unknown as Record<string, unknown>)[name];
      if (found !== undefined && !isGlobal) this.bindings.set(name, found.value);
    }
  }

  /** The head of the function itself: what stands before the parameters is left to the prefix. */
  #root(): void {
    const { node } = this.c;
    if (typescript().isArrowFunction(node)) this.#arrow(node);
  }

  /** From the parameters of an arrow on: `(x) => body` to `(x)    body`, `x => e` to `x)   {return e}`. */
  #arrow(node: ts.ArrowFunction): void {
    const arrow = node.equalsGreaterThanToken;
    this.edits.replace(this.#start(arrow), this.#end(arrow), this.#opened(node) ? "  " : ") ");
    if (typescript().isBlock(node.body)) return;
    this.edits.insert(this.#start(node.body), "{return ");
    this.#closers.push(() => this.edits.insert(this.#end(node.body), "}"));
  }
  /** Insertions behind a node, run after those inside it so that they stand behind them. */
  readonly #closers: (() => void)[] = [];

  /** The call expressions at the offsets. Where several start at one offset, those that do block. */
  #calls(sites: ReadonlySet<number>): ts.CallExpression[] {
    const t = typescript();
    const byStart = new Map<number, ts.CallExpression[]>();
    const visit = (node: ts.Node): void => {
      if (t.isCallExpression(node) && sites.has(this.#start(node))) {
        const start = this.#start(node);
        byStart.set(start, [...(byStart.get(start) ?? []), node]);
      }
      t.forEachChild(node, visit);
    };
    visit(this.c.node);
    const missing = [...sites].find((s) => !byStart.has(s));
    if (missing !== undefined) throw new TypeError(`no call at offset ${missing} of ${this.c.name}`);
    return [...byStart.values()].flatMap((calls) => {
      const sure = calls.filter((call) => this.#staticTarget(call.expression) !== undefined);
      return calls.length === 1 || sure.length === 0 ? calls : sure;
    });
  }

  readonly #generators = new Set<ts.Node>();
  /** Functions inside the function that hold a site become generators too. */
  #enclosing(call: ts.Node): void {
    const t = typescript();
    for (let node: ts.Node = call; node !== this.c.node; node = node.parent) {
      if (t.isParameter(node)) {
        fail("KPU1011", "expected a wait in the body of a function, but found one in a default parameter", {
          location: this.c.locate(this.#start(call), this.#end(call)),
          help: "wait in a statement of its own",
        });
      }
      if (!t.isFunctionLike(node) || this.#generators.has(node)) continue;
      this.#generators.add(node);
      const start = this.#start(node);
      if (t.isArrowFunction(node)) {
        const bound = usesThis(node);
        this.edits.insert(start, `${bound ? "(" : ""}function*${this.#opened(node) ? "" : "("}`);
        if (bound) this.#closers.push(() => this.edits.insert(this.#end(node), ").bind(this)"));
        this.#arrow(node);
      } else if (t.isMethodDeclaration(node)) this.edits.insert(start, "*");
      else this.edits.insert(start + "function".length, "*");
    }
  }

  #site(call: ts.CallExpression): void {
    const t = typescript();
    const callee = call.expression;
    const open = needsParens(call) ? "(" : "";
    const start = this.#start(callee);
    // Up to the argument list: an optional call calls all the same.
    const paren = this.#offset(call.arguments.pos) - 1;
    const target = this.#staticTarget(callee);
    if (target !== undefined) {
      const { fn, self, record } = target;
      const word = record === undefined ? "yield " : "yield*";
      const name = record === undefined ? this.#wait(fn as Blocking, call) : this.#alias(fn, self, record);
      const pad = " ".repeat(Math.max(0, paren - start - open.length - word.length - name.length));
      this.edits.replace(start, paren, open + word + pad + name);
    } else if (t.isPropertyAccessExpression(callee)) {
      this.edits.insert(start, `${open}yield*${this.#dispatcher()}(`);
      this.edits.replace(this.#end(callee.expression), paren, `,"${callee.name.text}")`);
    } else if (t.isElementAccessExpression(callee)) {
      this.edits.insert(start, `${open}yield*${this.#dispatcher()}(`);
      this.edits.replace(this.#end(callee.expression), this.#start(callee.argumentExpression), ",");
      this.edits.replace(this.#end(callee.argumentExpression), paren, ")");
    } else {
      this.edits.insert(start, `${open}yield*${this.#dispatcher()}(`);
      this.edits.replace(this.#end(callee), paren, ")");
    }
    if (open !== "") this.#closers.push(() => this.edits.insert(this.#end(call), ")"));
  }

  /** The function that a callee certainly is: a captured name, or properties of one, that no local name hides. */
  #staticTarget(
    callee: ts.Expression,
  ): { fn: unknown; self: unknown; record: CapturedFunction | undefined } | undefined {
    const t = typescript();
    let node = callee;
    let keepsThis = true;
    if (t.isParenthesizedExpression(node)) {
      node = node.expression;
      // `(0, module.f)(x)`, as transpilers call imports.
      if (
        t.isBinaryExpression(node) &&
        node.operatorToken.kind === t.SyntaxKind.CommaToken &&
        t.isNumericLiteral(node.left)
      ) {
        node = node.right;
        keepsThis = false;
      }
    }
    const keys: string[] = [];
    while (t.isPropertyAccessExpression(node) && t.isIdentifier(node.name)) {
      keys.unshift(node.name.text);
      node = node.expression;
    }
    if (!t.isIdentifier(node) || this.#locals.has(node.text)) return undefined;
    let self: unknown;
    let value = this.c.resolve(node.text)?.value;
    for (const key of keys) {
      self = value;
      value = (value as Record<string, unknown> | null | undefined)?.[key];
    }
    if (typeof value !== "function") return undefined;
    if (intrinsicOf(value)?.effect === "block") return { fn: value, self: undefined, record: undefined };
    const kernel = recordOf(value);
    const fn = kernel?.fn ?? value;
    const helper = this.#helper(fn);
    return helper && { fn, self: kernel ? kernel.thisValue : keepsThis ? self : undefined, record: helper };
  }

  #helper(fn: unknown): CapturedFunction | undefined {
    for (const helper of this.#blocking.keys()) if (helper.fn === fn) return helper;
    return undefined;
  }

  /** A name for a blocking intrinsic as this very call calls it: its request learns where it stands. */
  #wait(fn: Blocking, call: ts.CallExpression): string {
    const name = this.#freshName();
    const { c } = this;
    const start = this.#start(call);
    const end = this.#end(call);
    let location: Location | undefined;
    const site: WaitSite = { locate: () => (location ??= c.locate(start, end)) };
    this.bindings.set(name, (...args: unknown[]) => {
      const request = fn(...args);
      if (typeof request === "object" && request !== null) (request as WaitRequest).site = site;
      return request;
    });
    return name;
  }

  /** A name for a callee that the text does not use. */
  #alias(fn: unknown, self: unknown, helper: CapturedFunction | undefined): string {
    let bySelf = this.#aliases.get(fn);
    if (bySelf === undefined) {
      bySelf = new Map();
      this.#aliases.set(fn, bySelf);
    }
    let name = bySelf.get(self);
    if (name === undefined) {
      name = this.#freshName();
      bySelf.set(self, name);
      const blocking = this.#blocking;
      // Looked up at the call: helpers may call each other.
      const value =
        helper === undefined ? fn : (...args: unknown[]) => coroutineOf(helper, blocking).apply(self, args);
      this.bindings.set(name, value);
    }
    return name;
  }

  #dispatch: string | undefined;
  /** A name for what finds the generator form of a callee that only the run knows: a local function, a parameter. */
  #dispatcher(): string {
    if (this.#dispatch === undefined) {
      this.#dispatch = this.#freshName();
      this.bindings.set(this.#dispatch, (owner: unknown, ...key: unknown[]): AnyGenerator => {
        if (key.length === 0) return this.#generatorOf(owner, undefined);
        return this.#generatorOf((owner as Record<string, unknown>)[String(key[0])], owner);
      });
    }
    return this.#dispatch;
  }
  #generatorOf(value: unknown, self: unknown): AnyGenerator {
    const kernel = recordOf(value);
    const fn = (kernel?.fn ?? value) as (this: unknown, ...args: unknown[]) => unknown;
    const receiver = kernel ? kernel.thisValue : self;
    if (Object.prototype.toString.call(fn) === "[object GeneratorFunction]")
      return (fn as AnyGenerator).bind(receiver);
    const helper = this.#helper(fn);
    if (helper !== undefined) return coroutineOf(helper, this.#blocking).bind(receiver);
    const blocks = intrinsicOf(fn)?.effect === "block";
    return function* (...args) {
      const result = fn.apply(receiver, args);
      return blocks ? yield result : result;
    };
  }

  #freshName(): string {
    for (const short of ["$", "_"]) {
      if (!this.#names.has(short)) {
        this.#names.add(short);
        return short;
      }
    }
    for (let i = 0; ; i++) {
      const name = `$${i.toString(36)}`;
      if (this.#names.has(name)) continue;
      this.#names.add(name);
      return name;
    }
  }
}

/** Whether an identifier stands for a variable, not for a property or label. */
function isReference(node: ts.Identifier): boolean {
  const t = typescript();
  const { parent } = node;
  if (t.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (t.isPropertyAssignment(parent) || t.isMethodDeclaration(parent)) return parent.name !== node;
  if (t.isBindingElement(parent)) return parent.initializer === node;
  return !t.isLabeledStatement(parent) && !t.isBreakOrContinueStatement(parent);
}

/** Whether a yield in place of this call needs parentheses: not where an assignment expression may stand. */
function needsParens(call: ts.CallExpression): boolean {
  const t = typescript();
  const { parent } = call;
  if (t.isExpressionStatement(parent) || t.isReturnStatement(parent) || t.isParenthesizedExpression(parent))
    return false;
  if (t.isVariableDeclaration(parent)) return false;
  if (t.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    return parent.right !== call || kind < t.SyntaxKind.FirstAssignment || kind > t.SyntaxKind.LastAssignment;
  }
  if (t.isCallExpression(parent)) return parent.expression === call;
  return true;
}

/** Whether an arrow function reads the `this` around it. */
function usesThis(arrow: ts.ArrowFunction): boolean {
  const t = typescript();
  const find = (node: ts.Node): boolean => {
    if (node.kind === t.SyntaxKind.ThisKeyword) return true;
    if (t.isFunctionLike(node) && !t.isArrowFunction(node)) return false;
    return t.forEachChild(node, find) === true;
  };
  return t.forEachChild(arrow, find) === true;
}
