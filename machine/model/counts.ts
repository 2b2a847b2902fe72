/**
 * What a command counts, whenever it runs: bytes of each level, multiply-accumulates, lanes. Traffic and energy are sums
 * of these, so they need no replay; only row activations and hops of the network do.
 */
import { DTYPES, type DTypeName } from "../../ir/dtype.ts";
import type { Dataflow } from "../fabric.ts";
import type { MachineConfig } from "../schema.ts";
import type { Core, Fill, Level, Mma, Move, Unit, UnitName, UnitWork } from "../trace.ts";
import { Op, type Program } from "./program.ts";

/** What is counted: amounts that have one price each. */
export type Quantity =
  | `${Level} ${"read" | "write"}`
  | `mac ${DTypeName}`
  /** Items of a unit. */
  | `${UnitName} ${UnitWork}`
  /** Bytes of registers of processing elements, and bytes from one processing element to the next. */
  | "register"
  | "hop"
  /** Ops of the scalar unit; lanes of the vector unit; elements times ops of the special function unit. */
  | "scalar"
  | "int"
  | "float"
  | "math"
  | "sfu"
  /** Bytes times hops of the network; rows of DRAM that were opened. */
  | "noc"
  | "activation";

export type Counts = { readonly [Q in Quantity]?: number };

/** Bytes of an accumulator: f32 or i32. */
const ACCUMULATOR = 4;

/** Per multiply-accumulate: bytes that registers of its processing element read or take, and bytes from its neighbours. */
function bytesPerMac(
  dataflow: Dataflow,
  element: number,
): { readonly register: number; readonly hop: number } {
  switch (dataflow) {
    case "os":
      // Both operands come from neighbours; the accumulator is read and written in place.
      return { register: 2 * element + 2 * ACCUMULATOR, hop: 2 * element };
    case "ws":
    case "is":
      // One operand stays and is read; the other and the partial sum come from neighbours.
      return { register: 2 * element + ACCUMULATOR, hop: element + ACCUMULATOR };
  }
}

/** One execution of a command, without what depends on addresses. */
export function countsOf(
  item: Move | Fill | Mma | Unit | Core,
  fabric: MachineConfig["tile"]["fabric"],
): Counts {
  const counts: { [Q in Quantity]?: number } = {};
  const add = (quantity: Quantity, amount: number): void => {
    if (amount > 0) counts[quantity] = (counts[quantity] ?? 0) + amount;
  };
  const addBytes = ({ read, write }: Pick<Core, "read" | "write">): void => {
    for (const [level, bytes] of Object.entries(read)) add(`${level as Level} read`, bytes);
    for (const [level, bytes] of Object.entries(write)) add(`${level as Level} write`, bytes);
  };
  switch (item.kind) {
    case "move":
      add(`${item.src.level} read`, item.src.runs.count * item.src.runs.bytes);
      add(`${item.dst.level} write`, item.dst.runs.count * item.dst.runs.bytes);
      if (item.sfu !== undefined) {
        add("sfu", item.sfu.elements * item.sfu.ops.length);
        for (const [level, bytes] of Object.entries(item.sfu.read ?? {}))
          add(`${level as Level} read`, bytes);
      }
      break;
    case "fill":
      add(`${item.dst.level} write`, item.dst.runs.count * item.dst.runs.bytes);
      break;
    case "mma": {
      const { m, n, k, dtype, dataflow } = item;
      const element = DTYPES[dtype].bytes;
      const perMac = bytesPerMac(dataflow, element);
      add(`mac ${dtype}`, m * n * k);
      add("register", m * n * k * perMac.register);
      add("hop", m * n * k * perMac.hop);
      // A streamed operand enters once for each block of what the columns, or rows, hold.
      const reads =
        dataflow === "os"
          ? m * k * Math.ceil(n / fabric.cols) + k * n * Math.ceil(m / fabric.rows)
          : dataflow === "ws"
            ? k * n + m * k * Math.ceil(n / fabric.cols)
            : m * k + k * n * Math.ceil(m / fabric.cols);
      add("l1 read", reads * element);
      if (dataflow !== "os") {
        // Partial sums of each block of k are added to those at the edge.
        const sums = m * n * Math.ceil(k / fabric.rows) * ACCUMULATOR;
        add("l1 read", sums);
        add("l1 write", sums);
      }
      break;
    }
    case "unit":
      for (const [kind, items] of Object.entries(item.work)) add(`${item.unit} ${kind as UnitWork}`, items);
      addBytes(item);
      break;
    case "core":
      add("scalar", (item.ops.scalar ?? 0) + (item.ops.branch ?? 0));
      for (const kind of ["int", "float", "math"] as const) add(kind, item.lanes[kind]);
      addBytes(item);
      break;
  }
  return counts;
}

/** One command or core item of a program: how often it runs, and inside which spans. */
export interface Executed {
  readonly item: Move | Fill | Mma | Unit | Core;
  /** Its number among the engines' commands, or among the works of cores. */
  readonly engine: boolean;
  readonly index: number;
  readonly times: number;
  readonly spans: readonly number[];
}

/** Every command of a program, loops counted out. */
export function executions(program: Program): readonly Executed[] {
  const found: Executed[] = [];
  const times: number[] = [1];
  const spans: number[] = [];
  program.ops.forEach((op, pc) => {
    const arg = program.args[pc]!;
    const now = times[times.length - 1]!;
    switch (op) {
      case Op.loop:
        times.push(now * program.loops[arg]!.count);
        break;
      case Op.next:
        times.pop();
        break;
      case Op.begin:
        spans.push(arg);
        break;
      case Op.end:
        spans.pop();
        break;
      case Op.issue: {
        const { item } = program.commands[arg]!;
        found.push({ item, engine: true, index: arg, times: now, spans: [...spans] });
        break;
      }
      case Op.work: {
        const { item } = program.works[arg]!;
        found.push({ item, engine: false, index: arg, times: now, spans: [...spans] });
        break;
      }
    }
  });
  return found;
}

/** Adds amounts, so many times. */
export function addCounts(sum: { [Q in Quantity]?: number }, counts: Counts, times: number): void {
  if (times === 0) return;
  for (const [quantity, amount] of Object.entries(counts) as [Quantity, number][])
    sum[quantity] = (sum[quantity] ?? 0) + times * amount;
}
