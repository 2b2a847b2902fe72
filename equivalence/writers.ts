/** Which of the author's lines wrote an element: asked once a difference is found. */
import type { KernelRecord } from "../dsl/kernel.ts";
import type { Location } from "../ir/diagnostic.ts";
import type { Apply, Expr, Kernel, Local, Stmt } from "../ir/kir.ts";
import { OPS } from "../ir/ops.ts";
import type { Target } from "../ir/target.ts";
import { lowerKernel } from "../lowering/index.ts";

/** Lines of all stores of the compiled kernel that can reach a parameter, in order of the text. */
export function compiledWriters(record: KernelRecord, target: Target, param: number): readonly Location[] {
  const { kernel } = lowerKernel(record, { target });
  const wanted = kernel.params[param]?.local;
  if (wanted === undefined) return [];
  const reach = rootsOf(kernel);
  const found = new Map<string, Location>();
  for (const apply of applications(kernel.body)) {
    if (OPS[apply.op].effect !== "write") continue;
    const destination = apply.args[0];
    if (destination?.type.kind !== "ptr" || !roots(destination, reach).has(wanted)) continue;
    const at = kernel.locations[apply.at];
    if (at) found.set(`${at.file}:${at.line}`, at);
  }
  return [...found.values()].sort((a, b) => a.line - b.line);
}

/** For every pointer local, the parameters and allocations it may point into. */
function rootsOf(kernel: Kernel): Map<Local, Set<Local>> {
  const reach = new Map<Local, Set<Local>>();
  for (const p of kernel.params) reach.set(p.local, new Set([p.local]));
  let grew = true;
  while (grew) {
    grew = false;
    for (const s of statements(kernel.body)) {
      if ((s.kind !== "let" && s.kind !== "assign") || s.local.type.kind !== "ptr") continue;
      const into = reach.get(s.local) ?? new Set();
      const before = into.size;
      for (const root of roots(s.value, reach)) into.add(root);
      reach.set(s.local, into);
      grew ||= into.size > before;
    }
  }
  return reach;
}

function roots(e: Expr, reach: ReadonlyMap<Local, ReadonlySet<Local>>): Set<Local> {
  if (e.kind === "ref") return new Set(reach.get(e.local));
  if (e.kind === "const") return new Set();
  return new Set(e.args.filter((a) => a.type.kind === "ptr").flatMap((a) => [...roots(a, reach)]));
}

function* statements(body: readonly Stmt[]): Generator<Stmt> {
  for (const s of body) {
    yield s;
    if (s.kind === "if") {
      yield* statements(s.then);
      yield* statements(s.else);
    } else if (s.kind === "loop") {
      yield* statements(s.test);
      yield* statements(s.body);
      yield* statements(s.update);
    } else if (s.kind === "for" || s.kind === "block") yield* statements(s.body);
  }
}

function* applications(body: readonly Stmt[]): Generator<Apply> {
  for (const s of statements(body)) {
    if ((s.kind === "effect" || s.kind === "let" || s.kind === "assign") && s.value.kind === "apply")
      yield s.value;
  }
}
