/**
 * Systems of uniform recurrences, and their dependence graphs (Karp, Miller and Winograd 1967).
 *
 * A variable has a value at each point of its index domain, made of values that it reads at a constant distance: it reads
 * variable b at p - theta, with the same theta for all p. Where p - theta lies outside the domain of b, the value is an
 * input of the system, that enters through its boundary: it is there from the start.
 *
 *     // y[i] = sum over j of a[i][j] * x[j]: x moves down the rows, y along them
 *     const system: System = {
 *       variables: {
 *         x: { domain: box(2, 3), reads: [{ variable: "x", theta: [1, 0] }], value: ([x]) => x, input: ([, j]) => xs[j] },
 *         y: { domain: box(2, 3), reads: [{ variable: "y", theta: [0, 1] }, { variable: "x", theta: [0, 0] }, { variable: "a", theta: [0, 0] }],
 *              value: ([y, x, a]) => y + a * x, input: () => 0 },
 *       },
 *       inputs: { a: ([i, j]) => as[i][j] },
 *       output: "y",
 *     };
 *
 * A token is the value of a variable at a point, tagged with both. An edge goes from a token to each token that reads it, once per
 * read; a read of an input is no edge, and an input is no token.
 */
import { fail } from "../../ir/diagnostic.ts";
import { type Domain, type Point, Points } from "./polyhedron.ts";

export interface Read {
  readonly variable: string;
  readonly theta: Point;
}

export interface Recurrence {
  readonly domain: Domain;
  readonly reads: readonly Read[];
  /** From the values of the reads, in their order. */
  readonly value: (operands: readonly number[], at: Point) => number;
  /** What others, or itself, read outside the domain. */
  readonly input?: (at: Point) => number;
}

export interface System {
  readonly variables: Readonly<Record<string, Recurrence>>;
  /** Variables that are never computed. */
  readonly inputs?: Readonly<Record<string, (at: Point) => number>>;
  /** The variable whose tokens that nothing reads are the result. */
  readonly output: string;
}

/** A read of a variable: the dependence of all its points. */
export interface Dependence {
  readonly reader: string;
  readonly read: string;
  readonly theta: Point;
  /** Number of the token that is read, per point of the reader; -1 for an input. */
  readonly tokens: Int32Array;
}

/** Tokens of one variable: numbers `first` to `first + points.count`. */
export interface Family {
  readonly name: string;
  readonly recurrence: Recurrence;
  readonly points: Points;
  readonly first: number;
  readonly dependences: readonly Dependence[];
}

export interface DependenceGraph {
  /** Axes of the index domains. */
  readonly dims: number;
  readonly families: readonly Family[];
  readonly tokens: number;
  readonly edges: number;
}

/**
 * The dependence graph of a system.
 *
 * @throws KPU9002 when the system is malformed: unknown variable, vectors of different lengths, unbounded domain
 */
export function dependenceGraph(system: System): DependenceGraph {
  const entries = Object.entries(system.variables);
  const dims = entries[0]?.[1].domain.dims ?? 0;
  if (!Object.hasOwn(system.variables, system.output))
    fail("KPU9002", `the output ${system.output} is not a variable of the system`, {
      help: `use one of ${entries.map(([name]) => name).join(", ")}`,
    });
  let tokens = 0;
  const placed = entries.map(([name, recurrence]) => {
    checkVectors(name, recurrence, dims);
    const points = new Points(recurrence.domain);
    const first = tokens;
    tokens += points.count;
    return { name, recurrence, points, first };
  });
  let edges = 0;
  const families = placed.map((family): Family => {
    const dependences = family.recurrence.reads.map(({ variable, theta }): Dependence => {
      const source = placed.find(({ name }) => name === variable);
      const fed = Object.hasOwn(system.inputs ?? {}, variable);
      if (source === undefined && !fed)
        fail("KPU9002", `${family.name} reads ${variable}, which is neither a variable nor an input`);
      const read = new Int32Array(family.points.count).fill(-1);
      for (let i = 0; source !== undefined && i < read.length; i++) {
        const from = source.points.find(minus(family.points.at(i), theta));
        if (from < 0) continue;
        read[i] = source.first + from;
        edges++;
      }
      return { reader: family.name, read: variable, theta, tokens: read };
    });
    return { ...family, dependences };
  });
  return { dims, families, tokens, edges };
}

export const minus = (x: Point, y: Point): Point => x.map((value, axis) => value - y[axis]!);

/** What a read of an input gets. @throws KPU9002 when the variable has none there */
export function inputOf(system: System, variable: string, at: Point): number {
  const input = system.inputs?.[variable] ?? system.variables[variable]?.input;
  return input === undefined
    ? fail("KPU9002", `${variable} is read at [${at.join(", ")}], outside its domain, and has no input`, {
        help: "give the variable an input function, or make its domain larger",
      })
    : input(at);
}

/** The variable and point of a token, as text. */
export function nameOf(graph: DependenceGraph, token: number): string {
  const family = familyOf(graph, token);
  return `${family.name}[${family.points.at(token - family.first).join(", ")}]`;
}

export function familyOf({ families }: DependenceGraph, token: number): Family {
  const family = families.find(({ first, points }) => token >= first && token < first + points.count);
  if (family === undefined) throw new RangeError(`no token ${token}`);
  return family;
}

function checkVectors(name: string, { domain, reads }: Recurrence, dims: number): void {
  const vectors = [
    ...domain.halfSpaces.map(({ normal }) => ["a half-space of the domain", normal] as const),
    ...reads.map(({ variable, theta }) => [`theta of the read of ${variable}`, theta] as const),
  ];
  if (domain.dims !== dims)
    fail("KPU9002", `${name} has ${domain.dims} axes, but the first variable has ${dims}`);
  for (const [what, vector] of vectors)
    if (vector.length !== dims || !vector.every(Number.isSafeInteger))
      fail("KPU9002", `${name}: ${what} is [${vector.join(", ")}], expected ${dims} integers`);
}
