/** Transfers of the copy engine, and asynchronous ones with what runs beside them. */

import { isPacked } from "../ir/dtype.ts";
import { pointerTo, statement } from "./accesses.ts";
import type { Area, Maker } from "./maker.ts";
import { call, type Expr, leaf, literal, NUM, type Stmt, simple, template, VOID } from "./tree.ts";

interface Made {
  /** What must be done first: rows numbers written. */
  readonly before: readonly Stmt[];
  readonly call: (event: string | undefined) => Expr;
  readonly dst: Area;
  /** What it reads: frozen while it is in flight. */
  readonly sources: readonly Area[];
}

type Option = readonly [name: string, value: Expr];
const n = (x: number): Expr => literal(NUM, x);

function started(
  name: string,
  args: readonly Expr[],
  options: readonly Option[],
  event: string | undefined,
  dst: Area,
): Expr {
  if (event === undefined) return call(VOID, `S.${name}`, args, options, name, `${name} ${dst.dtype}`);
  const full = `async${name[0]?.toUpperCase()}${name.slice(1)}`;
  return call(VOID, `S.${full}`, [...args, leaf(VOID, event)], options, full, `${full} ${dst.dtype}`);
}

/** A transfer into a writable area: a fill, or elements of another buffer. */
function some(m: Maker): Made | undefined {
  const { r } = m;
  const targets = m.scope.writable().filter((a) => !isPacked(a.dtype) && !a.text.includes(".as("));
  if (targets.length === 0) return undefined;
  const dst = r.pick(targets);
  const sources = m.scope.areas.filter((a) => a.dtype === dst.dtype && a.buffer !== dst.buffer);
  if (sources.length === 0 || r.chance(0.2)) return memset(m, dst);
  const src = r.pick(sources);
  return r.weighted([4, rows], [1, box], [1, transpose], [1, upsample], [1, gather])(m, dst, src);
}

function memset(m: Maker, dst: Area): Made {
  const count = m.r.between(0, dst.size);
  const p = pointerTo(m, dst, Math.max(1, count), 1);
  const args = [p, dst.dtype === "bool" ? m.bool(1) : m.num(1), n(count)];
  return { before: [], dst, sources: [], call: (e) => started("dmaMemset", args, [], e, dst) };
}

const plain = (
  name: string,
  args: readonly Expr[],
  options: readonly Option[],
  dst: Area,
  src: Area,
): Made => ({
  before: [],
  dst,
  sources: [src],
  call: (e) => started(name, args, options, e, dst),
});

function rows(m: Maker, dst: Area, src: Area): Made {
  const { r } = m;
  const most = Math.min(dst.size, src.size);
  const times = r.chance(0.5) ? 1 : r.between(1, Math.min(4, most));
  const width = r.between(r.chance(0.05) ? 0 : 1, Math.max(1, Math.floor(most / times)));
  const stride = (size: number): number => {
    const longest = times > 1 ? Math.floor((size - width) / (times - 1)) : width + 2;
    return longest < width ? width : r.between(width, Math.min(longest, width + 3));
  };
  const [srcStride, dstStride] = [stride(src.size), stride(dst.size)];
  const span = (s: number): number => Math.max(1, (times - 1) * s + width);
  const args = [pointerTo(m, dst, span(dstStride), 1), pointerTo(m, src, span(srcStride), 1), n(width)];
  const options: Option[] = [];
  if (srcStride !== width) options.push(["srcStride", n(srcStride)]);
  if (dstStride !== width) options.push(["dstStride", n(dstStride)]);
  if (times !== 1) options.push(["times", n(times)]);
  return plain("dmaCopy", args, options, dst, src);
}

/** Up to three dimensions, with padding around them now and then. */
function box(m: Maker, dst: Area, src: Area): Made {
  const { r } = m;
  const shape = Array.from({ length: r.between(1, 3) }, () => r.between(1, 3));
  const size = (list: readonly number[]): number => list.reduce((a, b) => a * b, 1);
  while (size(shape) > src.size || size(shape) > dst.size) shape.pop();
  if (shape.length === 0) shape.push(1);
  const parts = [`shape: [${shape.join(", ")}]`];
  const pads = shape.map(() => r.below(2));
  const whole = shape.map((extent, i) => extent + (pads[i] as number));
  let span = size(shape);
  if (r.chance(0.5) && size(whole) <= dst.size) {
    span = size(whole);
    const side = r.pick(["before", "after"]);
    const value = dst.dtype === "bool" ? "true" : String(r.between(0, 9));
    parts.push(`padding: { ${side}: [${pads.join(", ")}], value: ${value} }`);
  }
  const args = [
    pointerTo(m, dst, span, 1),
    pointerTo(m, src, size(shape), 1),
    leaf(VOID, `{ ${parts.join(", ")} }`, "box"),
  ];
  return plain("dmaCopy", args, [], dst, src);
}

function transpose(m: Maker, dst: Area, src: Area): Made {
  const { r } = m;
  const most = Math.min(dst.size, src.size);
  const height = r.between(1, Math.min(4, most));
  const width = r.between(1, Math.max(1, Math.min(5, Math.floor(most / height))));
  const gap = (size: number, rows: number, length: number): number =>
    (rows - 1) * (length + 1) + length <= size && r.chance(0.3) ? length + 1 : length;
  const srcStride = gap(src.size, height, width);
  const dstStride = gap(dst.size, width, height);
  const args = [
    pointerTo(m, dst, (width - 1) * dstStride + height, 1),
    pointerTo(m, src, (height - 1) * srcStride + width, 1),
    n(height),
    n(width),
  ];
  const options: Option[] = [];
  if (srcStride !== width) options.push(["srcStride", n(srcStride)]);
  if (dstStride !== height) options.push(["dstStride", n(dstStride)]);
  return plain("dmaTranspose2d", args, options, dst, src);
}

function upsample(m: Maker, dst: Area, src: Area): Made {
  const { r } = m;
  const most = Math.min(dst.size, src.size);
  let [channels, scaleH, scaleW, height, width] = [
    r.between(1, 2),
    r.between(1, 2),
    r.between(1, 2),
    r.between(1, 2),
    r.between(1, 3),
  ];
  if (height * width * channels * scaleH * scaleW > most)
    [channels, scaleH, scaleW, height, width] = [1, 1, 2, 1, 2];
  if (height * width * channels * scaleH * scaleW > most) [scaleW, width] = [1, 1];
  const pixels = height * width * channels;
  const args = [
    pointerTo(m, dst, pixels * scaleH * scaleW, 1),
    pointerTo(m, src, pixels, 1),
    n(height),
    n(width),
  ];
  const options: Option[] = [
    ["channels", n(channels)],
    ["scaleH", n(scaleH)],
    ["scaleW", n(scaleW)],
  ];
  return plain("dmaUpsample", args, options, dst, src);
}

const INDEX_DTYPES = ["i16", "u16", "i32", "u32"];

/** Rows by numbers that are written right before. */
function gather(m: Maker, dst: Area, src: Area): Made {
  const { r } = m;
  const tables = m.scope
    .writable()
    .filter(
      (a) =>
        INDEX_DTYPES.includes(a.dtype) &&
        a.buffer !== dst.buffer &&
        a.buffer !== src.buffer &&
        !a.text.includes(".as("),
    );
  if (tables.length === 0) return rows(m, dst, src);
  const index = r.pick(tables);
  const width = r.between(1, Math.min(3, dst.size, src.size));
  const count = r.between(1, Math.min(3, index.size, Math.floor(dst.size / width)));
  const last = Math.floor(src.size / width) - 1;
  const before = Array.from({ length: count }, (_, i) =>
    statement(
      "set",
      call(VOID, `${index.text}.set`, [n(i), m.int(0, last, 1)], [], "set", `set ${index.dtype}`),
    ),
  );
  const args = [
    pointerTo(m, dst, count * width, 1),
    leaf({ is: "ptr", dtype: src.dtype }, src.text),
    leaf({ is: "ptr", dtype: index.dtype }, index.text),
    n(count),
  ];
  const options: Option[] = width === 1 ? [] : [["width", n(width)]];
  return { before, dst, sources: [src, index], call: (e) => started("dmaGather", args, options, e, dst) };
}

export function transfer(m: Maker): Stmt[] | undefined {
  const made = some(m);
  return made && [...made.before, statement("transfer", made.call(undefined))];
}

/** Statements between two that belong together: no jump and no return may leave one of them out. */
function enclosed(m: Maker, areas: readonly Area[], size: number): Stmt[] {
  const { scope } = m;
  const before = { areas: scope.areas, returns: scope.returns, loops: scope.loops };
  Object.assign(scope, { areas, returns: undefined, loops: [] });
  const made = m.r.chance(0.7) ? m.block(m.r.between(1, Math.min(3, size))) : [];
  Object.assign(scope, before);
  return made;
}

/** A transfer on an event, statements that leave its destination alone and its sources unchanged, and the wait. */
export function asynchronous(m: Maker, size: number): Stmt[] | undefined {
  const event = m.events.at(-1);
  if (event === undefined) return undefined;
  const made = some(m);
  if (made === undefined) return undefined;
  m.events = m.events.filter((e) => e !== event);
  const frozen = new Set(made.sources.map((s) => s.buffer));
  const areas = m.scope.areas
    .filter((a) => a.buffer !== made.dst.buffer)
    .map((a) => (frozen.has(a.buffer) ? { ...a, write: false } : a));
  const beside = enclosed(m, areas, size);
  m.events.push(event);
  const wait = simple("wait", template([`S.waitEvents(${event})`]), { tags: ["waitEvents"] });
  return [...made.before, statement("start", made.call(event)), ...beside, wait];
}

/** A transfer that the barrier behind it waits for; undefined where there is no event or nothing to move. */
export function untilBarrier(
  m: Maker,
): { readonly start: readonly Stmt[]; readonly event: string } | undefined {
  const event = m.events.at(-1);
  const made = event === undefined ? undefined : some(m);
  if (event === undefined || made === undefined) return undefined;
  return { start: [...made.before, statement("transfer", made.call(event))], event };
}

/** What changes time, not values. */
export function hint(m: Maker): Stmt[] | undefined {
  const { r } = m;
  if (m.scope.areas.length === 0 || r.chance(0.5)) return undefined;
  const area = r.pick(m.scope.areas);
  if (r.chance(0.3)) return [statement("hint", call(VOID, "S.flushCache", [], [], "flushCache"))];
  const count = r.between(0, area.size);
  const name = r.pick(["prefetch", "flushCache"]);
  return [
    statement(
      "hint",
      call(VOID, `S.${name}`, [pointerTo(m, area, Math.max(1, count), 1), n(count)], [], name),
    ),
  ];
}

/** A span of the report around some statements. */
export function span(m: Maker, size: number): Stmt[] | undefined {
  if (m.r.chance(0.6)) return undefined;
  const id = Number(/\d+$/.exec(m.fresh("span"))?.[0] ?? 0) % 256;
  const mark = (kind: string, name: string): Stmt =>
    simple(kind, template([`S.${name}(${id})`]), { tags: [name] });
  return [mark("start", "perfBegin"), ...enclosed(m, m.scope.areas, size), mark("wait", "perfEnd")];
}
