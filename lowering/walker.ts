/**
 * What the parts of the walk share. The parts call each other through this interface, so that no file of the folder
 * imports its caller: `walk.ts` puts them together.
 */
import type ts from "typescript";
import type { CapturedFunction, FrozenRead } from "../capture/index.ts";
import type { IntrinsicRecord } from "../dsl/intrinsic.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import type { Diagnostic, Location } from "../ir/diagnostic.ts";
import type { Scope as MemoryScope } from "../ir/dtype.ts";
import type { Expr, Local, Stmt } from "../ir/kir.ts";
import type { Target } from "../ir/target.ts";
import type { InlinedCall } from "./blocking.ts";
import type { Emitter, Label } from "./emit.ts";
import type { Cell, ClosureValue, Scope, Value } from "./values.ts";

export type FunctionNode = ts.FunctionLikeDeclaration;

/** How a statement leaves: undefined when control reaches its end. A label of "" is a mixture or a return. */
export type Jump = { readonly label: Label | undefined } | undefined;

/** One function being lowered: the kernel, or a helper that is being inlined. */
export interface Frame {
  readonly captured: CapturedFunction;
  scope: Scope;
  readonly thisValue: Value;
  /** Site of the call that is being inlined; 0 for the kernel. */
  readonly callSite: number;
  /** Path of call positions from the kernel: makes restart keys unique. */
  readonly path: string;
  /** Undefined in the kernel itself. */
  readonly result: ResultSlot | undefined;
  readonly targets: JumpTarget[];
  readonly sites: Map<ts.Node, number>;
  /** Functions being inlined, innermost last: finds recursion. */
  readonly stack: readonly unknown[];
  readonly parent: Frame | undefined;
  /** The call expression in the parent frame's text; marks blocking sites. */
  readonly callNode: ts.Node | undefined;
  /** The method of JavaScript that calls the function, which cannot suspend: "forEach". */
  readonly calledBy: string | undefined;
}

/** Where the returns of an inlined function go. */
export interface ResultSlot {
  readonly label: Label;
  readonly cell: Cell;
  /** Region depth of the function's own statements. */
  readonly depth: number;
  /** Set by a return that needs no jump. */
  direct: Value | undefined;
  /** Some return gave a value, some did not. */
  values: number;
  voids: number;
}

/** What `break` and `continue` can name. */
export interface JumpTarget {
  readonly names: string[];
  readonly breakTo: Label;
  /** Undefined for switch and labelled blocks. */
  readonly continueTo: Label | undefined;
  /** Depth of the target's body; a jump from deeper inside an unrolled loop makes that loop a region. */
  readonly depth: number;
  /**
   * Defined for an unrolled loop or static switch: its labels are blocks, so `continue` breaks out of one. The key of
   * the restart that makes it a region, empty when it is one.
   */
  readonly unrolled: string | undefined;
  /** A labelled block, which plain `break` passes by. */
  readonly block?: boolean;
}

export interface Walker {
  readonly ts: typeof import("typescript");
  readonly target: Target;
  readonly emit: Emitter;
  readonly diagnostics: Diagnostic[];
  readonly frozen: Map<CapturedFunction, Map<string, FrozenRead>>;
  readonly blocking: Map<CapturedFunction, Set<number>>;
  /** The calls behind `blocking`, and every call of a function of the kernel. */
  readonly waits: Set<ts.Node>;
  readonly inlined: InlinedCall[];
  /** Bytes allocated so far, per scope. */
  readonly memory: Map<MemoryScope, number>;
  /** Calls inlined so far. */
  readonly calls: { count: number };
  /** Helpers whose syntax was checked. */
  readonly helpers: Set<CapturedFunction>;
  /** Counters of S.range and S.grid, whose bounds must be integers. */
  readonly ranges: { local: Local; from: Expr; to: Expr; site: number }[];
  /** Restart keys of this attempt. */
  readonly forced: ReadonlySet<string>;
  frame: Frame;
  /** Runtime regions that enclose the current statement. */
  depth: number;
  /** As depth, counting only what makes an allocation conditional or repeated. */
  conditional: number;
  /** Marks of pending variables in statement lists; removed at the end. */
  readonly placeholders: Stmt[];
  /** Pending variables that certainly have a value here. */
  definite: Set<Cell>;

  expr(node: ts.Expression): Value;
  /** Several operands, left to right; an earlier one is bound where a later one may change what it reads. */
  list(nodes: readonly ts.Expression[]): Value[];
  /** An expression whose value is not used. */
  effect(node: ts.Expression): void;
  /** A condition: static boolean or a runtime bool. */
  condition(node: ts.Expression): boolean | Expr;
  statement(node: ts.Statement): Jump;
  /** A statement list in a scope of its own; `inScope` keeps the current one. */
  statements(nodes: readonly ts.Statement[], inScope?: boolean): Jump;
  /** Opens a scope and declares the names of these statements in it, functions with their value. */
  declareBlock(nodes: readonly ts.Statement[]): void;
  /** Calls of functions by methods of JavaScript that are under way: `xs.map(f)` calls f. */
  calledBy: string | undefined;
  /** Calls a function value. */
  invoke(callee: Value, thisValue: Value, args: Value[], node: ts.Node): Value;
  /** Calls the record of a pointer method. */
  method(record: IntrinsicRecord, receiver: Value, args: readonly Value[], node: ts.Node): Value;
  inline(fn: ClosureValue, args: Value[], node: ts.Node): Value;
  /** The site index of a node of the current frame. */
  site(node: ts.Node): number;
  text(node: ts.Node): string;
  /** A name as the author wrote it. */
  nameOf(name: ts.Identifier): string;
  /** The author's position of a node of the current frame, with the calls that led here. */
  emitLocation(node: ts.Node): Location;
  restart(key: string): never;
  /** Records that `this` is read. */
  readThis(): void;
  refuse(code: DiagnosticCode, message: string, node: ts.Node, help?: string): never;
}

/** Thrown to silence what follows from something that was already refused. */
export class Silenced extends Error {}

/** Thrown to lower the kernel again with one more forced key. */
export class Restart extends Error {
  readonly key: string;
  constructor(key: string) {
    super(key);
    this.key = key;
  }
}
