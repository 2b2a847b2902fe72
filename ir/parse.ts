/**
 * Reads KIR text: the exact inverse of `print.ts`. The text may come from anywhere: every mistake is a KPU7001 with its
 * position (KPU7002 where the text is fine and the program is not), nesting and sizes are bounded, and what names
 * contain does not matter.
 */
import { attrProblem, isConstant, isDType, isElement, isLaneCount } from "./attrs.ts";
import type { Location } from "./diagnostic.ts";
import { type DTypeName, SCOPES, type Scope } from "./dtype.ts";
import {
  type Apply,
  type Attrs,
  type AttrValue,
  type Expr,
  type Kernel,
  type Level,
  type Local,
  mask,
  type Param,
  ptrType,
  type ScalarName,
  type Stmt,
  scalar,
  scalarOf,
  type Type,
  typeText,
  vec,
} from "./kir.ts";
import { OPS, type OpName } from "./ops.ts";
import { Reader } from "./reader.ts";
import { bareType, FORMS, type Form, impliedAttrs, KIR_VERSION, suffixOperand } from "./syntax.ts";
import type { Token } from "./tokens.ts";

/**
 * The kernel of a text. The result need not be well formed beyond the types of its ops: see `verifyKernel`.
 * @throws KPU7001 with line and column, and what was expected there.
 * @example parseKernel(printKernel(k))
 */
export function parseKernel(text: string, file = "<kir>"): Kernel {
  return new Parser(text, file).kernel();
}

/** Longest chain of else-ifs, which nest in the tree. */
const MAX_ARMS = 1000;
const SCALAR_NAMES: readonly string[] = ["num", "i32", "i64", "f32", "f64", "bool", "event"];
const LEVELS: readonly string[] = ["open", "virtual", "machine"];
/** Names of ops as they stand in text, with the ops that share each. */
const FORMS_BY_NAME = new Map<string, [OpName, Form][]>();
for (const [op, form] of Object.entries(FORMS) as [OpName, Form][]) {
  FORMS_BY_NAME.set(form.name, [...(FORMS_BY_NAME.get(form.name) ?? []), [op, form]]);
}

class Parser extends Reader {
  private level: Level = "virtual";
  private readonly locals = new Map<string, Local>();

  constructor(text: string, file: string) {
    super(text, file, { what: "KIR", code: "KPU7001" });
  }

  // -------------------------------------------------------------------------------------------- the module

  kernel(): Kernel {
    this.newlines();
    this.word("kir");
    const version = this.integer("the version");
    if (version !== KIR_VERSION)
      this.wrong(`version ${version} of KIR is not known; this is version ${KIR_VERSION}`, -1);
    this.sign(",");
    this.word("level");
    this.sign(":");
    this.level = this.oneOf("a level", LEVELS) as Level;
    let registerBits: number | undefined;
    if (this.takes(",")) {
      this.word("register");
      this.sign(":");
      registerBits = this.integer("the register width in bits");
    }
    this.endOfLine();
    const tables: Kernel["tables"][number][] = [];
    const texts: string[] = [];
    const locations: (Location | undefined)[] = [undefined];
    for (;;) {
      if (this.takesWord("table")) tables.push(this.table(tables.length));
      else if (this.takesWord("text")) texts.push(this.textLine(texts.length));
      else if (this.takesWord("location")) this.locationLine(locations);
      else break;
      this.endOfLine();
    }
    this.word("kernel");
    const name = this.globalName();
    const params = this.params();
    const body = this.body(0);
    this.newlines();
    if (this.peek().kind !== "end") this.expected("the end of the text");
    return {
      name,
      level: this.level,
      params,
      body,
      locations,
      tables,
      texts,
      ...(registerBits === undefined ? {} : { registerBits }),
    };
  }

  private table(index: number): Kernel["tables"][number] {
    this.entry(index);
    this.sign(":");
    const dtype = this.dtype();
    this.sign("=");
    const values = this.numbers();
    const bad = values.find((x) => !isElement(dtype, x));
    if (bad !== undefined) this.wrong(`${bad} is not a value of ${dtype}`, -1);
    return { dtype, values };
  }
  private textLine(index: number): string {
    this.entry(index);
    this.sign("=");
    return this.string();
  }
  private locationLine(locations: (Location | undefined)[]): void {
    const index = Number(this.take("global", "@ and a number").text.slice(1));
    if (!(index >= locations.length && index <= locations.length + 1_000_000)) {
      this.wrong(`locations are numbered from ${locations.length} on`, -1);
    }
    this.sign("=");
    while (locations.length < index) locations.push(undefined);
    locations.push(this.location());
  }
  private location(): Location {
    const chain: Omit<Location, "inlinedAt">[] = [];
    do {
      const file = this.string();
      const line = this.integer("a line");
      this.sign(":");
      const column = this.integer("a column");
      const end: { endLine?: number; endColumn?: number } = {};
      if (this.takesWord("to")) {
        if (this.peek().kind === "number") end.endLine = this.integer("a line");
        if (this.takes(":")) end.endColumn = this.integer("a column");
      }
      chain.push({ file, line, column, ...end });
    } while (this.takesWord("from"));
    return chain.reduceRight<Location | undefined>(
      (at, l) => (at ? { ...l, inlinedAt: at } : l),
      undefined,
    ) as Location;
  }
  private entry(index: number): void {
    const token = this.take("global", `@${index}`);
    if (token.text !== `@${index}`) this.wrong(`expected @${index}, got ${token.text}`, -1);
  }
  private globalName(): string {
    return this.nameOf(this.take("global", "@ and a name").text.slice(1));
  }

  private params(): Param[] {
    const params: Param[] = [];
    this.sign("(");
    if (this.takes(")")) return params;
    do {
      const token = this.take("local", "a parameter");
      this.sign(":");
      const noalias = this.takesWord("noalias");
      if (noalias || this.peek().text === "ptr") {
        const type = this.type();
        if (type.kind !== "ptr") return this.expected("a pointer type");
        const local = this.define(token, type, false);
        params.push({ local, dtype: type.dtype, pointer: true, ...(noalias ? { noalias } : {}) });
      } else {
        const dtype = this.dtype();
        params.push({ local: this.define(token, scalar(scalarOf(dtype)), false), dtype, pointer: false });
      }
    } while (this.takes(","));
    this.sign(")");
    return params;
  }

  // -------------------------------------------------------------------------------------------- statements

  /** `{ statements }`; `at` is the location that they inherit. */
  private body(at: number): Stmt[] {
    this.deeper();
    this.sign("{");
    const stmts: Stmt[] = [];
    for (;;) {
      this.newlines();
      if (this.takes("}")) break;
      stmts.push(this.stmt(at));
      if (this.peek().text !== "}") this.endOfLine();
    }
    this.depth--;
    return stmts;
  }

  private place(outer: number): number {
    const token = this.peek();
    if (token.kind !== "place") return outer;
    this.next++;
    return Number(token.text.slice(1));
  }

  private stmt(outer: number): Stmt {
    const at = this.place(outer);
    const token = this.peek();
    if (token.kind === "local") {
      this.next++;
      const local = this.local(token);
      this.sign("=");
      return { kind: "assign", local, value: this.expr(at, local.type), at };
    }
    const labelled = (token.kind === "word" || token.kind === "string") && this.peek(1).text === ":";
    let label = "";
    if (labelled) {
      this.next += 2;
      label = this.nameOf(token.text);
    }
    const word = this.peek();
    if (word.kind !== "word" && word.text !== "(") return this.expected("a statement");
    switch (word.text) {
      case "for":
        return this.forLoop(label, at);
      case "loop":
        return this.loop(label, at);
      case "block":
        this.next++;
        return { kind: "block", label, body: this.body(at), at };
    }
    if (labelled) return this.expected("for, loop or block after a label");
    switch (word.text) {
      case "let":
      case "var":
        return this.definition(at);
      case "if":
        return this.conditional(at);
      case "break":
      case "continue":
        this.next++;
        return { kind: word.text, label: this.jumpLabel(), at };
      case "return":
        this.next++;
        return { kind: "return", at };
    }
    const value = this.expr(at);
    if (value.kind !== "apply") return this.expected("an op");
    return { kind: "effect", value, at };
  }

  private jumpLabel(): string {
    const { kind, text } = this.peek();
    if (kind !== "word" && kind !== "string") return "";
    this.next++;
    return this.nameOf(text);
  }

  private definition(at: number): Stmt {
    const mutable = this.advance().text === "var";
    const token = this.take("local", "a local");
    this.sign(":");
    const type = this.type();
    this.sign("=");
    const value = this.expr(at, type);
    return { kind: "let", local: this.define(token, type, mutable), value, at };
  }

  private conditional(first: number): Stmt {
    const arms: { cond: Expr; then: Stmt[]; at: number }[] = [];
    let last: Stmt[] = [];
    let at = first;
    for (;;) {
      this.word("if");
      if (arms.length >= MAX_ARMS) this.wrong(`an if has more than ${MAX_ARMS} arms`, -1);
      const cond = this.expr(at);
      // biome-ignore lint/suspicious/noThenProperty: `then` is the field of KIR's if
      arms.push({ cond, then: this.body(at), at });
      if (!this.takesWord("else")) break;
      if (this.peek().text === "{") {
        last = this.body(at);
        break;
      }
      at = this.place(at);
    }
    const chain = arms.reduceRight<Stmt[]>((other, arm) => [{ kind: "if", ...arm, else: other }], last);
    return chain[0] as Stmt;
  }

  private forLoop(label: string, at: number): Stmt {
    this.word("for");
    const token = this.take("local", "a local");
    this.sign(":");
    const type = this.type();
    this.sign("=");
    const from = this.expr(at, type);
    this.word("to");
    const to = this.expr(at, type);
    this.word("step");
    const step = this.number("the step");
    const local = this.define(token, type, false);
    return { kind: "for", label, local, from, to, step, body: this.body(at), at };
  }

  private loop(label: string, at: number): Stmt {
    this.word("loop");
    const testFirst = this.peek().text !== "{";
    let test: Stmt[] = [];
    if (testFirst) {
      if (this.takesWord("test")) {
        test = this.body(at);
        this.newlines();
      }
      this.word("while");
      const cond = this.expr(at);
      const body = this.body(at);
      return { kind: "loop", label, testFirst, test, cond, body, update: this.part("update", at), at };
    }
    const body = this.body(at);
    const update = this.part("update", at);
    test = this.part("test", at);
    this.newlines();
    this.word("while");
    return { kind: "loop", label, testFirst, test, cond: this.expr(at), body, update, at };
  }

  /** `update { ... }` on the next line, if it is there. */
  private part(word: string, at: number): Stmt[] {
    const before = this.next;
    this.newlines();
    if (this.peek().text === word && this.peek(1).text === "{") {
      this.next++;
      return this.body(at);
    }
    this.next = before;
    return [];
  }

  // -------------------------------------------------------------------------------------------- expressions

  /** A whole expression; `bare` is the type of a number without type. */
  private expr(outer: number, bare?: Type): Expr {
    this.deeper();
    const at = this.place(outer);
    const token = this.peek();
    const e =
      token.kind === "word" && this.beginsOp(token.text) ? this.apply(token, at) : this.indexed(at, bare);
    this.depth--;
    return e;
  }

  /** True for a word that begins an op with operands, a bracket or attributes. */
  private beginsOp(word: string): boolean {
    return FORMS_BY_NAME.has(word) || (Object.hasOwn(OPS, word) && !isBare(word as OpName));
  }

  /** `%p[%i]`: a primary, moved by elements. */
  private indexed(at: number, bare?: Type): Expr {
    let e = this.primary(at, bare);
    while (this.peek().text === "[") {
      const token = this.advance();
      const index = this.expr(at);
      this.sign("]");
      e = this.made(token, "ptr_add", [e, index], {}, at);
    }
    return e;
  }

  private primary(at: number, bare?: Type): Expr {
    const token = this.advance();
    switch (token.kind) {
      case "local": {
        const local = this.local(token);
        return { kind: "ref", type: local.type, local, at };
      }
      case "number":
        this.next--;
        return this.constant(at, bare);
      case "word":
        if (token.text === "true" || token.text === "false") {
          return { kind: "const", type: scalar("bool"), value: token.text === "true", at };
        }
        if (Object.hasOwn(OPS, token.text) && isBare(token.text as OpName)) {
          return this.made(token, token.text as OpName, [], {}, at);
        }
        break;
      case "sign":
        if (token.text === "(") {
          const e = this.expr(at, bare);
          this.sign(")");
          return e;
        }
    }
    this.next--;
    return this.expected("a value");
  }

  private constant(at: number, bare: Type | undefined): Expr {
    const value = this.number("a number");
    const type = this.takes(":") ? this.type() : (bare ?? bareType("load", undefined, 0, this.level));
    if (!isConstant(type, value)) this.wrong(`${value} is not a constant of type ${typeText(type)}`, -1);
    return { kind: "const", type, value, at };
  }

  private apply(token: Token, at: number): Expr {
    this.next++;
    const forms = FORMS_BY_NAME.get(token.text);
    if (forms !== undefined) return this.formed(token, forms, at);
    const op = token.text as OpName;
    const suffix = suffixOperand(op) !== undefined && this.takes(".") ? this.type() : undefined;
    const attrs = this.peek().text === "{" ? this.attrs(op) : {};
    const args: Expr[] = [];
    const { arity } = OPS[op];
    const some = arity === "any" ? this.beginsOperand() : arity > 0;
    if (some) {
      do args.push(this.indexed(at, bareType(op, suffix, args.length, this.level)));
      while (this.takes(","));
    }
    const shown = suffix && args[suffixOperand(op) ?? 0]?.type;
    if (suffix && shown && typeText(suffix) !== typeText(shown)) {
      this.wrong(`${op}.${typeText(suffix)} has an operand of type ${typeText(shown)}`, token);
    }
    return this.made(token, op, args, attrs, at);
  }

  private beginsOperand(): boolean {
    const { kind, text } = this.peek();
    return kind === "local" || kind === "number" || kind === "word" || text === "(";
  }

  /** `load<f32x8> %x[%i] mask %m else %r`: the keywords tell which of the ops with this name it is. */
  private formed(token: Token, forms: readonly [OpName, Form][], at: number): Expr {
    this.sign("<");
    const lanes = forms[0]?.[1].bracket === "lanes";
    const bracket = lanes ? this.integer("a number of lanes") : this.type();
    this.sign(">");
    if (typeof bracket !== "number" && bracket.kind !== "vec" && bracket.kind !== "mask") {
      return this.wrong(`expected a vector or mask type, got ${typeText(bracket)}`, -2);
    }
    const given = this.peek().text === "{" ? this.attrs(forms[0]?.[0] as OpName) : {};
    const values = token.text === "vconst" ? this.numbers() : undefined;
    const bare = bareType("load", undefined, 0, this.level);
    const args: Expr[] = [];
    const plain = forms[0]?.[1].plain ?? 0;
    for (let i = 0; i < plain; i++) {
      if (i > 0) this.sign(",");
      args.push(this.indexed(at, bare));
    }
    const words: string[] = [];
    while (forms.some(([, f]) => f.keywords[words.length] === this.peek().text)) {
      words.push(this.advance().text);
      args.push(this.indexed(at, bare));
    }
    const found = forms.find(([, f]) => f.keywords.join() === words.join());
    if (found === undefined)
      return this.expected(
        forms
          .map(([, f]) => f.keywords[words.length])
          .filter(Boolean)
          .join(" or "),
      );
    const [op, form] = found;
    const e = this.made(token, op, args, { ...impliedAttrs(op, bracket, values), ...given }, at);
    const shown = form.bracket === "operand" ? args[op === "scatter" ? 2 : 1]?.type : e.type;
    if (typeof bracket !== "number" && shown && typeText(shown) !== typeText(bracket)) {
      return this.wrong(
        `${token.text}<${typeText(bracket)}> has the type ${typeText(shown)}`,
        token,
        "KPU7002",
      );
    }
    return e;
  }

  private made(token: Token, op: OpName, args: readonly Expr[], attrs: Attrs, at: number): Apply {
    const { arity, rule } = OPS[op];
    if (arity !== "any" && args.length !== arity) {
      return this.wrong(`${op} takes ${arity} operands, got ${args.length}`, token, "KPU7002");
    }
    const problem = attrProblem(op, attrs);
    if (problem !== undefined) return this.wrong(`${op} ${problem}`, token, "KPU7002");
    const type = rule(
      args.map((a) => a.type),
      attrs,
    );
    if (typeof type === "string") return this.wrong(`${op}: ${type}`, token, "KPU7002");
    return { kind: "apply", type, op, args, attrs, at };
  }

  // -------------------------------------------------------------------------------------------- attributes, types

  private attrs(op: OpName): Attrs {
    const known = (OPS[op].attrs ?? []).map((a) => a.replace("?", ""));
    const attrs: Record<string, AttrValue> = {};
    this.sign("{");
    do {
      const key = this.take("word", "the name of an attribute").text;
      if (!known.includes(key)) return this.wrong(`${op} has no attribute ${key}`, -1);
      if (Object.hasOwn(attrs, key)) return this.wrong(`attribute ${key} is given twice`, -1);
      attrs[key] = this.takes(":") ? this.attrValue() : true;
    } while (this.takes(","));
    this.sign("}");
    return attrs;
  }

  private attrValue(): AttrValue {
    const { kind, text } = this.peek();
    if (text === "[") return this.numbers();
    if (kind === "number") return this.number("a number");
    if (kind === "string") return this.string();
    if (kind !== "word") return this.expected("the value of an attribute");
    this.next++;
    return text === "true" ? true : text === "false" ? false : text;
  }

  private type(): Type {
    const token = this.take("word", "a type");
    const { text } = token;
    if (SCALAR_NAMES.includes(text)) return scalar(text as ScalarName);
    if (text === "void") return { kind: "void" };
    if (text === "mask") {
      this.sign("<");
      const lanes = this.integer("a number of lanes");
      if (!isLaneCount(lanes)) this.wrong(`a mask cannot have ${lanes} lanes`, -1);
      this.sign(">");
      return mask(lanes);
    }
    if (text === "ptr") {
      this.sign("<");
      const constant = this.takesWord("const");
      const dtype = this.dtype();
      this.sign(",");
      const scope = this.oneOf("a scope", SCOPES) as Scope;
      this.sign(">");
      return ptrType(dtype, scope, constant);
    }
    const [, dtype, lanes] = /^([a-z][a-z\d]*)x(\d+)$/u.exec(text) ?? [];
    if (!isDType(dtype) || dtype === "bool" || !isLaneCount(Number(lanes)))
      return this.wrong(`expected a type, got ${text}`, token);
    return vec(dtype, Number(lanes));
  }

  private dtype(): DTypeName {
    const token = this.take("word", "a dtype");
    return isDType(token.text) ? token.text : this.wrong(`expected a dtype, got ${token.text}`, token);
  }

  private numbers(): number[] {
    const values: number[] = [];
    this.sign("[");
    if (this.takes("]")) return values;
    do values.push(this.number("a number"));
    while (this.takes(","));
    this.sign("]");
    return values;
  }

  // -------------------------------------------------------------------------------------------- names

  private define(token: Token, type: Type, mutable: boolean): Local {
    if (this.locals.has(token.text)) return this.wrong(`${token.text} is defined twice`, token);
    const name = this.nameOf(token.text.slice(1).replace(/\.\d+$/u, ""));
    const local: Local = { id: this.locals.size, name, type, mutable };
    this.locals.set(token.text, local);
    return local;
  }
  private local(token: Token): Local {
    return this.locals.get(token.text) ?? this.wrong(`${token.text} is not defined before this place`, token);
  }
}

function isBare(op: OpName): boolean {
  return OPS[op].arity === 0 && (OPS[op].attrs ?? []).length === 0;
}
