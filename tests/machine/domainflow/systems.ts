/** Random uniform systems that some linear schedule can run, and a second opinion on each figure that the engine gives. */
import fc from "fast-check";
import {
  atMost,
  box,
  type Domain,
  type LinearSchedule,
  type Point,
  type Recurrence,
  type System,
  within,
} from "../../../machine/domainflow/index.ts";

export interface Drawn {
  readonly system: System;
  /** A legal schedule. */
  readonly schedule: LinearSchedule;
  readonly points: Readonly<Record<string, readonly Point[]>>;
}

const dot = (x: Point, y: Point): number => x.reduce((sum, value, axis) => sum + value * y[axis]!, 0);
const NAMES = ["u", "v", "w"];

/** All points of the bounding boxes below that satisfy a domain, by trying each. */
export function pointsByTrying({ dims, halfSpaces }: Domain, from: number, to: number): readonly Point[] {
  const found: Point[] = [];
  const visit = (at: Point): void => {
    if (at.length < dims) for (let x = from; x <= to; x++) visit([...at, x]);
    else if (halfSpaces.every(({ normal, least }) => dot(normal, at) >= least)) found.push(at);
  };
  visit([]);
  return found;
}

export const drawn: fc.Arbitrary<Drawn> = fc.integer({ min: 1, max: 3 }).chain((dims) => {
  const vector = (min: number, max: number) =>
    fc.array(fc.integer({ min, max }), { minLength: dims, maxLength: dims });
  return fc
    .record({
      tau: vector(-2, 2),
      variables: fc.array(
        fc.record({
          offset: fc.integer({ min: -2, max: 2 }),
          extents: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: dims, maxLength: dims }),
          cut: fc.option(fc.record({ normal: vector(-2, 2), most: fc.integer({ min: -2, max: 6 }) })),
          reads: fc.array(fc.record({ variable: fc.nat({ max: 2 }), theta: vector(-2, 2) }), {
            maxLength: 3,
          }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    })
    .map(({ tau, variables }): Drawn => {
      const offsets = Object.fromEntries(variables.map(({ offset }, i) => [NAMES[i]!, offset]));
      const points: Record<string, readonly Point[]> = {};
      const recurrences: Record<string, Recurrence> = {};
      variables.forEach(({ offset, extents, cut, reads }, i) => {
        const name = NAMES[i]!;
        const whole = box(...extents);
        const domain = cut === null ? whole : within(whole, atMost(cut.normal, cut.most));
        points[name] = pointsByTrying(domain, 0, 3);
        recurrences[name] = {
          domain,
          // What no schedule with this tau can do is turned round, or left out.
          reads: reads.flatMap(({ variable, theta }) => {
            const read = NAMES[variable % variables.length]!;
            const lead = offset - offsets[read]!;
            const turned = theta.map((value) => -value);
            if (dot(tau, theta) + lead >= 1) return [{ variable: read, theta }];
            return dot(tau, turned) + lead >= 1 ? [{ variable: read, theta: turned }] : [];
          }),
          value: (operands, at) =>
            operands.reduce((sum, x, k) => (sum * 3 + x * (k + 2)) % 1009, 1 + dot(at, at)),
          input: (at) => at.reduce((sum, x, axis) => sum + x * (axis + 5), i),
        };
      });
      return { system: { variables: recurrences, output: NAMES[0]! }, schedule: { tau, offsets }, points };
    });
});

interface Token {
  readonly name: string;
  readonly at: Point;
}
export const keyOf = (name: string, at: Point): string => `${name}@${at.join()}`;

/** Tokens and edges, by searching. */
export function graphOf({ system, points }: Drawn) {
  const tokens = Object.entries(points).flatMap(([name, all]) => all.map((at): Token => ({ name, at })));
  const known = new Set(tokens.map(({ name, at }) => keyOf(name, at)));
  const edges = tokens.flatMap(({ name, at }) =>
    system.variables[name]!.reads.flatMap(({ variable, theta }) => {
      const from = at.map((x, axis) => x - theta[axis]!);
      return known.has(keyOf(variable, from)) ? [{ from: keyOf(variable, from), to: keyOf(name, at) }] : [];
    }),
  );
  return { tokens, edges, known };
}

/** The value of a token, by recursion. */
export function valueAt({ system }: Drawn, known: ReadonlySet<string>, name: string, at: Point): number {
  const memo = new Map<string, number>();
  const value = (name: string, at: Point): number => {
    const { reads, value: compute, input } = system.variables[name]!;
    const key = keyOf(name, at);
    if (!known.has(key)) return input!(at);
    const before = memo.get(key);
    if (before !== undefined) return before;
    const result = compute(
      reads.map(({ variable, theta }) =>
        value(
          variable,
          at.map((x, axis) => x - theta[axis]!),
        ),
      ),
      at,
    );
    memo.set(key, result);
    return result;
  };
  return value(name, at);
}

/** By the formula of a linear schedule. */
export const stepOf = ({ tau, offsets = {} }: LinearSchedule, { name, at }: Token): number =>
  dot(tau, at) + (offsets[name] ?? 0);
