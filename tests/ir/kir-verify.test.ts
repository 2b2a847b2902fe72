import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KpuError } from "../../ir/diagnostic.ts";
import { type Apply, type Expr, type Kernel, type Local, type Stmt, scalar, vec } from "../../ir/kir.ts";
import { parseKernel } from "../../ir/parse.ts";
import { verifyKernel } from "../../ir/verify.ts";
import { exprsOf, forEachExpr, forEachStmt, localsOf, mapExprs } from "../../ir/walk.ts";
import { arbitraryKernel } from "./arbitraries.ts";

const findings = (k: Kernel): string[] => verifyKernel(k).map((d) => d.message);
function check(body: string, o: { params?: string; head?: string; level?: string } = {}): string[] {
  return findings(
    parseKernel(
      `kir 1, level: ${o.level ?? "virtual"}\n${o.head ?? ""}\nkernel @k(${o.params ?? "%p: ptr<i32, global>, %n: i32"}) {\n${body}\n}`,
    ),
  );
}

describe("every rule refuses its example", () => {
  test.each([
    ["a local of another type", "let %x: i64 = %n", "a value of type i32 for a local of type i64"],
    ["a use out of scope", "if true {\nlet %x: i32 = 1\n}\nset %p, %x", "%x is used where it is not defined"],
    [
      "a use of a block's local behind it",
      "b: block {\nlet %x: i32 = 1\n}\nset %p, %x",
      "%x is used where it is not defined",
    ],
    [
      "a use of a counter behind its loop",
      "for %i: i32 = 0 to 1 step 1 {\n}\nset %p, %i",
      "%i is used where it is not defined",
    ],
    [
      "a use of test's local in a do-while's body",
      "var %c: bool = true\nl: loop {\nlet %x: i32 = 0\n}\ntest {\nlet %t: i32 = %x\n}\nwhile %c",
      "%x is used where it is not defined",
    ],
    ["an assignment to a let", "let %x: i32 = 1\n%x = 2", "%x is not mutable"],
    ["an assignment to a parameter", "%n = 2", "%n is not mutable"],
    [
      "an assignment to a counter",
      "for %i: i32 = 0 to 1 step 1 {\n%i = 2\n}",
      "%i counts a loop and must not be assigned",
    ],
    [
      "an assignment out of scope",
      "if true {\nvar %x: i32 = 1\n}\n%x = 2",
      "%x is assigned where it is not defined",
    ],
    ["a condition that is no bool", "if %n {\n}", "a condition must be bool, got i32"],
    ["a loop condition that is no bool", "loop while %n {\n}", "a condition must be bool, got i32"],
    [
      "a counter that is no integer",
      "for %i: f64 = 0 to 1 step 1 {\n}",
      "a loop counts in i32 or i64, not f64",
    ],
    [
      "a bound of another type",
      "for %i: i64 = 0 to %n step 1 {\n}",
      "a bound of type i32 for a counter of type i64",
    ],
    ["a step of 0", "for %i: i32 = 0 to %n step 0 {\n}", "the step must be an integer other than 0, got 0"],
    [
      "a fractional step",
      "for %i: i32 = 0 to %n step 0.5 {\n}",
      "the step must be an integer other than 0, got 0.5",
    ],
    [
      "an effect within an expression",
      "let %x: i32 = add.i32 (get %p), 1",
      "get must be the whole value of a let",
    ],
    ["an effect in a condition", "if eq.i32 (get %p), 1 {\n}", "get must be the whole value of a let"],
    [
      "an effect in a bound",
      "for %i: i32 = 0 to (get %p) step 1 {\n}",
      "get must be the whole value of a let",
    ],
    ["a jump to nowhere", "break l", 'no loop or block around has the label "l"'],
    [
      "a jump out of scope",
      "l: for %i: i32 = 0 to 1 step 1 {\n}\nbreak l",
      'no loop or block around has the label "l"',
    ],
    ["a continued block", "l: block {\ncontinue l\n}", '"l" is a block, which cannot be continued'],
    ["a hidden label", "l: block {\nl: block {\n}\n}", 'the label "l" hides the same label around it'],
    [
      "a continue in update",
      "l: loop while true {\n}\nupdate {\nif true {\ncontinue l\n}\n}",
      '"l" is continued from its own test or update',
    ],
    ["a missing text", "print{text: 0}", "there is no text @0"],
    [
      "a missing table",
      "let %t: ptr<const i32, local> = alloc_const{dtype: i32, table: 0}",
      "there is no table @0",
    ],
    ["a missing location", "#3 return", "there is no location 3"],
    [
      "an offset at level virtual",
      "let %b: ptr<i32, local> = alloc{dtype: i32, scope: local, count: 1, offset: 0}",
      "alloc has an offset at level virtual",
    ],
    ["num beyond level open", "let %x: num = 1:num", "%x has the type num, which exists at level open only"],
    ["a local without a value", "let %x: void = print{text: 0}", "%x has no value"],
  ])("%s", (_what, body, message) => {
    expect(check(body).join("\n")).toContain(message);
  });

  test("a table of another dtype, a parameter beyond global", () => {
    expect(
      check("let %t: ptr<const i32, local> = alloc_const{dtype: i32, table: 0}", {
        head: "table @0: f32 = [1]",
      })[0],
    ).toContain("table @0 holds f32, not i32");
    expect(check("", { params: "%p: ptr<i32, local>" })[0]).toContain("points to local, not to global");
  });

  test("level machine", () => {
    const level = "machine, register: 128";
    expect(check("let %x: f32x8 = vconst<f32x8> [0, 0, 0, 0, 0, 0, 0, 0]", { level })[0]).toContain(
      "does not fit a register of 128 bits",
    );
    expect(check("let %x: f32x4 = vconst<f32x4> [0, 0, 0, 0]", { level })).toEqual([]);
    expect(
      check("let %b: ptr<i32, local> = alloc{dtype: i32, scope: local, count: 1}", { level })[0],
    ).toContain("alloc needs an offset at level machine");
    expect(check("", { level: "machine" })[0]).toContain("level machine needs a register width");
    expect(check("", { level: "machine, register: 100" })[0]).toContain(
      "level machine needs a register width",
    );
    expect(check("", { level: "virtual, register: 128" })[0]).toContain(
      "a register width belongs to level machine",
    );
  });

  test("what text cannot say", () => {
    const x: Local = { id: 0, name: "x", type: scalar("i32"), mutable: false };
    const one: Expr = { kind: "const", type: scalar("i32"), value: 1, at: 0 };
    const set = (value: Expr): Stmt => ({ kind: "let", local: x, value, at: 0 });
    const op = (o: Partial<Apply>): Expr => ({
      kind: "apply",
      type: scalar("i32"),
      op: "add",
      args: [one, one],
      attrs: {},
      at: 0,
      ...o,
    });
    const kernel = (...body: Stmt[]): Kernel => ({
      name: "k",
      level: "virtual",
      params: [],
      body,
      locations: [],
      tables: [],
      texts: [],
    });
    expect(findings(kernel(set(one)))).toEqual([]);
    expect(findings(kernel(set(one), set(one)))[0]).toContain("%x is defined twice");
    expect(findings(kernel(set(one), { ...set(one), local: { ...x } } as Stmt))[0]).toContain(
      "has the id 0 of another local",
    );
    expect(findings(kernel(set({ ...one, value: 1.5 } as Expr)))[0]).toContain(
      "1.5 is not a constant of type i32",
    );
    expect(findings(kernel(set({ ...one, value: true } as Expr)))[0]).toContain("true is not a constant");
    expect(findings(kernel(set(op({ args: [one] }))))[0]).toContain("add takes 2 operands, got 1");
    expect(findings(kernel(set(op({ attrs: { saturate: 1 } }))))[0]).toContain(
      "attribute saturate must be true or false",
    );
    expect(findings(kernel(set(op({ attrs: { fast: true } }))))[0]).toContain("add has no attribute fast");
    expect(findings(kernel(set(op({ type: scalar("i64") }))))[0]).toContain("add gives i32, but says i64");
    expect(findings(kernel(set(op({ op: "splat", args: [one] }))))[0]).toContain(
      "splat needs the attribute dtype",
    );
    const wide = { dtype: "i32", lanes: 0 };
    expect(
      findings(
        kernel({
          ...set(op({ op: "splat", args: [one], attrs: wide, type: vec("i32", 0) })),
          local: { ...x, type: vec("i32", 0) },
        } as Stmt),
      )[0],
    ).toContain("has 0 lanes");
    expect(findings({ ...kernel(), params: [{ local: x, dtype: "f32", pointer: false }] })[0]).toContain(
      "parameter %x of dtype f32 has the type i32",
    );
    expect(
      findings({ ...kernel(), params: [{ local: x, dtype: "i32", pointer: false, noalias: true }] })[0],
    ).toContain("parameter %x is noalias, but no pointer");
    const again = { local: { ...x, id: 99 }, dtype: "i32", pointer: false } as const;
    expect(
      findings({ ...kernel(), params: [{ local: x, dtype: "i32", pointer: false }, again] })[0],
    ).toContain('two parameters are named "x"');
    expect(
      findings({
        ...kernel(),
        params: [{ local: { ...x, mutable: true }, dtype: "i32", pointer: false }],
      })[0],
    ).toContain("must not be mutable");
    expect(findings({ ...kernel(), tables: [{ dtype: "i8", values: [300] }] })[0]).toContain(
      "table @0 holds 300, which is not a value of i8",
    );
    expect(
      findings(
        kernel({
          kind: "for",
          label: "l",
          local: { ...x, mutable: true },
          from: one,
          to: one,
          step: 1,
          body: [],
          at: 0,
        }),
      )[0],
    ).toContain("the counter of a loop must not be mutable");
  });

  test("a finding has the code, the statement, and the author's line", () => {
    const k = parseKernel(
      'kir 1, level: virtual\nlocation @1 = "a.ts" 7:3\nkernel @k(%n: i32) {\n#1 %n = 2\n}',
    );
    const [d] = verifyKernel(k);
    expect(d).toMatchObject({
      code: "KPU7002",
      location: { file: "a.ts", line: 7, column: 3 },
      message: "@k: %n is not mutable in `%n = 2`",
    });
    expect(new KpuError([d!]).message).toContain("a.ts:7:3");
  });
});

/** Changes that break a kernel wherever they can be made. */
const MUTATIONS: { readonly [name: string]: (k: Kernel, at: number) => Kernel | undefined } = {
  "drops a definition that is used": (k, at) => {
    const used = new Set<Local>();
    forEachExpr(k.body, (e) => e.kind === "ref" && used.add(e.local));
    const lets = k.body.filter((s) => s.kind === "let" && used.has(s.local));
    const victim = lets[at % Math.max(1, lets.length)];
    return victim && { ...k, body: k.body.filter((s) => s !== victim) };
  },
  "changes the type of an op": (k, at) => {
    const ops: Expr[] = [];
    forEachExpr(k.body, (e) => e.kind === "apply" && ops.push(e));
    const victim = ops[at % Math.max(1, ops.length)];
    if (victim?.kind !== "apply") return undefined;
    const type =
      victim.type.kind === "scalar" && victim.type.name === "bool" ? scalar("i32") : scalar("bool");
    return { ...k, body: mapOnce(k.body, victim, { ...victim, type }) };
  },
  "drops an operand": (k, at) => {
    const ops: Apply[] = [];
    forEachExpr(
      k.body,
      (e) => e.kind === "apply" && e.args.length > 0 && !["print", "shuffle"].includes(e.op) && ops.push(e),
    );
    const victim = ops[at % Math.max(1, ops.length)];
    return victim && { ...k, body: mapOnce(k.body, victim, { ...victim, args: victim.args.slice(1) }) };
  },
  "adds an attribute": (k, at) => {
    const ops: Apply[] = [];
    forEachExpr(k.body, (e) => e.kind === "apply" && ops.push(e));
    const victim = ops[at % Math.max(1, ops.length)];
    return (
      victim && {
        ...k,
        body: mapOnce(k.body, victim, { ...victim, attrs: { ...victim.attrs, surprise: 1 } }),
      }
    );
  },
  "makes a mutable local immutable": (k) => {
    let victim: Local | undefined;
    forEachStmt(k.body, (s) => {
      if (s.kind === "assign") victim = s.local;
    });
    if (victim === undefined) return undefined;
    (victim as { mutable: boolean }).mutable = false;
    return k;
  },
  "jumps to an unknown label": (k) => ({
    ...k,
    body: [...k.body, { kind: "break", label: "nowhere", at: 0 }],
  }),
  "gives two locals one id": (k) => {
    const [first, second] = localsOf(k);
    if (first === undefined || second === undefined) return undefined;
    (second as { id: number }).id = first.id;
    return k;
  },
};

function mapOnce(body: readonly Stmt[], from: Expr, to: Expr): readonly Stmt[] {
  // The victim's operands do not change, so it is still itself when its turn comes.
  return mapExprs(body, (e) => (e === from ? to : e));
}

describe("random kernels", () => {
  test.each(Object.entries(MUTATIONS))("are refused when a mutation %s", (_name, mutate) => {
    let mutated = 0;
    fc.assert(
      fc.property(arbitraryKernel(), fc.nat(), (k, at) => {
        const bad = mutate(k, at);
        if (bad === undefined) return;
        mutated++;
        expect(findings(bad)).not.toEqual([]);
      }),
    );
    expect(mutated).toBeGreaterThan(5);
  });

  test("consist of expressions that walks see once", () => {
    fc.assert(
      fc.property(arbitraryKernel(), (k) => {
        expect(mapExprs(k.body, (e) => e)).toBe(k.body);
        let direct = 0;
        forEachStmt(k.body, (s) => (direct += exprsOf(s).length));
        let all = 0;
        forEachExpr(k.body, () => all++);
        expect(all).toBeGreaterThanOrEqual(direct);
      }),
    );
  });
});
