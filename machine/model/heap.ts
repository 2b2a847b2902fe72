/** Who acts next: a binary heap of actors by time; at one time the actor with the smaller number is first. */
export class ActorHeap {
  /** When each actor acts; Infinity for one that is not in the heap. */
  readonly times: Float64Array;
  /** Where each actor stands in the heap; -1 outside. */
  readonly #place: Int32Array;
  readonly #heap: Int32Array;
  size = 0;

  constructor(actors: number) {
    this.times = new Float64Array(actors).fill(Infinity);
    this.#place = new Int32Array(actors).fill(-1);
    this.#heap = new Int32Array(actors);
  }

  /** The actor that is first; only if the heap is not empty. */
  first(): number {
    return this.#heap[0]!;
  }

  /** The last time, in whole ticks, at which an actor still comes before all others. */
  lastBefore(actor: number): number {
    const { size } = this;
    const heap = this.#heap;
    if (size === 0) return Infinity;
    if (heap[0] !== actor) return this.#lastBefore(actor, heap[0]!);
    if (size === 1) return Infinity;
    const left = this.#lastBefore(actor, heap[1]!);
    return size === 2 ? left : Math.min(left, this.#lastBefore(actor, heap[2]!));
  }

  #lastBefore(actor: number, other: number): number {
    const due = this.times[other]!;
    return other < actor ? due - 1 : due;
  }

  /** Lets an actor act at a time, instead of when it would have; Infinity takes it out. */
  set(actor: number, time: number): void {
    const before = this.times[actor]!;
    if (time === before) return;
    this.times[actor] = time;
    if (before === Infinity) {
      this.#up(actor, this.size++);
    } else if (time === Infinity) {
      const at = this.#place[actor]!;
      this.#place[actor] = -1;
      const last = this.#heap[--this.size]!;
      if (last === actor) return;
      this.#place[last] = at;
      this.#heap[at] = last;
      this.#down(last, at);
      this.#up(last, this.#place[last]!);
    } else if (time < before) this.#up(actor, this.#place[actor]!);
    else this.#down(actor, this.#place[actor]!);
  }

  #up(actor: number, from: number): void {
    const { times } = this;
    const heap = this.#heap;
    const place = this.#place;
    const time = times[actor]!;
    let at = from;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above]!;
      const due = times[other]!;
      if (due < time || (due === time && other < actor)) break;
      heap[at] = other;
      place[other] = at;
      at = above;
    }
    heap[at] = actor;
    place[actor] = at;
  }

  #down(actor: number, from: number): void {
    const { times, size } = this;
    const heap = this.#heap;
    const place = this.#place;
    const time = times[actor]!;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= size) break;
      let other = heap[below]!;
      let due = times[other]!;
      if (below + 1 < size) {
        const right = heap[below + 1]!;
        const rightDue = times[right]!;
        if (rightDue < due || (rightDue === due && right < other)) {
          below++;
          other = right;
          due = rightDue;
        }
      }
      if (time < due || (time === due && actor < other)) break;
      heap[at] = other;
      place[other] = at;
      at = below;
    }
    heap[at] = actor;
    place[actor] = at;
  }

  /** Moves everything by as many ticks, which keeps the order. */
  shift(ticks: number): void {
    const { times } = this;
    for (let i = 0; i < this.size; i++) {
      const actor = this.#heap[i]!;
      times[actor] = times[actor]! + ticks;
    }
  }
}
