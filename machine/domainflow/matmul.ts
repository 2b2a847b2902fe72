/** Products as systems of recurrences: of matrices, of a matrix and a vector, and of one fold on a systolic array. */
import type { Dataflow } from "../fabric.ts";
import type { Mapping } from "./check.ts";
import { atLeast, atMost, box, type Domain, type Point, within } from "./polyhedron.ts";
import type { Read, System } from "./system.ts";

export type Matrix = readonly (readonly number[])[];

const columns = (matrix: Matrix): number => matrix[0]?.length ?? 0;
const passOn = ([value]: readonly number[]): number => value!;

/**
 * c[i][j] = sum over k of a[i][k] * b[k][j] at the points (i, j, k): a moves along j, b along i, and sums along k. A sum takes the
 * operands that its neighbours pass on, as they arrive: it reads a at (i, j-1, k) and b at (i-1, j, k).
 *
 * @param a m x k
 * @param b k x n
 */
export const matmul = (a: Matrix, b: Matrix): System => ({ variables: matmulVariables(a, b), output: "c" });

function matmulVariables(a: Matrix, b: Matrix) {
  const domain = box(a.length, columns(b), b.length);
  const along = { i: [1, 0, 0], j: [0, 1, 0], k: [0, 0, 1] };
  return {
    a: {
      domain,
      reads: [{ variable: "a", theta: along.j }],
      value: passOn,
      input: ([i, , k]: Point) => a[i!]![k!]!,
    },
    b: {
      domain,
      reads: [{ variable: "b", theta: along.i }],
      value: passOn,
      input: ([, j, k]: Point) => b[k!]![j!]!,
    },
    c: {
      domain,
      reads: [
        { variable: "c", theta: along.k },
        { variable: "a", theta: along.j },
        { variable: "b", theta: along.i },
      ],
      value: ([c, x, y]: readonly number[]) => c! + x! * y!,
      input: () => 0,
    },
  };
}

/**
 * y[i] = sum over j of a[i][j] * x[j] at the points (i, j): x moves along i, and sums along j. y reads x at its own point, and
 * so needs an offset of 1 in a linear schedule.
 *
 * @param a m x n
 * @param x n
 */
export function matvec(a: Matrix, x: readonly number[]): System {
  const domain = box(a.length, x.length);
  return {
    variables: {
      x: {
        domain,
        reads: [{ variable: "x", theta: [1, 0] }],
        value: passOn,
        input: ([, j]) => x[j!]!,
      },
      y: {
        domain,
        reads: [
          { variable: "y", theta: [0, 1] },
          { variable: "a", theta: [0, 0] },
          { variable: "x", theta: [0, 0] },
        ],
        value: ([y, factor, value]) => y! + factor! * value!,
        input: () => 0,
      },
    },
    inputs: { a: ([i, j]) => a[i!]![j!]! },
    output: "y",
  };
}

/** Axes of (i, j, k) that are rows, columns and steps of the array. The projection runs along the steps. */
const AXES: Readonly<Record<Dataflow, readonly [row: number, col: number, step: number]>> = {
  os: [0, 1, 2],
  ws: [2, 1, 0],
  is: [2, 0, 1],
};

type Range = readonly [from: number, to: number];

/**
 * One fold of a matrix product on an array, with all that moves in and out: the recurrence of {@link matmul}, and
 *
 *   os       `waits`: a sum that is complete waits in its PE for the last row of its column; `drains`: then the column moves
 *            up, and leaves at row 0
 *   ws, is   `loads`: values of the stationary operand come down from the first row, the last row's first; `held`: there they
 *            wait, and stay while the row works
 *
 * all of it uniform, and by the same tau [1, 1, 1]. In ws and is the rows in use are the last ones of the array.
 *
 * @param a m x k
 * @param b k x n
 * @param arrayRows rows of the array, at least those in use
 */
export function fold(
  dataflow: Dataflow,
  a: Matrix,
  b: Matrix,
  arrayRows: number,
): { readonly system: System; readonly mapping: Mapping } {
  const [row, col, step] = AXES[dataflow];
  const extents = [a.length, columns(b), b.length];
  const [rows, cols, steps] = [extents[row]!, extents[col]!, extents[step]!];
  const product = matmulVariables(a, b);

  // The array's rows, columns and steps in the order of i, j and k.
  const ordered = <T>(ofRow: T, ofCol: T, ofStep: T): readonly [T, T, T] => {
    const axes: [T, T, T] = [ofRow, ofCol, ofStep];
    [axes[row], axes[col], axes[step]] = [ofRow, ofCol, ofStep];
    return axes;
  };
  const read = (variable: string, down: number, later: number): Read => ({
    variable,
    theta: ordered(down, 0, later),
  });
  const range = (ofRow: Range, ofStep: Range): Domain => box(...ordered<Range>(ofRow, [0, cols], ofStep));
  const zero = () => 0;
  const mapping = { schedule: { tau: [1, 1, 1] }, direction: ordered(0, 0, 1) };

  if (dataflow === "os") {
    // Row i waits while i + k < rows + steps - 1. A sum that moves up d rows in d steps is 2d later on axis k, as tau counts i too.
    const after = range([0, rows], [steps, steps + 2 * rows]);
    const full = rows + steps - 1;
    const waits = {
      domain: within(after, atMost(ordered(1, 0, 1), full - 1)),
      reads: [read("c", 0, 1), read("waits", 0, 1)],
      value: either,
      input: zero,
    };
    const drains = {
      domain: within(after, atLeast(ordered(1, 0, 1), full), atMost(ordered(2, 0, 1), full + rows - 1)),
      reads: [read("c", 0, 1), read("waits", 0, 1), read("drains", -1, 2)],
      value: either,
      input: zero,
    };
    return { system: { variables: { ...product, waits, drains }, output: "drains" }, mapping };
  }

  // Rows above those in use are negative. The value for row r comes down at -1 - r of the step axis.
  const first = rows - arrayRows;
  const [moving, stationary] = dataflow === "ws" ? (["a", "b"] as const) : (["b", "a"] as const);
  const loads = {
    domain: within(range([first, rows], [-rows, 0]), atMost(ordered(1, 0, 1), -1)),
    reads: [read("loads", 1, 0)],
    value: passOn,
    input: (at: Point) => {
      if (at[row] !== first - 1) return 0;
      return product[stationary].input(ordered(-1 - at[step]!, at[col]!, 0));
    },
  };
  const held = {
    domain: within(range([0, rows], [-rows, steps]), atLeast(ordered(1, 0, 1), 0)),
    reads: [read("held", 0, 1), read("loads", 0, 1)],
    value: either,
    input: zero,
  };
  const c = {
    ...product.c,
    reads: [
      read("c", 1, 0),
      { variable: moving, theta: ordered(0, 1, 0) },
      read("held", 0, 1),
      read("loads", 0, 1),
    ],
    value: ([sum, x, y, z]: readonly number[]) => sum! + x! * (y! + z!),
  };
  return { system: { variables: { [moving]: product[moving], c, held, loads }, output: "c" }, mapping };
}

/** Of several reads at most one lies inside the domain of what it reads; the others are zero. */
const either = (operands: readonly number[]): number => operands.reduce((x, y) => x + y, 0);
