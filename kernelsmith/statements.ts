/** Statements: declarations, assignments, stores, output, and control flow on runtime values around them. */
import { statement, store } from "./accesses.ts";
import type { Area, Loop, Maker, Variable } from "./maker.ts";
import { matrixProduct } from "./products.ts";
import { asynchronous, hint, span, transfer } from "./transfers.ts";
import {
  type Binding,
  BOOL,
  call,
  type Expr,
  expr,
  I32,
  int,
  leaf,
  mask,
  NUM,
  ref,
  type Stmt,
  simple,
  type Ty,
  template,
  VOID,
  vec,
} from "./tree.ts";

/** Rounds of all enclosing loops together: what keeps a kernel fast in every execution. */
const MOST_ROUNDS = 48;
const MOST_DEPTH = 4;

type Production = (m: Maker, size: number) => readonly Stmt[] | undefined;

/** About `size` statements; always at least one. */
export function block(m: Maker, size: number): Stmt[] {
  const out: Stmt[] = [];
  let left = size;
  for (let attempt = 0; left > 0 && attempt < 4 * size + 8; attempt++) {
    const made = m.r.weighted(...SIMPLE, ...(m.scope.depth < MOST_DEPTH && left > 1 ? COMPOUND : []))(
      m,
      left,
    );
    if (made === undefined) continue;
    out.push(...made);
    left -= made.reduce((n, s) => n + sizeOf(s), 0);
  }
  return out;
}

export function sizeOf(s: Stmt): number {
  return 1 + s.bodies.reduce((n, body) => n + body.reduce((k, b) => k + sizeOf(b), 0), 0);
}

/** A type that values of this kernel have. */
export function someType(m: Maker): Ty {
  const { r } = m;
  switch (r.below(8)) {
    case 0:
      return NUM;
    case 1:
      return I32;
    case 2:
      return int(0, r.pick([7, 15, 31, 255]));
    case 3:
      return BOOL;
    case 4:
      return mask(r.pick(m.lanes));
    default:
      return vec(r.pick(m.dtypes.filter((d) => d !== "bool")), r.pick(m.lanes));
  }
}

export function declare(m: Maker, name: string, type: Ty, mutable = false): Variable {
  const v: Variable = { name, type, mutable };
  m.scope.variables.push(v);
  return v;
}

const PREFIX: { readonly [K in Ty["is"]]: string } = {
  num: "n",
  int: "c",
  bool: "b",
  vec: "v",
  mask: "m",
  ptr: "p",
  void: "r",
};

/** `const v0 = ...`. */
export function bind(m: Maker, value: Expr, mutable = false, type = value.type): Stmt {
  const name = m.fresh(PREFIX[type.is]);
  const s = simple(
    mutable ? "let" : "const",
    template([`${mutable ? "let" : "const"} ${name} = `, ""], value),
    { declares: [name] },
  );
  declare(m, name, type, mutable);
  return s;
}

const constant: Production = (m) => [bind(m, m.value(someType(m), 3))];

const variable: Production = (m) => {
  const type = m.r.weighted<Ty>(
    [3, NUM],
    [3, I32],
    [1, BOOL],
    [3, vec(m.r.pick(m.dtypes.filter((d) => d !== "bool")), m.r.pick(m.lanes))],
    [1, mask(m.r.pick(m.lanes))],
  );
  return [bind(m, m.value(type, 2), true, type)];
};

const assign: Production = (m) => {
  const list = m.scope.variables.filter((v) => v.mutable);
  if (list.length === 0) return undefined;
  const v = m.r.pick(list);
  const { r } = m;
  if (v.type.is === "num" && r.chance(0.6)) {
    if (r.chance(0.2))
      return [simple("update", template([`${v.name}${r.pick(["++", "--"])}`]), { tags: ["++"] })];
    const op = r.pick(["+=", "-=", "*=", "/=", "%="]);
    return [simple("assign", template([`${v.name} ${op} `, ""], m.num(2)), { tags: [op] })];
  }
  if (v.type.is === "int" && r.chance(0.4)) {
    const op = r.pick(["&=", "|=", "^=", "<<=", ">>="]);
    return [simple("assign", template([`${v.name} ${op} `, ""], m.num(2)), { tags: [op] })];
  }
  return [simple("assign", template([`${v.name} = `, ""], m.value(v.type, 3)))];
};

/** `[a, b] = [b, a]`. */
const swap: Production = (m) => {
  const list = m.scope.variables.filter((v) => v.mutable);
  const a = list.length > 0 ? m.r.pick(list) : undefined;
  const b = a && list.find((v) => v !== a && JSON.stringify(v.type) === JSON.stringify(a.type));
  if (a === undefined || b === undefined) return undefined;
  return [
    simple(
      "swap",
      template([`[${a.name}, ${b.name}] = [`, ", ", "]"], ref(b.type, b.name), ref(a.type, a.name)),
    ),
  ];
};

const storing: Production = (m) => {
  const s = store(m, 3);
  return s && [s];
};

const printing: Production = (m) => {
  if (m.scope.rounds > 8 || m.r.chance(0.5)) return undefined;
  const values = Array.from({ length: m.r.between(1, 2) }, () => m.value(someType(m), 1));
  if (m.r.chance(0.3)) {
    const parts = ["S.print`", ...values.map((_, i) => (i === 0 ? "a=${" : "} b=${")), "}`"];
    return [
      simple(
        "print",
        { parts: [parts[0]! + parts[1]!, ...parts.slice(2)], args: values },
        { tags: ["print template"] },
      ),
    ];
  }
  const format = leaf(VOID, `"${values.map((_, i) => `${"xy"[i]}={}`).join(" ")}"`);
  return [statement("print", call(VOID, "S.print", [format, ...values], [], "print"))];
};

/** An assertion that holds whatever the values are. */
const asserting: Production = (m) => {
  if (m.r.chance(0.7)) return undefined;
  const x = m.num(1);
  return [statement("assert", expr(VOID, "assert")`S.assert((${x} & 7) < 8, "low bits")`)];
};

const calling: Production = (m) => {
  const fits = m.helpers.filter((h) =>
    h.params.every((p) => p.type.is !== "ptr" || areasFor(m, p.type.dtype).length > 0),
  );
  if (fits.length === 0) return undefined;
  const h = m.r.pick(fits);
  m.called.add(h.name);
  const args = h.params.map((p) => {
    if (p.type.is === "ptr") return start(p.type, m.r.pick(areasFor(m, p.type.dtype)));
    return m.value(p.type, 2);
  });
  while (args.length > 0 && h.params[args.length - 1]?.fallback !== undefined && m.r.chance(0.5)) args.pop();
  const tags = args.length < h.params.length ? ["helper", "default parameter"] : ["helper"];
  const e = call(h.result, h.name, args, [], ...tags);
  return h.result.is === "void" ? [statement("call", e)] : [bind(m, e)];
};
/** Helpers take pointers to this many elements, and may write them. */
export const HELPER_SPAN = 8;
/** An area as a plain pointer: a buffer with rows is one to its first element. */
const start = (type: Ty, a: Area): Expr => leaf(type, a.shape ? `${a.text}.at(0, 0)` : a.text);
function areasFor(m: Maker, dtype: string) {
  return m.scope.areas.filter((a) => a.dtype === dtype && a.write && a.size >= HELPER_SPAN);
}

// ---------------------------------------------------------------------------------------------- control flow

const part = (m: Maker, size: number): number => m.r.between(1, Math.max(1, Math.min(6, size - 1)));

const branching: Production = (m, size) => {
  const { scope, r } = m;
  const cond = r.chance(0.15) ? m.num(2) : m.bool(2);
  const body = (): Stmt[] => scope.inside(() => m.block(part(m, size)));
  const heads = [template(["if (", ")"], cond)];
  const bodies = [body()];
  if (r.chance(0.2)) {
    heads.push(template(["else if (", ")"], m.bool(2)));
    bodies.push(body());
  }
  if (r.chance(0.45)) {
    heads.push(template(["else"]));
    bodies.push(body());
  }
  return [
    {
      kind: bodies.length > 1 ? "if else" : "if",
      heads,
      bodies,
      tags: cond.type.is === "bool" ? [] : ["truthiness"],
    },
  ];
};

/** What is not proven of a loop's bound is not of its counter. */
const isLoose = (bound: Expr): boolean => bound.type.is === "int" && bound.type.loose;

/** The head of a loop, what its counter may be, and how often it goes round at most. */
interface Counted {
  readonly kind: string;
  readonly head: Expr;
  readonly counters: readonly { readonly name: string; readonly type: Ty; readonly first: string }[];
  readonly rounds: number;
}

function counted(m: Maker, most: number): Counted {
  const { r } = m;
  const name = m.fresh("j");
  const rounds = r.between(1, Math.min(most, r.pick([2, 3, 4, 8])));
  const bound = r.chance(0.5) ? m.int(0, rounds, 2) : leaf(int(rounds, rounds), String(rounds));
  const counter = (low: number, high: number, loose = isLoose(bound)) => [
    { name, type: int(low, high, loose), first: String(low) },
  ];
  switch (r.below(5)) {
    case 0: {
      const step = r.between(1, 3);
      const by = step === 1 ? `${name}++` : `${name} += ${step}`;
      return {
        kind: "for",
        head: expr(VOID, "for step")`for (let ${name} = 0; ${name} < ${bound}; ${by})`,
        counters: counter(0, rounds - 1),
        rounds,
      };
    }
    case 1: {
      const by = r.chance(0.5) ? `${name}--` : `${name} -= 2`;
      return {
        kind: "for down",
        head: expr(VOID)`for (let ${name} = ${bound}; ${name} > 0; ${by})`,
        counters: counter(1, rounds, true),
        rounds,
      };
    }
    case 2: {
      const step = r.between(1, 2);
      const low = r.between(-2, 3);
      const text = step === 1 ? "" : `, ${step}`;
      return {
        kind: "range",
        head: expr(VOID, "range")`for (const ${name} of S.range(${low}, ${bound} + ${low}${text}))`,
        counters: counter(low, low + rounds - 1),
        rounds,
      };
    }
    case 3: {
      if (rounds < 2) return counted(m, most);
      const x = m.fresh("j");
      const width = Math.max(1, Math.floor(rounds / 2));
      const height = r.chance(0.5) ? m.int(0, 2, 1) : leaf(NUM, "2");
      return {
        kind: "grid",
        head: expr(VOID, "grid")`for (const [${name}, ${x}] of S.grid(${height}, ${width}))`,
        counters: [
          { name, type: int(0, 1, isLoose(height)), first: "0" },
          { name: x, type: int(0, width - 1), first: "0" },
        ],
        rounds: 2 * width,
      };
    }
    default:
      return {
        kind: "for",
        head: expr(VOID)`for (let ${name} = 0; ${name} < ${bound}; ++${name})`,
        counters: counter(0, rounds - 1),
        rounds,
      };
  }
}

/** The body of a loop, with a way out now and then. */
function loopBody(
  m: Maker,
  size: number,
  c: { rounds: number; loop: Loop; counters: Counted["counters"] },
): Stmt[] {
  const { scope, r } = m;
  return scope.inside(
    () => {
      for (const k of c.counters) declare(m, k.name, k.type);
      const made = m.block(part(m, size));
      if (!r.chance(0.35)) return made;
      const at = r.pick(betweenFlights(made));
      // What is declared behind the jump does not matter to it.
      const out = scope.inside(() => jump(m));
      return out === undefined ? made : [...made.slice(0, at), out, ...made.slice(at)];
    },
    { rounds: c.rounds, loop: c.loop },
  );
}

/** Places in a body where no transfer is in flight: a jump from anywhere else would leave its wait out. */
function betweenFlights(body: readonly Stmt[]): number[] {
  const places = [0];
  let flying = 0;
  body.forEach((s, i) => {
    if (s.kind === "start") flying++;
    if (s.kind === "wait") flying--;
    if (flying === 0) places.push(i + 1);
  });
  return places;
}

/** `if (...) break;`: the condition sees names from outside the loop only, so that it may stand anywhere in the body. */
function jump(m: Maker): Stmt | undefined {
  const { scope, r } = m;
  const loop = r.pick(scope.loops);
  const inner = scope.loops.at(-1) as Loop;
  if (loop !== inner && loop.label === undefined) return undefined;
  const word = r.pick(["break", "continue"]);
  const label = loop.label !== undefined && (loop !== inner || r.chance(0.5)) ? ` ${loop.label}` : "";
  const names = new Set(jumpNames(m));
  scope.variables = scope.variables.filter((v) => names.has(v.name));
  const leave = simple("jump", template([word + label]), {
    tags: label === "" ? [word] : [word, `${word} label`],
  });
  return { kind: "if", heads: [template(["if (", ")"], m.bool(1))], bodies: [[leave]], tags: [] };
}
/** Names that exist at the start of the innermost loop's body. */
function jumpNames(m: Maker): string[] {
  return loopNames.get(m.scope.loops.at(-1) as Loop) ?? [];
}
const loopNames = new WeakMap<Loop, string[]>();

function newLoop(m: Maker, counters: Counted["counters"]): Loop {
  const loop: Loop = { label: m.r.chance(0.3) ? m.fresh("outer") : undefined };
  loopNames.set(loop, [...m.scope.variables.map((v) => v.name), ...counters.map((c) => c.name)]);
  return loop;
}
const labelled = (loop: Loop, s: Stmt): Stmt => {
  if (loop.label === undefined) return s;
  const [head, ...rest] = s.heads;
  const first = { parts: [`${loop.label}: ${head!.parts[0]}`, ...head!.parts.slice(1)], args: head!.args };
  return { ...s, heads: [first, ...rest] };
};

const looping: Production = (m, size) => {
  const most = Math.floor(MOST_ROUNDS / m.scope.rounds);
  if (most < 1) return undefined;
  const c = counted(m, most);
  const loop = newLoop(m, c.counters);
  const body = loopBody(m, size, { rounds: c.rounds, loop, counters: c.counters });
  const binds: Binding[] = c.counters.map((k) => ({ name: k.name, first: k.first }));
  return [
    labelled(loop, { kind: c.kind, heads: [c.head], bodies: [body], binds: [binds], tags: c.head.tags }),
  ];
};

/** `while` and `do`: the counter that ends them is theirs alone. */
const conditional: Production = (m, size) => {
  const most = Math.floor(MOST_ROUNDS / m.scope.rounds);
  if (most < 1) return undefined;
  const { r } = m;
  const rounds = r.between(1, Math.min(4, most));
  const name = m.fresh("w");
  const counters = [{ name, type: int(1, rounds, true), first: "1" }];
  const start = simple("let", template([`let ${name} = 0`]), { declares: [name] });
  const cond = (): Expr =>
    r.chance(0.5) ? expr(BOOL)`${name} < ${rounds} && ${m.bool(2)}` : expr(BOOL)`${name} < ${rounds}`;
  const step = simple("update", template([`${name}++`]));
  const test = cond();
  const loop = newLoop(m, counters);
  const body = [step, ...loopBody(m, size, { rounds, loop, counters })];
  if (r.chance(0.4)) {
    const tail = template([" while (", ");"], test);
    return [start, labelled(loop, { kind: "do", heads: [template(["do"])], bodies: [body], tail, tags: [] })];
  }
  return [
    start,
    labelled(loop, { kind: "while", heads: [template(["while (", ")"], test)], bodies: [body], tags: [] }),
  ];
};

/** A loop that is gone when compiled: its counter is static and may index arrays. */
const unrolled: Production = (m, size) => {
  const { r, scope } = m;
  const rounds = r.between(1, 3);
  if (scope.rounds * rounds > MOST_ROUNDS) return undefined;
  const name = m.fresh("h");
  const counters = [{ name, type: int(0, rounds - 1), first: "0" }];
  if (r.chance(0.4)) {
    const table = m.capture(
      "T",
      `[${Array.from({ length: rounds }, () => r.between(0, 7)).join(", ")}]`,
      "captured array",
    );
    const body = scope.inside(
      () => {
        declare(m, name, int(0, 7));
        return m.block(part(m, Math.min(3, size)));
      },
      { rounds },
    );
    return [
      {
        kind: "for of array",
        heads: [template([`for (const ${name} of ${table})`])],
        bodies: [body],
        binds: [[{ name, first: "0" }]],
        tags: [],
      },
    ];
  }
  const body = scope.inside(
    () => {
      for (const c of counters) declare(m, c.name, c.type);
      return m.block(part(m, Math.min(3, size)));
    },
    { rounds },
  );
  return [
    {
      kind: "unroll",
      heads: [template([`for (const ${name} of S.unroll(${rounds}))`])],
      bodies: [body],
      binds: [[{ name, first: "0" }]],
      tags: ["unroll"],
    },
  ];
};

/** An array of accumulators that an unrolled loop walks: register blocking. */
const blocked: Production = (m) => {
  const { r, scope } = m;
  const rounds = r.between(2, 3);
  if (scope.rounds * rounds > MOST_ROUNDS) return undefined;
  const type = r.chance(0.5) ? NUM : vec(r.pick(m.dtypes.filter((d) => d !== "bool")), r.pick(m.lanes));
  const name = m.fresh("acc");
  const u = m.fresh("h");
  const init = Array.from({ length: rounds }, () => m.value(type, 1));
  const made = simple(
    "array",
    template([`const ${name} = [`, ...init.slice(1).map(() => ", "), "]"], ...init),
    { declares: [name] },
  );
  const element = ref(type, `${name}[${u}]`);
  const value =
    type.is === "vec"
      ? expr(type, "vsel")`S.vsel(${element}, ${m.value(type, 1)}, ${m.mask(type.lanes, 1)})`
      : expr(type)`(${element} + ${m.value(type, 1)})`;
  const body = simple("assign", template([`${name}[${u}] = `, ""], value), { tags: ["array element"] });
  const loop: Stmt = {
    kind: "unroll",
    heads: [template([`for (const ${u} of S.unroll(${rounds}))`])],
    bodies: [[body]],
    binds: [[{ name: u, first: "0" }]],
    tags: ["unroll"],
  };
  const result = ref(type, `${name}[${r.below(rounds)}]`);
  return [made, loop, bind(m, result, false, type)];
};

const switching: Production = (m, size) => {
  const { r, scope } = m;
  const count = r.between(2, 3);
  const on = m.int(0, 2 ** count - 1, 2);
  // The cases stand in one body: a switch has no blocks of its own.
  const lines = Array.from({ length: count }, (_, i): Stmt => {
    const last = i === count - 1;
    const body = scope.inside(() => m.block(part(m, Math.min(4, size))));
    const through = !last && r.chance(0.2);
    const end = through || last ? [] : [simple("jump", template(["break"]), { tags: ["break"] })];
    const head = last && r.chance(0.6) ? "default:" : `case ${i}:`;
    return {
      kind: "case",
      heads: [template([head])],
      bodies: [[...body, ...end]],
      tags: through ? ["fall through"] : [],
    };
  });
  return [{ kind: "switch", heads: [template(["switch (", ")"], on)], bodies: [lines], tags: [] }];
};

/** Chosen when the kernel is checked: the other arm is not looked at, and need not compile. */
const staticIf: Production = (m, size) => {
  const name = m.capture("mode", m.r.pick(['"add"', '"mul"']), "captured string");
  const wanted = m.r.pick(["add", "mul"]);
  const body = m.scope.inside(() => m.block(part(m, Math.min(4, size))));
  const other = m.scope.inside(() => m.block(1));
  const heads = [template([`if (${name} === "${wanted}")`]), template(["else"])];
  return [{ kind: "static if", heads, bodies: [body, other], tags: [] }];
};

/** `return` in the middle of a helper or, where no barrier follows, of the kernel. */
const returning: Production = (m) => {
  const { returns } = m.scope;
  if (returns === undefined || m.r.chance(0.5)) return undefined;
  const leave = simple(
    "return",
    returns.is === "void" ? template(["return"]) : template(["return ", ""], m.value(returns, 2)),
    { tags: ["early return"] },
  );
  return [{ kind: "if", heads: [template(["if (", ")"], m.bool(2))], bodies: [[leave]], tags: [] }];
};

const SIMPLE: readonly (readonly [number, Production])[] = [
  [5, constant],
  [2, variable],
  [3, assign],
  [0.4, swap],
  [8, storing],
  [1, printing],
  [0.5, asserting],
  [1.5, calling],
  [1.2, transfer],
  [0.4, hint],
  [3, matrixProduct],
  [0.5, returning],
];
const COMPOUND: readonly (readonly [number, Production])[] = [
  [2.2, branching],
  [2, looping],
  [1, conditional],
  [0.6, unrolled],
  [0.5, blocked],
  [0.7, switching],
  [0.4, staticIf],
  [0.8, asynchronous],
  [0.4, span],
];
