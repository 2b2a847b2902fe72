/**
 * The rounds of one loop, in order, as few items: rounds that were walked alone and are the same commands at addresses a
 * fixed step apart become a loop, and join a neighbouring loop that they continue.
 */
import type { Address, Core, End, Fill, Item, Move } from "../../machine/trace.ts";
import { sumOf, timesOf } from "./work.ts";

/** Adds an item to a list; work follows work as one. */
export function append(list: Item[], item: Item): void {
  const last = list[list.length - 1];
  if (item.kind === "core" && last?.kind === "core") list[list.length - 1] = sumOf(last, item);
  else list.push(item);
}
/** The same for items of which none is work that follows work. */
export function appendAll(list: Item[], items: readonly Item[]): void {
  const [first] = items;
  if (first === undefined) return;
  append(list, first);
  for (let i = 1; i < items.length; i++) list.push(items[i] as Item);
}
const joined = (lists: readonly (readonly Item[])[]): Item[] => {
  const out: Item[] = [];
  for (const items of lists) appendAll(out, items);
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
    else for (const body of rounds) this.round(firstRoundOf(body));
  }

  #repeated(count: number, turns: number, body: readonly Item[]): void {
    const core = onlyWork(body);
    if (core !== undefined) {
      this.round([timesOf(core, count)]);
      return;
    }
    let loop: Body = { count, turns, body };
    // Rounds before it that it continues.
    while (loop.body.length > 0 && isRound(this.#rounds.slice(-turns), loop, -1)) {
      this.#rounds.splice(-turns);
      loop = { ...loop, count: loop.count + 1, body: from(loop, -1) };
    }
    this.#absorb();
    const before = this.#loop;
    const isNext = before !== undefined && this.#rounds.length === 0 && before.turns === turns;
    if (isNext && continues(before, loop.body)) {
      this.#loop = { ...before, count: before.count + loop.count };
      return;
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
      if (!isRound(this.#rounds.slice(0, loop.turns), loop, loop.count)) return;
      this.#rounds.splice(0, loop.turns);
      this.#loop = { ...loop, count: loop.count + 1 };
    }
  }

  #settle(): void {
    const { count, body } = this.#loop ?? { count: 0, body: [] };
    if (count > 0 && body.length > 0) this.#done.push({ kind: "loop", count, body });
    this.#loop = undefined;
    appendAll(this.#done, foldRounds(this.#rounds));
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
  for (let i = 0; i < rounds.length; ) {
    const body = rounds[i] as readonly Item[];
    const steps =
      body.length === 0 || onlyWork(body) !== undefined ? undefined : stepsTo(body, rounds[i + 1]);
    let count = 1;
    if (steps !== undefined) {
      count = 2;
      while (isEqual(stepsTo(rounds[i + count - 1] as readonly Item[], rounds[i + count]), steps)) count++;
    }
    if (count === 1) appendAll(out, body);
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

/** How far each address of b is from that of a; undefined where they are different commands. */
function stepsTo(a: readonly Item[], b: readonly Item[] | undefined): readonly number[] | undefined {
  if (b === undefined) return undefined;
  const steps: number[] = [];
  const same = areAlike(a, b, 0, (x, y) => {
    steps.push(y.base - x.base);
    return isEqual(x.strides ?? NO_STRIDES, y.strides ?? NO_STRIDES);
  });
  return same ? steps : undefined;
}
const NO_STRIDES: readonly number[] = [];

/** Whether the rounds together are round `n` of a loop. */
function isRound(rounds: readonly (readonly Item[])[], { body }: Body, n: number): boolean {
  const [first, second] = rounds;
  if (first === undefined || body.length === 0) return false;
  const items = second === undefined ? first : joined(rounds);
  return areAlike(items, body, 0, (x, y, depth) => {
    const strides = y.strides ?? NO_STRIDES;
    if (x.base !== y.base + n * (strides[depth] ?? 0)) return false;
    // A loop that an address does not move with has no stride, or 0 where one around it has.
    const own = x.strides ?? NO_STRIDES;
    for (let i = 0; i < Math.max(own.length, strides.length); i++)
      if ((own[i] ?? 0) !== (strides[i < depth ? i : i + 1] ?? 0)) return false;
    return true;
  });
}

/** Whether the body is that of a loop behind its last round. */
function continues(loop: Body, body: readonly Item[]): boolean {
  return areAlike(body, loop.body, 0, (x, y, depth) => {
    const strides = y.strides ?? NO_STRIDES;
    return (
      x.base === y.base + loop.count * (strides[depth] ?? 0) && isEqual(x.strides ?? NO_STRIDES, strides)
    );
  });
}

type Compare = (x: Address, y: Address, depth: number) => boolean;

/** Whether the items are the same but for addresses, which are compared in order; `depth` as of mapAddresses. */
function areAlike(a: readonly Item[], b: readonly Item[], depth: number, compare: Compare): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as Item, b[i] as Item];
    if (x.kind === "loop" && y.kind === "loop") {
      if (x.count !== y.count || !areAlike(x.body, y.body, depth + 1, compare)) return false;
    } else if (!areSame(x, y, (p, q) => compare(p, q, depth))) return false;
  }
  return true;
}

/** Whether commands are the same but for addresses. */
function areSame(a: Item, b: Item, compare: (x: Address, y: Address) => boolean): boolean {
  switch (a.kind) {
    case "loop":
      return false;
    case "move":
      return (
        b.kind === "move" &&
        a.mover === b.mover &&
        a.transform === b.transform &&
        isSameOf(a, b) &&
        isDeepEqual(a.sfu, b.sfu) &&
        isSameEnd(a.src, b.src, compare) &&
        isSameEnd(a.dst, b.dst, compare)
      );
    case "fill":
      return b.kind === "fill" && isSameOf(a, b) && isSameEnd(a.dst, b.dst, compare);
    case "wait":
      return b.kind === "wait" && a.event === b.event && a.at === b.at;
    case "mma":
    case "unit":
    case "core":
    case "barrier":
    case "mark":
      return isDeepEqual(a, b);
  }
}
const isSameOf = (a: Move | Fill, b: Move | Fill): boolean =>
  a.signal === b.signal && a.at === b.at && isDeepEqual(a.after, b.after);
function isSameEnd(a: End, b: End, compare: (x: Address, y: Address) => boolean): boolean {
  return a.level === b.level && isDeepEqual(a.runs, b.runs) && compare(a.at, b.at);
}

/** Of plain data. */
function isDeepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => isDeepEqual(Reflect.get(a, key), Reflect.get(b, key)))
  );
}

function isEqual(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((x, i) => x === b[i]);
}

// ---------------------------------------------------------------------------------------------- addresses

/** The items with other addresses, visited in order; `depth` counts the loops between an address and the list. */
function mapAddresses(
  items: readonly Item[],
  depth: number,
  f: (a: Address, depth: number) => Address,
): readonly Item[] {
  const end = (e: End): End => {
    const at = f(e.at, depth);
    return at === e.at ? e : { level: e.level, at, runs: e.runs };
  };
  return items.map((item): Item => {
    switch (item.kind) {
      case "loop":
        return { kind: "loop", count: item.count, body: mapAddresses(item.body, depth + 1, f) };
      case "move": {
        const [src, dst] = [end(item.src), end(item.dst)];
        return src === item.src && dst === item.dst ? item : { ...item, src, dst };
      }
      case "fill": {
        const dst = end(item.dst);
        return dst === item.dst ? item : { ...item, dst };
      }
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
  return mapAddresses(body, 0, (a, depth) => {
    const stride = a.strides?.[depth] ?? 0;
    return stride === 0 ? a : { ...a, base: a.base + rounds * stride };
  });
}
/** The first round of a loop by itself, as it stands outside of the loop. */
function firstRoundOf(body: readonly Item[]): readonly Item[] {
  return mapAddresses(body, 0, (a, depth) => {
    if (a.strides === undefined || a.strides.length <= depth) return a;
    const strides = a.strides.filter((_, k) => k !== depth);
    while (strides.at(-1) === 0) strides.pop();
    return strides.length === 0 ? { base: a.base } : { base: a.base, strides };
  });
}
