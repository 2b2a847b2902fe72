/**
 * Which buffer a checked pointer is in. A pointer carries the bounds of its buffer and not its name; when a check has
 * stopped the program, the buffer is the one that has these bounds.
 */
import {
  ARG_BYTES,
  bufferBytes,
  bufferPlace,
  type CompiledKernel,
  elementBytes,
  HEAD,
} from "../codegen/index.ts";
import type { NamedBuffer } from "../ir/bounds.ts";
import { bytesOf, type DTypeName, isShared, type Scope } from "../ir/dtype.ts";
import { forEachExpr } from "../ir/walk.ts";

/** A program in memory, at the tile that was stopped. */
export interface Stopped {
  readonly k: CompiledKernel;
  /** Address of the program area. */
  readonly base: number;
  readonly view: DataView;
  readonly tile: number;
}

/** The addresses of a pointer's buffer, and whether it was written through. */
export interface Bounds {
  readonly lo: number;
  readonly hi: number;
  readonly access: "reads" | "writes";
}

export function bufferOf(stopped: Stopped, b: Bounds): NamedBuffer {
  const found =
    parameters(stopped, b.access).find((p) => has(p, b)) ?? allocations(stopped).find((a) => has(a, b));
  if (found === undefined) throw new TypeError(`no buffer is at ${b.lo} .. ${b.hi}`);
  return found;
}

function has(buffer: NamedBuffer, { lo, hi }: Bounds): boolean {
  return buffer.base === lo && buffer.base + buffer.byteLength === hi;
}

/** Arrays of the host. Two parameters may be one array; one that is only read is not the one that is written. */
function parameters({ k, base, view }: Stopped, access: Bounds["access"]): NamedBuffer[] {
  const address = (at: number): number => Number(view.getBigUint64(at, true));
  return k.machine.params.flatMap((p, i) => {
    if (!p.pointer || (access === "writes" && !k.params[i]?.written)) return [];
    const at = base + k.layout.args + i * ARG_BYTES;
    const lo = address(at + 8);
    return [named(p.local.name, "global", p.dtype, lo, address(at + 16) - lo)];
  });
}

/** `S.alloc` and `S.allocConst`, numbered in their scope as direct execution does. */
function allocations({ k, base, view, tile }: Stopped): NamedBuffer[] {
  const { layout, machine } = k;
  const near = view.getUint32(base + HEAD.tiles, true) + view.getUint32(base + HEAD.tileBytes, true) * tile;
  const start = (scope: Scope, offset: number): number =>
    (isShared(scope) ? base : near) + bufferPlace(layout, scope, offset);
  const counts = new Map<Scope, number>();
  const nameIn = (scope: Scope): string => {
    const n = (counts.get(scope) ?? 0) + 1;
    counts.set(scope, n);
    return `${scope}#${n}`;
  };
  const found: NamedBuffer[] = [];
  forEachExpr(machine.body, (e) => {
    if (e.kind !== "apply") return;
    if (e.op === "alloc") {
      const scope = e.attrs["scope"] as Scope;
      const dtype = e.attrs["dtype"] as DTypeName;
      const bytes = bufferBytes(dtype, scope, e.attrs["count"] as number);
      found.push(named(nameIn(scope), scope, dtype, start(scope, e.attrs["offset"] as number), bytes));
    } else if (e.op === "alloc_const") {
      const table = e.attrs["table"] as number;
      const { dtype, values } = machine.tables[table]!;
      const at = base + layout.tables[table]!;
      found.push(named(nameIn("local"), "local", dtype, at, bytesOf(dtype, values.length)));
    }
  });
  return found;
}

function named(name: string, scope: Scope, dtype: DTypeName, base: number, byteLength: number): NamedBuffer {
  return { name, scope, dtype: { name: dtype, bytes: elementBytes(dtype, scope) }, base, byteLength };
}
