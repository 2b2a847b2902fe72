/**
 * Index domains: the integer points of bounded convex polyhedra.
 *
 *     within(box(4, 4), atMost([1, 1], 3))     // the triangle i >= 0, j >= 0, i + j <= 3
 */
import { fail } from "../../ir/diagnostic.ts";
import { gcd } from "../gcd.ts";

/** Integers, one per axis: a point of an index domain, or a difference of two. */
export type Point = readonly number[];

/** The points p with normal . p >= least. Integers. */
export interface HalfSpace {
  readonly normal: Point;
  readonly least: number;
}

export interface Domain {
  readonly dims: number;
  readonly halfSpaces: readonly HalfSpace[];
}

export const dot = (x: Point, y: Point): number => x.reduce((sum, value, axis) => sum + value * y[axis]!, 0);

export const atLeast = (normal: Point, bound: number): HalfSpace => ({ normal, least: bound });
export const atMost = (normal: Point, bound: number): HalfSpace => ({
  normal: normal.map((value) => -value),
  least: -bound,
});

/** Per axis an extent n (0 <= x < n) or a range [from, to] (from <= x < to). */
export function box(...axes: readonly (number | readonly [from: number, to: number])[]): Domain {
  const unit = (axis: number): Point => axes.map((_, other) => (other === axis ? 1 : 0));
  const halfSpaces = axes.flatMap((range, axis) => {
    const [from, to] = typeof range === "number" ? [0, range] : range;
    return [atLeast(unit(axis), from), atMost(unit(axis), to - 1)];
  });
  return { dims: axes.length, halfSpaces };
}

/** The part of a domain that lies in all these half-spaces. */
export const within = (domain: Domain, ...halfSpaces: readonly HalfSpace[]): Domain => ({
  ...domain,
  halfSpaces: [...domain.halfSpaces, ...halfSpaces],
});

/** Some ten seconds; a fold of 32 x 32 with 256 steps has a quarter of a million. */
const MOST_POINTS = 1 << 21;

/** The points of a domain in lexicographic order, numbered from 0. */
export class Points {
  readonly #dims: number;
  readonly #coordinates: readonly number[];
  /** Number of the point at each place of the bounding box. */
  readonly #numbers: Int32Array;
  readonly #low: Point;
  readonly #extent: Point;
  readonly count: number;

  /** @throws KPU9002 when the domain is unbounded or too large */
  constructor(domain: Domain) {
    this.#dims = domain.dims;
    this.#coordinates = enumerate(domain);
    this.count = this.#coordinates.length / domain.dims;
    const axes = Array.from({ length: domain.dims }, (_, axis) => axis);
    const low = axes.map(() => Number.POSITIVE_INFINITY);
    const high = axes.map(() => Number.NEGATIVE_INFINITY);
    this.#coordinates.forEach((value, i) => {
      const axis = i % domain.dims;
      low[axis] = Math.min(low[axis]!, value);
      high[axis] = Math.max(high[axis]!, value);
    });
    this.#low = low;
    this.#extent = axes.map((axis) => (this.count === 0 ? 0 : high[axis]! - low[axis]! + 1));
    const places = this.#extent.reduce((product, n) => product * n, 1);
    if (places > MOST_POINTS) fail("KPU9002", tooLarge("the box around an index domain has", places));
    this.#numbers = new Int32Array(places).fill(-1);
    for (let number = 0; number < this.count; number++) this.#numbers[this.#place(this.at(number))] = number;
  }

  at(number: number): Point {
    return this.#coordinates.slice(number * this.#dims, (number + 1) * this.#dims);
  }

  /** The number of a point, or -1 when it lies outside. */
  find(p: Point): number {
    const place = this.#place(p);
    return place < 0 ? -1 : this.#numbers[place]!;
  }

  #place(p: Point): number {
    let place = 0;
    for (let axis = 0; axis < this.#dims; axis++) {
      const at = p[axis]! - this.#low[axis]!;
      if (!(at >= 0 && at < this.#extent[axis]!)) return -1;
      place = place * this.#extent[axis]! + at;
    }
    return place;
  }
}

const tooLarge = (what: string, count: number) =>
  `${what} ${count} points, more than the ${MOST_POINTS} that are checked; check a smaller system of the same form`;

/** Coordinates of all points, one after the other. */
function enumerate({ dims, halfSpaces }: Domain): readonly number[] {
  // levels[axis] bounds that axis by the ones before it: Fourier and Motzkin's elimination of the axes behind.
  const levels: (readonly HalfSpace[])[] = [];
  let rest: readonly HalfSpace[] | undefined = tidy(halfSpaces);
  for (let axis = dims - 1; axis >= 0 && rest !== undefined; axis--) {
    levels[axis] = rest;
    rest = eliminate(rest, axis);
  }
  const found: number[] = [];
  if (rest === undefined) return found;
  const at: number[] = [];
  const visit = (axis: number): void => {
    if (axis === dims) {
      found.push(...at);
      if (found.length > MOST_POINTS * dims)
        fail("KPU9002", tooLarge("an index domain has over", MOST_POINTS));
      return;
    }
    let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (const { normal, least } of levels[axis]!) {
      const need = least - dot(at.slice(0, axis), normal);
      const factor = normal[axis]!;
      // + 0, since the ceiling of -1/2 is -0, which no coordinate should be.
      if (factor > 0) low = Math.max(low, Math.ceil(need / factor) + 0);
      else if (factor < 0) high = Math.min(high, Math.floor(need / factor));
    }
    if (!Number.isFinite(low) || !Number.isFinite(high))
      fail("KPU9002", `an index domain is unbounded along axis ${axis}`, {
        help: `bound the axis from both sides: ${axis === 0 ? "" : "a bound may depend on other axes, as in "}atLeast(normal, n) and atMost(normal, n)`,
      });
    for (let x = low; x <= high; x++) {
      at[axis] = x;
      visit(axis + 1);
    }
    at.length = axis;
  };
  visit(0);
  return found;
}

/** Half-spaces of the shadow along an axis; undefined when there is none, because the domain is empty. */
function eliminate(halfSpaces: readonly HalfSpace[], axis: number): readonly HalfSpace[] | undefined {
  const lower = halfSpaces.filter(({ normal }) => normal[axis]! > 0);
  const upper = halfSpaces.filter(({ normal }) => normal[axis]! < 0);
  const combined = lower.flatMap((low) =>
    upper.map((up): HalfSpace => {
      const [x, y] = [-up.normal[axis]!, low.normal[axis]!];
      return {
        normal: low.normal.map((value, i) => value * x + up.normal[i]! * y),
        least: low.least * x + up.least * y,
      };
    }),
  );
  return tidy([...halfSpaces.filter(({ normal }) => normal[axis] === 0), ...combined]);
}

/** Divides by common factors and keeps the tightest of parallel ones; undefined when one holds no point. */
function tidy(halfSpaces: readonly HalfSpace[]): readonly HalfSpace[] | undefined {
  const tightest = new Map<string, HalfSpace>();
  for (const { normal, least } of halfSpaces) {
    const factor = normal.reduce((x, y) => gcd(x, Math.abs(y)), 0);
    if (factor === 0) {
      if (least > 0) return undefined;
      continue;
    }
    const reduced = { normal: normal.map((value) => value / factor), least: Math.ceil(least / factor) };
    const key = reduced.normal.join();
    const other = tightest.get(key);
    if (other === undefined || other.least < reduced.least) tightest.set(key, reduced);
  }
  return [...tightest.values()];
}
