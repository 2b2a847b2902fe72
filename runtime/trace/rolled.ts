/**
 * The rounds of one loop, in order, as few items: rounds that were walked alone and are the same commands at addresses a
 * fixed step apart become a loop, and join a neighbouring loop that they continue.
 */
import type { Address, Core, End, Item } from "../../machine/trace.ts";
import { sumOf, timesOf } from "./work.ts";

/** Adds an item to a list; work follows work as one. */
export function append(list: Item[], item: Item): void {
  const last = list.at(-1);
  if (item.kind === "core" && last?.kind === "core") list[list.length - 1] = sumOf(last, item);
  else list.push(item);
}
const joined = (lists: readonly (readonly Item[])[]): Item[] => {
  const out: Item[] = [];
  for (const items of lists) for (const item of items) append(out, item);
  return out;
};

interface Body {
  readonly count: number;
  /** Rounds in one body. */
  readonly turns: number;
  readonly body: readonly Item[];
}

export class Rolled {
  readonly #done: Item[] = [];
  /** The last loop, which the rounds behind it may continue. */
  #loop: Body | undefined;
  #rounds: (readonly Item[])[] = [];

  /** A round that was walked alone. */
  round(items: readonly Item[]): void {
    this.#rounds.push(items);
  }

  /** `count` times some rounds that were walked at once: their addresses have the stride of this loop. */
  together(count: number, rounds: readonly (readonly Item[])[]): void {
    if (count > 1) this.#repeated(count, rounds.length, joined(rounds));
    else for (const body of rounds) this.round(roundOf({ count: 1, turns: 1, body }, 0));
  }

  #repeated(count: number, turns: number, body: readonly Item[]): void {
    const core = onlyWork(body);
    if (core !== undefined) {
      this.round([timesOf(core, count)]);
      return;
    }
    let loop: Body = { count, turns, body };
    // Rounds before it that it continues.
    while (loop.body.length > 0 && isSame(this.#rounds.slice(-turns), roundOf(loop, -1))) {
      this.#rounds.splice(-turns);
      loop = { ...loop, count: loop.count + 1, body: from(loop, -1) };
    }
    this.#absorb();
    const before = this.#loop;
    if (before !== undefined && this.#rounds.length === 0 && before.turns === turns) {
      const next = { ...before, body: from(before, before.count) };
      if (isSame([next.body], loop.body)) {
        this.#loop = { ...before, count: before.count + loop.count };
        return;
      }
    }
    this.#settle();
    this.#loop = loop;
  }

  items(): readonly Item[] {
    this.#absorb();
    this.#settle();
    return this.#done;
  }

  /** Rounds behind the last loop that continue it. */
  #absorb(): void {
    for (let loop = this.#loop; loop !== undefined; loop = this.#loop) {
      if (!isSame(this.#rounds.slice(0, loop.turns), roundOf(loop, loop.count))) return;
      this.#rounds.splice(0, loop.turns);
      this.#loop = { ...loop, count: loop.count + 1 };
    }
  }

  #settle(): void {
    const { count, body } = this.#loop ?? { count: 0, body: [] };
    if (count > 0 && body.length > 0) this.#done.push({ kind: "loop", count, body });
    this.#loop = undefined;
    for (const item of foldRounds(this.#rounds)) append(this.#done, item);
    this.#rounds = [];
  }
}

function onlyWork(body: readonly Item[]): Core | undefined {
  const [first, second] = body;
  return second === undefined && first?.kind === "core" ? first : undefined;
}

/** Rounds as loops where neighbours are the same commands. */
function foldRounds(rounds: readonly (readonly Item[])[]): Item[] {
  const out: Item[] = [];
  const shapes = rounds.map(shapeOf);
  for (let i = 0; i < rounds.length; ) {
    const body = rounds[i] as readonly Item[];
    const first = shapes[i] as Shape;
    const steps = stepsTo(first, shapes[i + 1]);
    let count = 1;
    if (steps !== undefined && onlyWork(body) === undefined && body.length > 0) {
      count = 2;
      while (isEqual(stepsTo(shapes[i + count - 1] as Shape, shapes[i + count]), steps)) count++;
    }
    if (count === 1) for (const item of body) append(out, item);
    else {
      let k = 0;
      const moved = mapAddresses(body, 0, (a, depth) => withStride(a, depth, steps?.[k++] ?? 0));
      out.push({ kind: "loop", count, body: moved });
    }
    i += count;
  }
  return out;
}

// ---------------------------------------------------------------------------------------------- rounds compared

/** Items without the bases of their addresses, and those. */
interface Shape {
  readonly text: string;
  readonly bases: readonly number[];
}

function shapeOf(items: readonly Item[]): Shape {
  const bases: number[] = [];
  const blank = mapAddresses(items, 0, (a) => {
    bases.push(a.base);
    return { ...a, base: 0 };
  });
  return { text: JSON.stringify(blank), bases };
}
/** How far each address of b is from that of a; undefined where they are different commands. */
function stepsTo(a: Shape, b: Shape | undefined): readonly number[] | undefined {
  if (b === undefined || a.text !== b.text) return undefined;
  return a.bases.map((x, i) => (b.bases[i] as number) - x);
}
function isEqual(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.every((x, i) => x === b[i]);
}
function isSame(rounds: readonly (readonly Item[])[], items: readonly Item[]): boolean {
  if (rounds.length === 0 || items.length === 0) return false;
  const [a, b] = [shapeOf(joined(rounds)), shapeOf(items)];
  return a.text === b.text && isEqual(a.bases, b.bases);
}

// ---------------------------------------------------------------------------------------------- addresses

/** The items with other addresses, visited in order; `depth` counts the loops between an address and the list. */
function mapAddresses(
  items: readonly Item[],
  depth: number,
  f: (a: Address, depth: number) => Address,
): readonly Item[] {
  const end = (e: End): End => ({ ...e, at: f(e.at, depth) });
  return items.map((item): Item => {
    switch (item.kind) {
      case "loop":
        return { ...item, body: mapAddresses(item.body, depth + 1, f) };
      case "move": {
        const src = end(item.src);
        return { ...item, src, dst: end(item.dst) };
      }
      case "fill":
        return { ...item, dst: end(item.dst) };
      default:
        return item;
    }
  });
}

/** An address that moves by `stride` with the loop `depth` levels outward. */
function withStride(a: Address, depth: number, stride: number): Address {
  if (stride === 0 && (a.strides?.length ?? 0) <= depth) return a;
  const strides = [...(a.strides ?? [])];
  while (strides.length < depth) strides.push(0);
  return { ...a, strides: [...strides.slice(0, depth), stride, ...strides.slice(depth)] };
}

/** The body of a loop that starts so many rounds later. */
function from({ body }: Body, rounds: number): readonly Item[] {
  return mapAddresses(body, 0, (a, depth) => ({ ...a, base: a.base + rounds * (a.strides?.[depth] ?? 0) }));
}
/** One round of a loop by itself, as it stands outside of the loop. */
function roundOf(loop: Body, round: number): readonly Item[] {
  return mapAddresses(from(loop, round), 0, (a, depth) => {
    const strides = a.strides?.filter((_, k) => k !== depth) ?? [];
    return strides.length === 0 ? { base: a.base } : { ...a, strides };
  });
}
