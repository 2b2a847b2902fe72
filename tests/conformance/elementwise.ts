/** Functions of lanes, many in one kernel, over streams of elements of any length, against what each does to one element. */
import {
  type DType,
  type DTypeName,
  dtypeOf,
  i32,
  kernel,
  type Mask,
  type NumD,
  ptr,
  S,
  type Vec,
} from "kpu-dsl";
import { expect } from "vitest";
import { anyValues, corners, hostArray, type NumericName, numbersOf } from "../harness/arrays.ts";
import { execute } from "../harness/execute.ts";

export interface Operation {
  readonly name: string;
  /** Inlined into the kernel. Its type is that of no dtype in particular, since the dtype comes at run time. */
  readonly call: (x: never, y: never, z: never) => Vec<NumD> | Mask;
  /** One element; a mask's are 0 and 1. `first` has the elements of lane 0 of the same register. */
  readonly truth: (x: number, y: number, z: number, first: readonly number[]) => number | boolean;
  /** How far off a finite result may be, in units in the last place of f32; absent: not a bit. */
  readonly ulps?: number;
}

interface Streams {
  /** Dtypes of x, y, z; the last one stands for those that are missing. */
  readonly operands: readonly NumericName[];
  readonly result: DTypeName;
  readonly lanes?: number;
  readonly sizes?: readonly number[];
  /** Elements of an operand. */
  readonly values?: (operand: 0 | 1 | 2, n: number) => readonly number[];
}

type Call = (x: Vec<NumD>, y: Vec<NumD>, z: Vec<NumD>) => Vec<NumD>;

/** One kernel that writes n results of every operation, one operation's after the other's. */
function streaming(operations: readonly Operation[], { operands, result }: Streams, lanes: number) {
  const calls = operations.map((o) => o.call as unknown as Call);
  const [dx, dy, dz] = [0, 1, 2].map(
    (i) => dtypeOf(operands[i] ?? (operands.at(-1) as DTypeName)) as NumD,
  ) as [NumD, NumD, NumD];
  const to = dtypeOf(result) as DType as NumD;
  return kernel([ptr(to), ptr(dx), ptr(dy), ptr(dz), i32], function streaming(out, px, py, pz, n) {
    for (let i = S.tileId() * lanes; i < n; i += S.tileCount() * lanes) {
      const mask = S.tailMask(n - i, lanes);
      const x = S.vload(px.at(i), { mask });
      const y = S.vload(py.at(i), { mask });
      const z = S.vload(pz.at(i), { mask });
      for (const k of S.unroll(calls.length)) S.vstore(calls[k]!(x, y, z), out.at(k * n + i), { mask });
    }
  });
}

/** Compares every operation over every length: 0, 1, around a register, a prime. */
export function expectElementwise(operations: readonly Operation[], streams: Streams): void {
  const { operands, result } = streams;
  const lanes = streams.lanes ?? 256 / dtypeOf(operands[0] as DTypeName).bits;
  const k = streaming(operations, streams, lanes);
  for (const n of streams.sizes ?? [0, 1, lanes - 1, lanes, lanes + 1, 397]) {
    const data = ([0, 1, 2] as const).map((i) => {
      const dtype = operands[i] ?? (operands.at(-1) as NumericName);
      const values = streams.values?.(i, n) ?? meeting(dtype, i, n);
      return { values, host: hostArray(dtype, values) };
    });
    const out = hostArray(result, new Array<number>(n * operations.length).fill(0));
    execute(k, [out, ...data.map((d) => d.host), n]);
    const got = numbersOf(result, out);
    operations.forEach((o, index) => {
      for (let i = 0; i < n; i++) {
        const [x, y, z] = data.map((d) => d.values[i]) as [number, number, number];
        const first = data.map((d) => d.values[i - (i % lanes)] as number);
        const want = Number(o.truth(x, y, z, first));
        const value = got[index * n + i] as number;
        if (!Object.is(value, want) && !(o.ulps !== undefined && near(value, want, o.ulps)))
          expect({ operation: o.name, x, y, z, value }).toEqual({ operation: o.name, x, y, z, value: want });
      }
    });
  }
}

/** Corners, so that those of x and y meet in all pairs, alternating with numbers from the whole range. */
function meeting(dtype: NumericName, operand: 0 | 1 | 2, n: number): number[] {
  const edges = corners(dtype);
  const e = edges.length;
  return anyValues(dtype, n, operand).map((v, i) => {
    const k = i >> 1;
    const edge = [k, Math.floor(k / e), 7 * k + 3 + Math.floor(k / e)][operand] as number;
    return i % 2 === 0 ? (edges[edge % e] as number) : v;
  });
}

const word = new DataView(new ArrayBuffer(4));
/** Position of an f32 among all, in order. */
function rank(x: number): number {
  word.setFloat32(0, x);
  const bits = word.getInt32(0);
  return bits < 0 ? -(bits & 0x7fffffff) : bits;
}
function near(x: number, y: number, ulps: number): boolean {
  if (Number.isNaN(x) || Number.isNaN(y)) return false;
  return Math.abs(rank(x) - rank(y)) <= ulps;
}
