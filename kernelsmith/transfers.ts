/** Transfers of the copy engine, and asynchronous ones with what runs beside them. */
import { pointerTo, statement } from "./accesses.ts";
import type { Area, Maker } from "./maker.ts";
import { call, type Expr, leaf, literal, NUM, type Stmt, simple, template, VOID } from "./tree.ts";

interface Made {
  readonly call: (event: string | undefined) => Expr;
  readonly dst: Area;
  readonly src: Area | undefined;
}

/** A transfer into a writable area: a fill, or rows from another buffer. */
function some(m: Maker): Made | undefined {
  const { r } = m;
  const targets = m.scope.writable().filter((a) => !a.text.includes(".as("));
  if (targets.length === 0) return undefined;
  const dst = r.pick(targets);
  const sources = m.scope.areas.filter((a) => a.dtype === dst.dtype && a.buffer !== dst.buffer);
  if (sources.length === 0 || r.chance(0.3)) {
    const count = r.between(0, dst.size);
    const p = pointerTo(m, dst, Math.max(1, count), 1);
    const args = [p, dst.dtype === "bool" ? m.bool(1) : m.num(1), literal(NUM, count)];
    return { dst, src: undefined, call: (e) => started("dmaMemset", args, [], e, dst) };
  }
  const src = r.pick(sources);
  const most = Math.min(dst.size, src.size);
  const times = r.chance(0.5) ? 1 : r.between(1, Math.min(4, most));
  const width = r.between(r.chance(0.05) ? 0 : 1, Math.max(1, Math.floor(most / times)));
  const stride = (size: number): number => {
    const longest = times > 1 ? Math.floor((size - width) / (times - 1)) : width + 2;
    return longest < width ? width : r.between(width, Math.min(longest, width + 3));
  };
  const [srcStride, dstStride] = [stride(src.size), stride(dst.size)];
  const span = (s: number): number => Math.max(1, (times - 1) * s + width);
  const args = [
    pointerTo(m, dst, span(dstStride), 1),
    pointerTo(m, src, span(srcStride), 1),
    literal(NUM, width),
  ];
  const options: (readonly [string, Expr])[] = [];
  if (srcStride !== width) options.push(["srcStride", literal(NUM, srcStride)]);
  if (dstStride !== width) options.push(["dstStride", literal(NUM, dstStride)]);
  if (times !== 1) options.push(["times", literal(NUM, times)]);
  return { dst, src, call: (e) => started("dmaCopy", args, options, e, dst) };
}

function started(
  name: "dmaCopy" | "dmaMemset",
  args: readonly Expr[],
  options: readonly (readonly [string, Expr])[],
  event: string | undefined,
  dst: Area,
): Expr {
  if (event === undefined) return call(VOID, `S.${name}`, args, options, name, `${name} ${dst.dtype}`);
  const full = name === "dmaCopy" ? "asyncDmaCopy" : "asyncDmaMemset";
  return call(VOID, `S.${full}`, [...args, leaf(VOID, event)], options, full, `${full} ${dst.dtype}`);
}

export function transfer(m: Maker): Stmt[] | undefined {
  const made = some(m);
  return made && [statement("transfer", made.call(undefined))];
}

/** A transfer on an event, statements that leave its destination alone and its source unchanged, and the wait. */
export function asynchronous(m: Maker, size: number): Stmt[] | undefined {
  const event = m.events.at(-1);
  if (event === undefined) return undefined;
  const made = some(m);
  if (made === undefined) return undefined;
  const { scope } = m;
  m.events = m.events.filter((e) => e !== event);
  const { areas, returns, loops } = scope;
  scope.areas = areas
    .filter((a) => a.buffer !== made.dst.buffer)
    .map((a) => (a.buffer === made.src?.buffer ? { ...a, write: false } : a));
  scope.returns = undefined;
  // No jump out of a loop may skip the wait.
  scope.loops = [];
  const beside = m.r.chance(0.7) ? m.block(m.r.between(1, Math.min(3, size))) : [];
  Object.assign(scope, { areas, returns, loops });
  m.events.push(event);
  const wait = simple("wait", template([`S.waitEvents(${event})`]), { tags: ["waitEvents"] });
  return [statement("start", made.call(event)), ...beside, wait];
}
