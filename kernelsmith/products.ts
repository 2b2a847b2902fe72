/**
 * Products on the matrix path: elements of an area go through l3 and l2 to the fabric, are multiplied, and come back. A kernel
 * has at most one set of buffers on the way, its own in every tile, which all its products use.
 */
import { DTYPES, type DTypeName } from "../ir/dtype.ts";
import { ACTIVATION_NAMES } from "../ir/path/activations.ts";
import { DATAFLOWS, DRAIN_DTYPES, FABRIC_DTYPES } from "../ir/path/operands.ts";
import { pointerTo, statement } from "./accesses.ts";
import type { Area, Maker } from "./maker.ts";
import { call, type Expr, leaf, literal, NUM, type Stmt, simple, template, VOID } from "./tree.ts";

/** Names of the buffers on the way, of each level one for operands and one for results. */
export interface PathBuffers {
  readonly operand: DTypeName;
  readonly result: DTypeName;
  readonly acc: "f32" | "i32";
  readonly farIn: string;
  readonly farOut: string;
  readonly nearIn: string;
  readonly nearOut: string;
  readonly rows: string;
  readonly cols: string;
  readonly sums: string;
}

/** Rows, columns and depth of a product are at most so many. */
const SIDE = 4;
/** What an operand may take when the last panel of it is filled up. */
const OPERAND = 2 * SIDE * SIDE;

/** Buffers for products of dtypes that the kernel is about, and the statements that make them; undefined where it has none. */
export function pathBuffers(
  m: Maker,
): { readonly path: PathBuffers; readonly make: readonly Stmt[] } | undefined {
  const { r } = m;
  const operands = m.dtypes.filter((d) => FABRIC_DTYPES.includes(d));
  if (operands.length === 0) return undefined;
  const operand = r.pick(operands);
  const acc = DTYPES[operand].kind === "int" ? "i32" : "f32";
  const results = m.dtypes.filter((d) => DRAIN_DTYPES.includes(d) && (d !== "i32" || acc === "i32"));
  const result = r.pick<DTypeName>(results.length === 0 ? [acc] : results);
  const make: Stmt[] = [];
  const made = (text: string, prefix: string, ...tags: string[]): string => {
    const name = m.fresh(prefix);
    make.push(simple("alloc", template([`const ${name} = ${text}`]), { declares: [name], tags }));
    return name;
  };
  const alloc = (dtype: DTypeName, size: number, scope: string): string =>
    made(`S.alloc(${dtype}, ${size}, "${scope}")`, "t", "alloc", `alloc ${scope}`);
  /** Of l3, which all tiles share, each has a part. */
  const part = (dtype: DTypeName, size: number): string => {
    const all = alloc(dtype, size * m.tiles, "l3");
    return made(`${all}.at(S.tileId() * ${size})`, "p", "tileId", "Ptr.at");
  };
  const path: PathBuffers = {
    operand,
    result,
    acc,
    farIn: part(operand, OPERAND),
    farOut: part(result, SIDE * SIDE),
    nearIn: alloc(operand, OPERAND, "l2"),
    nearOut: alloc(result, SIDE * SIDE, "l2"),
    rows: alloc(operand, SIDE * SIDE, "l1"),
    cols: alloc(operand, SIDE * SIDE, "l1"),
    sums: alloc(acc, SIDE * SIDE, "acc"),
  };
  return { path, make };
}

/** A product, from an area that is read to one that is written where there is one; undefined without buffers, event or area. */
export function matrixProduct(m: Maker): Stmt[] | undefined {
  const { r, path } = m;
  const [e, f = e] = m.events;
  if (path === undefined || e === undefined || f === undefined) return undefined;
  const plain = m.scope.areas.filter((a) => !a.text.includes(".as("));
  const sources = plain.filter((a) => a.dtype === path.operand && a.size >= 4);
  if (sources.length === 0) return undefined;
  const source = r.pick(sources);
  const [rows, cols] = [r.between(1, SIDE), r.between(1, SIDE)];
  const depth = r.between(
    1,
    Math.min(SIDE, Math.floor(Math.min(source.size, SIDE * SIDE) / Math.max(rows, cols))),
  );
  const size = depth * Math.max(rows, cols);
  const out: Stmt[] = [
    transfer(path.farIn, pointerTo(m, source, size, 1), size, path.operand),
    ...carried(path.nearIn, path.farIn, path.operand, move(m, size, depth), e),
    command(
      "streamRows",
      [path.rows, path.nearIn],
      path.operand,
      { rows, depth, ...either(m, "transposed") },
      e,
    ),
    ...(f === e ? [wait(e)] : []),
    command(
      "streamCols",
      [path.cols, path.nearIn],
      path.operand,
      { cols, depth, ...either(m, "transposed") },
      f,
    ),
    wait(f),
    ...(f === e ? [] : [wait(e)]),
  ];
  const multiply = (clear: boolean): Stmt[] => {
    const dataflow = r.chance(0.5) ? {} : { dataflow: `"${r.pick(DATAFLOWS)}"` };
    const block = { m: rows, n: cols, k: depth, ...(clear ? { clear } : {}), ...dataflow };
    return [command("mma", [path.sums, path.rows, path.cols], path.operand, block, e), wait(e)];
  };
  out.push(...multiply(true));
  // Sums that went out as they are may come back, and be gone on with.
  if (path.result === path.acc && r.chance(0.3))
    out.push(
      ...carried(path.nearOut, path.sums, path.acc, { rows, cols }, e, "drain"),
      ...carried(path.sums, path.nearOut, path.acc, { rows, cols }, e, "preload"),
    );
  if (r.chance(0.3)) out.push(...multiply(false));
  const epilogue = { rows, cols, ...ending(m, path) };
  out.push(...carried(path.nearOut, path.sums, path.result, epilogue, e, "drain"));
  const targets = plain.filter((a) => a.write && a.dtype === path.result && a.size >= rows * cols);
  if (targets.length === 0) return out;
  const target = r.pick<Area>(targets);
  out.push(...carried(path.farOut, path.nearOut, path.result, { rows, cols }, e));
  out.push(transfer(pointerTo(m, target, rows * cols, 1), path.farOut, rows * cols, path.result));
  return out;
}

type Fields = Readonly<Record<string, string | number | boolean>>;

/** How the elements of an operand stand after a block mover: as they are, transposed, or in panels. */
function move(m: Maker, size: number, width: number): Fields {
  const { r } = m;
  const block = { rows: size / width, cols: width };
  return r.weighted<Fields>(
    [3, block],
    [1, { ...block, transform: '"transpose"' }],
    [1, { ...block, transform: '"pack"', panel: r.between(1, 3) }],
  );
}

function either(m: Maker, flag: string): Fields {
  return m.r.chance(0.3) ? { [flag]: true } : {};
}

/** What happens to sums on the way out. Those of i32 go as they are. */
function ending(m: Maker, { result }: PathBuffers): Fields {
  if (result === "i32") return {};
  const { r } = m;
  return {
    ...(r.chance(0.4) ? { scale: r.pick([0.5, 0.125, 3]) } : {}),
    ...(r.chance(0.5) ? { activation: `"${r.pick(ACTIVATION_NAMES)}"` } : {}),
    ...(DTYPES[result].kind === "int"
      ? { quantize: `{ scale: ${r.pick([0.5, 2])}, zeroPoint: ${r.between(0, 9)} }` }
      : {}),
  };
}

/** A command that moves a block, and the wait for it. */
function carried(
  dst: string,
  src: string,
  dtype: DTypeName,
  block: Fields,
  event: string,
  name = "blockMove",
): Stmt[] {
  return [command(name, [dst, src], dtype, block, event), wait(event)];
}

/** A command on an event; the statements up to its wait stay together. */
function command(
  name: string,
  operands: readonly string[],
  dtype: DTypeName,
  block: Fields,
  event: string,
): Stmt {
  const fields = Object.entries(block).map(([key, value]) => `${key}: ${value}`);
  const args = [...operands, `{ ${fields.join(", ")} }`, event].map((text) => leaf(VOID, text));
  return statement("start", call(VOID, `S.${name}`, args, [], name, `${name} ${dtype}`));
}

const wait = (events: string): Stmt =>
  simple("wait", template([`S.waitEvents(${events})`]), { tags: ["waitEvents"] });

function transfer(dst: Expr | string, src: Expr | string, count: number, dtype: DTypeName): Stmt {
  const pointer = (p: Expr | string): Expr => (typeof p === "string" ? leaf({ is: "ptr", dtype }, p) : p);
  const args = [pointer(dst), pointer(src), literal(NUM, count)];
  return statement("transfer", call(VOID, "S.dmaCopy", args, [], "dmaCopy", `dmaCopy ${dtype}`));
}
