/**
 * A kernel made ready to be walked over many times: variables have numbers, expressions are functions, the core's own work
 * between two commands is counted, and what loops carry is known.
 */
import { constantBytes, scopeBytes } from "../../codegen/index.ts";
import type { Apply, Expr, Kernel, Local, LocationIndex, Stmt } from "../../ir/kir.ts";
import { assignedIn, exprsOf, forEachStmt } from "../../ir/walk.ts";
import type { CoreClass } from "../../machine/trace.ts";
import { EngineSite } from "./commands.ts";
import { type Evaluate, evaluateOf } from "./expressions.ts";
import { decidingLocals, isCommand } from "./slice.ts";
import { type Work, workOf } from "./work.ts";

/** How a statement was left: undefined when control goes on to the next. */
export type Jump =
  | { readonly kind: "break" | "continue"; readonly label: string }
  | { readonly kind: "return" }
  | undefined;

/** Variables by their numbers; -1 where nobody asks for the value. */
export type Step = { readonly at: LocationIndex } & (
  | { readonly is: "work"; readonly work: Work }
  | { readonly is: "set"; readonly to: number; readonly value: Evaluate }
  | CommandStep
  | IfStep
  | ForStep
  | LoopStep
  | { readonly is: "block"; readonly label: string; readonly body: readonly Step[] }
  | { readonly is: "jump"; readonly jump: Jump }
);
export interface CommandStep {
  readonly is: "command";
  readonly at: LocationIndex;
  readonly to: number;
  readonly e: Apply;
  readonly args: readonly Evaluate[];
  /** Of ops of engines. */
  readonly site: EngineSite | undefined;
}
export interface IfStep {
  readonly is: "if";
  readonly at: LocationIndex;
  readonly cond: Evaluate;
  readonly yes: readonly Step[];
  readonly no: readonly Step[];
}
export interface ForStep {
  readonly is: "for";
  readonly at: LocationIndex;
  readonly label: string;
  readonly counter: number;
  readonly from: Evaluate;
  readonly to: Evaluate;
  readonly step: number;
  readonly body: readonly Step[];
  /** Deciding variables from outside that it assigns. */
  readonly carried: readonly number[];
}
export interface LoopStep {
  readonly is: "loop";
  readonly at: LocationIndex;
  readonly label: string;
  readonly testFirst: boolean;
  readonly test: readonly Step[];
  readonly cond: Evaluate;
  readonly body: readonly Step[];
  readonly update: readonly Step[];
  readonly carried: readonly number[];
}

export interface Prepared {
  readonly kernel: Kernel;
  /** Variables whose values decide commands. */
  readonly numberOf: ReadonlyMap<Local, number>;
  readonly body: readonly Step[];
  /** Bytes of its buffers in the scopes that share a level with something, and of its constant tables. */
  readonly bytes: { readonly local: number; readonly l1: number; readonly tables: number };
}

const PREPARED = new WeakMap<Kernel, Prepared>();

export function prepared(kernel: Kernel): Prepared {
  const known = PREPARED.get(kernel);
  if (known !== undefined) return known;
  const numberOf = new Map([...decidingLocals(kernel)].map((local, i) => [local, i]));
  const { local, l1 } = scopeBytes(kernel);
  const made: Prepared = {
    ...{ kernel, numberOf, body: new Preparation(numberOf).list(kernel.body) },
    bytes: { local, l1, tables: constantBytes(kernel) },
  };
  PREPARED.set(kernel, made);
  return made;
}

/** Work of a stretch of the program that is done whole or not at all. */
interface Stretch {
  readonly exprs: readonly Expr[];
  readonly more: readonly CoreClass[];
  readonly at: LocationIndex;
}

class Preparation {
  readonly #numberOf: ReadonlyMap<Local, number>;

  constructor(numberOf: ReadonlyMap<Local, number>) {
    this.#numberOf = numberOf;
  }

  /** Statements, with work before the first and behind the last of them. */
  list(stmts: readonly Stmt[], before?: Stretch, behind?: Stretch): readonly Step[] {
    const steps: Step[] = [];
    let stretches = before === undefined ? [] : [before];
    let values: Step[] = [];
    /** Work comes before the values and the command or branch that it is for. */
    const settle = (): void => {
      const first = stretches.find((s) => workOf(s.exprs, ...s.more).length > 0);
      if (first !== undefined) {
        const exprs = stretches.flatMap((s) => s.exprs);
        const more = stretches.flatMap((s) => s.more);
        steps.push({ is: "work", work: workOf(exprs, ...more), at: first.at });
      }
      steps.push(...values);
      stretches = [];
      values = [];
    };
    for (const s of stmts) {
      const { at } = s;
      switch (s.kind) {
        case "let":
        case "assign":
        case "effect": {
          stretches.push({ exprs: exprsOf(s), more: [], at });
          const to = s.kind === "effect" ? undefined : this.#numberOf.get(s.local);
          if (isCommand(s) && s.value.kind === "apply") {
            settle();
            steps.push(this.#command(s.value, to ?? -1, at));
          } else if (to !== undefined) values.push({ is: "set", to, value: this.#value(s.value), at });
          break;
        }
        case "if":
          stretches.push({ exprs: exprsOf(s), more: ["branch"], at });
          settle();
          steps.push({
            ...{ is: "if", cond: this.#value(s.cond), at },
            ...{ yes: this.list(s.then), no: this.list(s.else) },
          });
          break;
        case "for":
          settle();
          steps.push({
            ...{ is: "for", label: s.label, counter: this.#numberOf.get(s.local) ?? -1, at },
            ...{ from: this.#value(s.from), to: this.#value(s.to), step: s.step },
            // The bounds are looked at once, the counter in every round.
            body: this.list(s.body, { exprs: [], more: ["scalar", "branch"], at }),
            carried: this.#carriedBy(s),
          });
          break;
        case "loop":
          settle();
          steps.push({
            ...{ is: "loop", label: s.label, testFirst: s.testFirst, cond: this.#value(s.cond), at },
            test: this.list(s.test, undefined, { exprs: exprsOf(s), more: ["branch"], at }),
            ...{ body: this.list(s.body), update: this.list(s.update) },
            carried: this.#carriedBy(s),
          });
          break;
        case "block":
          settle();
          steps.push({ is: "block", label: s.label, body: this.list(s.body), at });
          break;
        case "break":
        case "continue":
          settle();
          steps.push({ is: "jump", jump: { kind: s.kind, label: s.label }, at });
          break;
        case "return":
          settle();
          steps.push({ is: "jump", jump: { kind: "return" }, at });
          break;
      }
    }
    if (behind !== undefined) stretches.push(behind);
    settle();
    return steps;
  }

  #value(e: Expr): Evaluate {
    return evaluateOf(e, this.#numberOf);
  }

  #command(e: Apply, to: number, at: LocationIndex): CommandStep {
    const args = e.args.map((a) => this.#value(a));
    return { is: "command", at: e.at || at, to, e, args, site: EngineSite.of(e) };
  }

  #carriedBy(s: Stmt): readonly number[] {
    const own = new Set<Local>();
    forEachStmt([s], (x) => {
      if (x.kind === "let" || x.kind === "for") own.add(x.local);
    });
    return [...assignedIn([s])].flatMap((l) => (own.has(l) ? [] : (this.#numberOf.get(l) ?? [])));
  }
}
