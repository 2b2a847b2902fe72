/**
 * A projection maps the points on each line along a direction to one processing element (PE).
 *
 *     projection([0, 0, 1], 3).place([4, 5, 6])       // [4, 5]: along k, each (i, j) is a PE
 *     projection([1, 1, 1], 3).place([4, 5, 6])       // [1, 2]: the hexagonal array of a matrix product
 */
import { fail } from "../../ir/diagnostic.ts";
import { gcd } from "../gcd.ts";
import { dot, type Point } from "./polyhedron.ts";

export interface Projection {
  readonly direction: Point;
  /** The PE of a point. Linear, so of a theta it is the way that the token goes on the array. */
  place(p: Point): Point;
}

/** @throws KPU9002 when the direction is not a vector of integers of this length, other than zero */
export function projection(direction: Point, dims: number): Projection {
  const factor = direction.reduce((x, y) => gcd(x, Math.abs(y)), 0);
  if (direction.length !== dims || factor === 0 || !direction.every(Number.isSafeInteger))
    fail(
      "KPU9002",
      `a projection runs along [${direction.join(", ")}], expected ${dims} integers that are not all zero`,
    );
  // Row operations take the direction to a unit vector (Euclid's algorithm, all axes at once); the rows that got zero span
  // the array, without gaps because the operations are unimodular.
  const rows = direction.map((_, axis) => direction.map((__, other) => Number(other === axis)));
  const rest = direction.map((value) => value / factor);
  for (;;) {
    const pivot = rest.reduce(
      (best, value, axis) =>
        value !== 0 && (rest[best] === 0 || Math.abs(value) < Math.abs(rest[best]!)) ? axis : best,
      0,
    );
    const others = rest.flatMap((value, axis) => (value !== 0 && axis !== pivot ? [axis] : []));
    if (others.length === 0) {
      const across = rows.filter((_, axis) => axis !== pivot);
      return { direction, place: (p) => across.map((row) => dot(row, p)) };
    }
    for (const axis of others) {
      const times = Math.trunc(rest[axis]! / rest[pivot]!);
      rest[axis]! -= times * rest[pivot]!;
      rows[axis] = rows[axis]!.map((value, i) => value - times * rows[pivot]![i]!);
    }
  }
}
