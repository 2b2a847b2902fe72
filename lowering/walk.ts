/**
 * The walk of a kernel: puts the parts together and runs them over the kernel's own syntax tree, giving KIR at level
 * `open`. Refused statements are recorded and the walk goes on, so that one check reports all it can.
 */
import type ts from "typescript";
import {
  type CapturedFunction,
  captureFunction,
  checkSyntax,
  type FrozenRead,
  freeze,
  typescript,
} from "../capture/index.ts";
import { type KernelRecord, PtrParam } from "../dsl/kernel.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import { type Diagnostic, diagnostic, KpuError, type Location } from "../ir/diagnostic.ts";
import type { ParamSpec } from "../ir/hostargs.ts";
import { type Kernel, type Param, ptrType, type Stmt, scalar, scalarOf } from "../ir/kir.ts";
import type { Target } from "../ir/target.ts";
import { spreadBlocking } from "./blocking.ts";
import { callMethod, invoke } from "./calls.ts";
import { effectOf } from "./choice.ts";
import { Emitter } from "./emit.ts";
import { conditionOf, expression, operands } from "./expressions.ts";
import { inline } from "./inline.ts";
import { located } from "./intrinsics.ts";
import { bindingNames } from "./scan.ts";
import { newCell } from "./staging.ts";
import { declareBlock, statement } from "./statements.ts";
import { POISON, runtime, Scope, stat } from "./values.ts";
import { type Frame, type Jump, Restart, Silenced, type Walker } from "./walker.ts";

/** A place in the text of a captured function, and the place of the call it was inlined at. */
export interface Site {
  readonly captured: CapturedFunction;
  readonly start: number;
  readonly end: number;
  readonly parent: number;
}

export interface Walked {
  readonly kernel: Kernel;
  readonly captured: CapturedFunction;
  readonly paramSpecs: ParamSpec[];
  readonly blocking: Map<CapturedFunction, Set<number>>;
  readonly frozen: FrozenRead[];
  readonly ranges: Walker["ranges"];
  /** The author's position of a location index. */
  locationOf(site: number): Location | undefined;
}

const MOST_RESTARTS = 200;

/** Lowers a kernel to level open, or throws one KpuError with every diagnostic found. */
export function walkKernel(record: KernelRecord, target: Target): Walked {
  const captured = captureFunction(record.fn);
  const { name } = captured.node;
  if (name?.getText(captured.sourceFile) === record.name) {
    record.name = captured.authorName(record.name, name.getStart(captured.sourceFile) - captured.textOffset);
  }
  const syntax = checkSyntax(captured);
  const forced = new Set<string>();
  for (let attempt = 0; attempt < MOST_RESTARTS; attempt++) {
    try {
      return new KernelWalk(record, target, captured, forced).run(syntax);
    } catch (error) {
      if (!(error instanceof Restart)) throw error;
      if (forced.has(error.key)) throw new TypeError(`lowering restarts twice for ${error.key}`);
      forced.add(error.key);
    }
  }
  throw new TypeError("lowering does not settle");
}

class KernelWalk implements Walker {
  readonly ts = typescript();
  readonly emit = new Emitter();
  readonly diagnostics: Diagnostic[] = [];
  readonly frozen: Walker["frozen"] = new Map();
  readonly blocking: Walker["blocking"] = new Map();
  readonly waits: Walker["waits"] = new Set();
  readonly inlined: Walker["inlined"] = [];
  readonly placeholders: Stmt[] = [];
  readonly memory: Walker["memory"] = new Map();
  readonly calls = { count: 0 };
  readonly helpers = new Set<CapturedFunction>();
  readonly ranges: Walker["ranges"] = [];
  readonly target: Target;
  readonly forced: ReadonlySet<string>;
  depth = 0;
  conditional = 0;
  definite: Walker["definite"] = new Set();
  frame: Frame;
  calledBy: string | undefined = undefined;
  private readonly record: KernelRecord;
  private readonly sites: (Site | undefined)[] = [undefined];

  constructor(record: KernelRecord, target: Target, captured: CapturedFunction, forced: ReadonlySet<string>) {
    this.record = record;
    this.target = target;
    this.forced = forced;
    this.frame = {
      captured,
      scope: new Scope(undefined),
      thisValue: stat(record.thisValue),
      callSite: 0,
      path: "",
      result: undefined,
      targets: [],
      sites: new Map(),
      stack: [],
      parent: undefined,
      callNode: undefined,
      calledBy: undefined,
    };
  }

  run(syntax: readonly Diagnostic[]): Walked {
    const { captured } = this.frame;
    this.diagnostics.push(...syntax);
    const { params, specs } = this.parameters();
    const body = captured.node.body;
    const list = this.emit.collect(() => {
      // A kernel with forbidden syntax is not walked: what follows would mostly be echo.
      if (syntax.length > 0 || body === undefined) return;
      if (this.ts.isBlock(body)) this.statements(body.statements);
      else this.guard(body, () => this.effect(body));
    });
    if (this.diagnostics.length > 0) throw new KpuError(this.diagnostics);
    spreadBlocking(this, (site) => this.locationOf(site));
    const marks = new Set(this.placeholders);
    const frozen = [...this.frozen.values()].flatMap((reads) => [...reads.values()]);
    return {
      kernel: {
        name: this.record.name,
        level: "open",
        params,
        body: marks.size > 0 ? without(list, marks) : list,
        locations: [],
        tables: this.emit.tables,
        texts: this.emit.texts,
      },
      captured,
      paramSpecs: specs,
      blocking: this.blocking,
      frozen,
      ranges: this.ranges,
      locationOf: (site) => this.locationOf(site),
    };
  }

  private parameters(): { params: Param[]; specs: ParamSpec[] } {
    const t = this.ts;
    const nodes = this.frame.captured.node.parameters;
    const params: Param[] = [];
    const specs: ParamSpec[] = [];
    this.record.params.forEach((decl, i) => {
      const node = nodes[i];
      const pointer = decl instanceof PtrParam;
      const dtype = pointer ? decl.dtype.name : decl.name;
      const running = node !== undefined && t.isIdentifier(node.name) ? node.name : undefined;
      const name = running === undefined ? `p${i}` : this.nameOf(running);
      const type = pointer ? ptrType(dtype, decl.scope, decl.constant) : scalar(scalarOf(dtype));
      const local = this.emit.local(name, type, false);
      const noalias = pointer && decl.noalias ? { noalias: true } : {};
      params.push({ local, dtype, pointer, ...noalias });
      specs.push({ name, dtype, pointer, constant: pointer && decl.constant, ...noalias });
      if (node === undefined) return;
      if (!t.isIdentifier(node.name) || node.dotDotDotToken || node.initializer) {
        this.report(
          "KPU1011",
          `expected a plain parameter, got ${this.text(node)}`,
          node,
          "kernel parameters are names without defaults or patterns",
        );
        return;
      }
      this.emit.site = this.site(node);
      this.frame.scope.cells.set(
        node.name.text,
        newCell(this, name, runtime(this.emit.asNum(this.emit.ref(local))), false, node),
      );
    });
    if (nodes.length > this.record.params.length) {
      const extra = nodes[this.record.params.length] as ts.Node;
      this.report(
        "KPU3009",
        `expected ${this.record.params.length} parameters as the kernel declares, got ${nodes.length}`,
        extra,
        "declare the dtype of every parameter: kernel([ptr(f32), i32, ...], ...)",
      );
    }
    return { params, specs };
  }

  private report(code: DiagnosticCode, message: string, node: ts.Node, help?: string): void {
    this.diagnostics.push(diagnostic(code, message, { location: this.emitLocation(node), help }));
  }

  // ------------------------------------------------------------------------------------------ recursion

  expr(node: ts.Expression): ReturnType<Walker["expr"]> {
    const site = this.emit.site;
    this.emit.site = this.site(node);
    const value = expression(this, node);
    this.emit.site = site;
    if (value.kind === "poison") throw new Silenced();
    return value;
  }
  list(nodes: readonly ts.Expression[]): ReturnType<Walker["list"]> {
    return operands(this, nodes);
  }
  effect(node: ts.Expression): void {
    const site = this.emit.site;
    this.emit.site = this.site(node);
    effectOf(this, node);
    this.emit.site = site;
  }
  condition(node: ts.Expression): ReturnType<Walker["condition"]> {
    const site = this.emit.site;
    this.emit.site = this.site(node);
    const c = conditionOf(this, node);
    this.emit.site = site;
    return c;
  }
  statement(node: ts.Statement): Jump {
    return this.guard(node, () => {
      this.emit.site = this.site(node);
      return statement(this, node);
    });
  }
  statements(nodes: readonly ts.Statement[], inScope = false): Jump {
    const scope = this.frame.scope;
    declareBlock(this, nodes);
    try {
      for (const node of nodes) {
        const jump = this.statement(node);
        if (jump) return jump;
      }
      return undefined;
    } finally {
      if (!inScope) this.frame.scope = scope;
    }
  }
  declareBlock(nodes: readonly ts.Statement[]): void {
    declareBlock(this, nodes);
  }
  invoke(...args: Parameters<Walker["invoke"]>): ReturnType<Walker["invoke"]> {
    return invoke(this, ...args);
  }
  inline(...args: Parameters<Walker["inline"]>): ReturnType<Walker["inline"]> {
    return inline(this, ...args);
  }
  method(...args: Parameters<Walker["method"]>): ReturnType<Walker["method"]> {
    return callMethod(this, ...args);
  }

  // ------------------------------------------------------------------------------------------ diagnostics

  /** Runs one statement; what it refuses is recorded, and what it would have defined becomes poison. */
  private guard(node: ts.Node, body: () => unknown): Jump {
    const { frame, depth, conditional, definite } = this;
    const { scope } = frame;
    const targets = frame.targets.length;
    const { list, site } = this.emit;
    try {
      return (body() ?? undefined) as Jump;
    } catch (error) {
      if (!(error instanceof KpuError || error instanceof Silenced)) throw error;
      if (error instanceof KpuError)
        this.diagnostics.push(...(located(this, error, node) as KpuError).diagnostics);
      this.frame = frame;
      this.depth = depth;
      this.conditional = conditional;
      this.definite = definite;
      frame.scope = scope;
      frame.targets.length = targets;
      this.emit.list = list;
      this.emit.site = site;
      this.poison(node);
      return undefined;
    }
  }

  /** The names that a refused statement would have given a value. */
  private poison(node: ts.Node): void {
    const t = this.ts;
    const names: string[] = [];
    if (t.isVariableStatement(node))
      for (const d of node.declarationList.declarations) bindingNames(t, d.name, names);
    else if (
      t.isExpressionStatement(node) &&
      t.isBinaryExpression(node.expression) &&
      t.isIdentifier(node.expression.left)
    ) {
      names.push(node.expression.left.text);
    }
    for (const name of names) {
      const cell = this.frame.scope.find(name);
      if (cell) Object.assign(cell, { value: POISON, local: undefined, pending: undefined });
    }
  }

  refuse(code: DiagnosticCode, message: string, node: ts.Node, help?: string): never {
    throw new KpuError([diagnostic(code, message, { location: this.emitLocation(node), help })]);
  }
  restart(key: string): never {
    throw new Restart(key);
  }

  // ------------------------------------------------------------------------------------------ places

  site(node: ts.Node): number {
    const { sites, captured, callSite } = this.frame;
    let index = sites.get(node);
    if (index === undefined) {
      const { sourceFile, textOffset } = captured;
      index =
        this.sites.push({
          captured,
          start: node.getStart(sourceFile) - textOffset,
          end: node.end - textOffset,
          parent: callSite,
        }) - 1;
      sites.set(node, index);
    }
    return index;
  }
  text(node: ts.Node): string {
    const { captured } = this.frame;
    const start = node.getStart(captured.sourceFile) - captured.textOffset;
    return captured.authorText(start, node.end - captured.textOffset);
  }
  nameOf(name: ts.Identifier): string {
    const { captured } = this.frame;
    return captured.authorName(name.text, name.getStart(captured.sourceFile) - captured.textOffset);
  }
  emitLocation(node: ts.Node): Location {
    return this.locationOf(this.site(node)) as Location;
  }
  private locationOf(index: number): Location | undefined {
    const site = this.sites[index];
    if (site === undefined) return undefined;
    const own = site.captured.locate(site.start, site.end);
    const inlinedAt = this.locationOf(site.parent);
    return inlinedAt === undefined ? own : { ...own, inlinedAt };
  }

  /** `this` of a static method is captured like any other value. */
  readThis(): void {
    const { captured, thisValue } = this.frame;
    if (thisValue.kind !== "static" || thisValue.value === undefined) return;
    let reads = this.frozen.get(captured);
    if (reads === undefined) this.frozen.set(captured, (reads = new Map()));
    if (!reads.has("this")) reads.set("this", freeze(captured, "this", thisValue.value));
  }
}

/** The statements without the marks of pending variables. */
function without(list: readonly Stmt[], marks: ReadonlySet<Stmt>): Stmt[] {
  const clean = (body: readonly Stmt[]): Stmt[] => without(body, marks);
  return list
    .filter((s) => !marks.has(s))
    .map((s): Stmt => {
      switch (s.kind) {
        case "if":
          // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
          return { ...s, then: clean(s.then), else: clean(s.else) };
        case "for":
        case "block":
          return { ...s, body: clean(s.body) };
        case "loop":
          return { ...s, test: clean(s.test), body: clean(s.body), update: clean(s.update) };
        default:
          return s;
      }
    });
}
