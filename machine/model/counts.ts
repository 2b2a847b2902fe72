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

const READ = {
  dram: "dram read",
  l3: "l3 read",
  l2: "l2 read",
  local: "local read",
  l1: "l1 read",
} as const satisfies { readonly [L in Level]: Quantity };
const WRITE = {
  dram: "dram write",
  l3: "l3 write",
  l2: "l2 write",
  local: "local write",
  l1: "l1 write",
} as const satisfies { readonly [L in Level]: Quantity };

/** Amounts of many executions together, in the order in which they first came. */
export class Sum {
  readonly counts: { [Q in Quantity]?: number } = {};
  readonly #fabric: MachineConfig["tile"]["fabric"];

  constructor(fabric: MachineConfig["tile"]["fabric"]) {
    this.#fabric = fabric;
  }

  add(quantity: Quantity, amount: number): void {
    if (amount > 0) this.counts[quantity] = (this.counts[quantity] ?? 0) + amount;
  }

  /** So many executions of an item, without what depends on addresses. */
  item(item: Move | Fill | Mma | Unit | Core, times: number): void {
    if (times === 0) return;
    switch (item.kind) {
      case "move":
        this.add(READ[item.src.level], times * item.src.runs.count * item.src.runs.bytes);
        this.add(WRITE[item.dst.level], times * item.dst.runs.count * item.dst.runs.bytes);
        if (item.sfu !== undefined) {
          this.add("sfu", times * item.sfu.elements * item.sfu.ops.length);
          if (item.sfu.read !== undefined) this.#bytes(item.sfu.read, READ, times);
        }
        break;
      case "fill":
        this.add(WRITE[item.dst.level], times * item.dst.runs.count * item.dst.runs.bytes);
        break;
      case "mma":
        this.#product(item, times);
        break;
      case "unit":
        for (const kind in item.work)
          this.add(`${item.unit} ${kind as UnitWork}`, times * (item.work[kind as UnitWork] ?? 0));
        this.#bytes(item.read, READ, times);
        this.#bytes(item.write, WRITE, times);
        break;
      case "core":
        this.add("scalar", times * ((item.ops.scalar ?? 0) + (item.ops.branch ?? 0)));
        this.add("int", times * item.lanes.int);
        this.add("float", times * item.lanes.float);
        this.add("math", times * item.lanes.math);
        this.#bytes(item.read, READ, times);
        this.#bytes(item.write, WRITE, times);
        break;
    }
  }

  #product({ m, n, k, dtype, dataflow }: Mma, times: number): void {
    const { rows, cols } = this.#fabric;
    const element = DTYPES[dtype].bytes;
    const perMac = bytesPerMac(dataflow, element);
    const macs = times * m * n * k;
    this.add(`mac ${dtype}`, macs);
    this.add("register", macs * perMac.register);
    this.add("hop", macs * perMac.hop);
    // A streamed operand enters once for each block of what the columns, or rows, hold.
    const reads =
      dataflow === "os"
        ? m * k * Math.ceil(n / cols) + k * n * Math.ceil(m / rows)
        : dataflow === "ws"
          ? k * n + m * k * Math.ceil(n / cols)
          : m * k + k * n * Math.ceil(m / cols);
    this.add("l1 read", times * reads * element);
    if (dataflow === "os") return;
    // Partial sums of each block of k are added to those at the edge.
    const sums = times * m * n * Math.ceil(k / rows) * ACCUMULATOR;
    this.add("l1 read", sums);
    this.add("l1 write", sums);
  }

  #bytes<Q extends Quantity>(
    table: Partial<Record<Level, number>>,
    quantities: { readonly [L in Level]: Q },
    times: number,
  ): void {
    for (const level in table) this.add(quantities[level as Level], times * (table[level as Level] ?? 0));
  }
}

/** One execution of a command, without what depends on addresses. */
export function countsOf(
  item: Move | Fill | Mma | Unit | Core,
  fabric: MachineConfig["tile"]["fabric"],
): Counts {
  const sum = new Sum(fabric);
  sum.item(item, 1);
  return sum.counts;
}

/**
 * Shows every command and work of cores of a program, in the order in which they stand: its number among the engines' commands,
 * or among the works of cores; how often it runs, loops counted out; and inside which spans.
 */
export function eachExecution(
  { ops, args, loops, commands, works }: Program,
  show: (
    item: Move | Fill | Mma | Unit | Core,
    engine: boolean,
    index: number,
    times: number,
    spans: readonly number[],
  ) => void,
): void {
  const around: number[] = [];
  let times = 1;
  let spans: readonly number[] = [];
  for (let pc = 0; pc < ops.length; pc++) {
    const arg = args[pc]!;
    switch (ops[pc]) {
      case Op.loop:
        around.push(times);
        times *= loops[arg]!.count;
        break;
      case Op.next:
        times = around.pop() as number;
        break;
      case Op.begin:
        spans = [...spans, arg];
        break;
      case Op.end:
        spans = spans.slice(0, -1);
        break;
      case Op.issue:
        show(commands[arg]!.item, true, arg, times, spans);
        break;
      case Op.work:
        show(works[arg]!.item, false, arg, times, spans);
        break;
    }
  }
}
