/**
 * A systolic array stepped cycle by cycle and register by register: the oracle of machine/fabric.ts, which shares no formula with it.
 * A fold starts as early as it can without two values meeting in a register; its results are checked against the plain product.
 */

/** `left` moves along the rows of the array and `top` along the columns (os), or `top` is held in it (ws and is). */
export interface FoldOperands {
  /** os: rows x steps; stationary: steps x rows. Each entry holds the k of one group. */
  readonly left: readonly (readonly (readonly number[])[])[];
  /** os: steps x cols; stationary: rows x cols. */
  readonly top: readonly (readonly (readonly number[])[])[];
}

export interface ArraySize {
  readonly rows: number;
  readonly cols: number;
  /** Cycles of a step. */
  readonly interval: number;
}

export interface ArrayRun {
  /** Cycles until the last result has left, and until the first one has. */
  readonly cycles: number;
  readonly first: number;
  /** Cycles until the last PE has made its last step. */
  readonly computed: number;
  /** Cycles of single PEs with a step in them. */
  readonly busy: number;
  /** Start of each fold. */
  readonly starts: readonly number[];
}

/** Thrown often, so without a stack. */
class Hazard {
  readonly what: string;
  constructor(what: string) {
    this.what = what;
  }
}
function check(fine: boolean, what: string): asserts fine {
  if (!fine) throw new Hazard(what);
}

const dot = (x: readonly number[], y: readonly number[]): number =>
  x.reduce((sum, value, i) => sum + value * y[i]!, 0);

type Step = (folds: readonly FoldOperands[], starts: readonly number[], size: ArraySize) => ArrayRun;

/** Runs folds back to back, each as early as the array allows. */
function backToBack(step: Step, folds: readonly FoldOperands[], size: ArraySize): ArrayRun {
  let starts: readonly number[] = [];
  let run: ArrayRun | undefined;
  for (let f = 0; f < folds.length; f++) {
    const from = f === 0 ? 0 : starts[f - 1]! + 1;
    for (let start = from; ; start++) {
      try {
        run = step(folds.slice(0, f + 1), [...starts, start], size);
        starts = run.starts;
        break;
      } catch (error) {
        if (!(error instanceof Hazard)) throw error;
      }
    }
  }
  if (run === undefined) throw new Error("no folds");
  return run;
}

export const outputStationary = (folds: readonly FoldOperands[], size: ArraySize): ArrayRun =>
  backToBack(stepOs, folds, size);
export const operandStationary = (folds: readonly FoldOperands[], size: ArraySize): ArrayRun =>
  backToBack(stepStationary, folds, size);

interface Operand {
  readonly fold: number;
  readonly step: number;
  readonly values: readonly number[];
}
interface Value {
  readonly fold: number;
  readonly value: number;
}

const placeKey = (cycle: number, row: number, col: number): number => (cycle * 64 + row) * 64 + col;

/** What arrives where and when. */
class Schedule<T> {
  readonly #at = new Map<number, T>();
  put(cycle: number, row: number, col: number, value: T): void {
    const key = placeKey(cycle, row, col);
    check(!this.#at.has(key), "two values at one place");
    this.#at.set(key, value);
  }
  take(cycle: number, row: number, col: number): T | undefined {
    const key = placeKey(cycle, row, col);
    const value = this.#at.get(key);
    this.#at.delete(key);
    return value;
  }
  get empty(): boolean {
    return this.#at.size === 0;
  }
}

const grid = <T>({ rows, cols }: ArraySize, value: () => T): T[][] =>
  Array.from({ length: rows }, () => Array.from({ length: cols }, value));

function stepOs(folds: readonly FoldOperands[], starts: readonly number[], size: ArraySize): ArrayRun {
  const { rows, cols, interval } = size;
  const west = new Schedule<Operand>();
  const north = new Schedule<Operand>();
  folds.forEach(({ left, top }, fold) => {
    const start = starts[fold]!;
    left.forEach((row, i) => {
      row.forEach((values, step) => {
        west.put(start + interval * (step + i), i, 0, { fold, step, values });
      });
    });
    top.forEach((row, step) => {
      row.forEach((values, j) => {
        north.put(start + interval * (step + j), 0, j, { fold, step, values });
      });
    });
  });
  const freeAt = grid(size, () => 0);
  const accumulator = grid(size, () => 0);
  const result = grid<Value | undefined>(size, () => undefined);
  const chain: Value[][] = Array.from({ length: cols }, () => []);
  /** Results of a column become complete with the last row of their fold. */
  const complete = new Schedule<number>();
  const finishing = new Schedule<{ readonly fold: number; readonly sum: number; readonly last: boolean }>();
  const left = folds.map(({ top }) => top[0]!.map((): number[] => []));
  let [cycles, first, computed, busy] = [0, 0, 0, 0];
  const leave = (cycle: number, col: number, { fold, value }: Value) => {
    left[fold]![col]!.push(value);
    if (cycles === 0) first = cycle + 1;
    cycles = Math.max(cycles, cycle + 1);
  };
  const chainsBusy = () => chain.some((column) => column.length > 0);
  for (
    let cycle = 0;
    !west.empty || !north.empty || !finishing.empty || !complete.empty || chainsBusy();
    cycle++
  ) {
    for (let j = 0; j < cols; j++) {
      const column = chain[j]!;
      const fold = complete.take(cycle, 0, j);
      if (fold !== undefined) {
        check(column.length === 0, "the chain still drains the fold before");
        for (let i = 0; i < folds[fold]!.left.length; i++) {
          const value = result[i]![j];
          check(value !== undefined && value.fold === fold, "a result is missing");
          column.push(value);
          result[i]![j] = undefined;
        }
      }
      const out = column.shift();
      if (out !== undefined) leave(cycle, j, out);
    }
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < cols; j++) {
        const a = west.take(cycle, i, j);
        const b = north.take(cycle, i, j);
        if (a !== undefined || b !== undefined) {
          check(a !== undefined && b !== undefined, "an operand comes alone");
          check(a.fold === b.fold && a.step === b.step, "operands of different steps meet");
          check(freeAt[i]![j]! <= cycle, "the PE still works");
          const { left: lefts, top } = folds[a.fold]!;
          const done = cycle + interval;
          freeAt[i]![j] = done;
          busy += interval;
          computed = Math.max(computed, done);
          const before = a.step === 0 ? 0 : accumulator[i]![j]!;
          const sum = before + dot(a.values, b.values);
          accumulator[i]![j] = sum;
          finishing.put(done - 1, i, j, { fold: a.fold, sum, last: a.step === top.length - 1 });
          if (j + 1 < top[0]!.length) west.put(done, i, j + 1, a);
          if (i + 1 < lefts.length) north.put(done, i + 1, j, b);
        }
        const finished = finishing.take(cycle, i, j);
        if (finished?.last) {
          check(result[i]![j] === undefined, "the result before is still there");
          result[i]![j] = { fold: finished.fold, value: finished.sum };
          if (i === folds[finished.fold]!.left.length - 1) complete.put(cycle + 1, 0, j, finished.fold);
        }
      }
  }
  folds.forEach(({ left: lefts, top }, fold) => {
    lefts.forEach((row, i) => {
      top[0]!.forEach((_, j) => {
        const expected = row.reduce((sum, values, step) => sum + dot(values, top[step]![j]!), 0);
        const got = left[fold]![j]![i];
        if (got !== expected) throw new Error(`fold ${fold}, row ${i}, column ${j}: ${got}, not ${expected}`);
      });
    });
  });
  return { cycles, first, computed, busy, starts };
}

function stepStationary(
  folds: readonly FoldOperands[],
  starts: readonly number[],
  size: ArraySize,
): ArrayRun {
  const { rows, cols, interval } = size;
  interface Held {
    readonly fold: number;
    readonly row: number;
    readonly values: readonly number[];
  }
  const west = new Schedule<Operand>();
  const load = new Schedule<Held>();
  const sums = new Schedule<Value & { readonly step: number }>();
  const topRow = (fold: FoldOperands) => rows - fold.top.length;
  folds.forEach((operands, fold) => {
    const start = starts[fold]!;
    operands.top.forEach((row, i) => {
      const target = topRow(operands) + i;
      row.forEach((values, j) => {
        load.put(start + interval * j + (rows - 1 - target), 0, j, { fold, row: target, values });
      });
    });
    operands.left.forEach((row, step) => {
      row.forEach((values, i) => {
        const at = start + rows + interval * (step + i);
        west.put(at, topRow(operands) + i, 0, { fold, step, values });
      });
    });
  });
  const freeAt = grid(size, () => 0);
  /** `waits`: moved in, but not yet taken. */
  const shadow = grid<(Held & { readonly waits: boolean }) | undefined>(size, () => undefined);
  const held = grid<Held | undefined>(size, () => undefined);
  const left = folds.map(({ top }) => top[0]!.map((): number[] => []));
  let [cycles, first, busy] = [0, 0, 0];
  for (let cycle = 0; !west.empty || !load.empty || !sums.empty; cycle++) {
    for (let i = 0; i <= rows; i++)
      for (let j = 0; j < cols; j++) {
        const sum = sums.take(cycle, i, j);
        if (i === rows) {
          if (sum === undefined) continue;
          left[sum.fold]![j]!.push(sum.value);
          if (cycles === 0) first = cycle;
          cycles = cycle;
          continue;
        }
        const a = west.take(cycle, i, j);
        if (a === undefined) {
          check(sum === undefined, "a sum comes alone");
          continue;
        }
        const operands = folds[a.fold]!;
        if (i > topRow(operands))
          check(
            sum !== undefined && sum.fold === a.fold && sum.step === a.step,
            "the sum from above is missing",
          );
        else check(sum === undefined, "a sum comes from an unused row");
        check(freeAt[i]![j]! <= cycle, "the PE still works");
        if (a.step === 0) {
          const next = shadow[i]![j];
          check(next?.waits === true && next.fold === a.fold, "the held operand is not there yet");
          held[i]![j] = next;
          shadow[i]![j] = { ...next, waits: false };
        }
        const mine = held[i]![j];
        check(mine !== undefined && mine.fold === a.fold, "another fold's operand is held");
        const done = cycle + interval;
        freeAt[i]![j] = done;
        busy += interval;
        sums.put(done, i + 1, j, {
          fold: a.fold,
          step: a.step,
          value: (sum?.value ?? 0) + dot(a.values, mine.values),
        });
        if (j + 1 < operands.top[0]!.length) west.put(done, i, j + 1, a);
      }
    // Registers take what moves at the end of the cycle.
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < cols; j++) {
        const moving = load.take(cycle, i, j);
        if (moving === undefined) continue;
        check(shadow[i]![j]?.waits !== true, "the load passes a value not yet taken");
        if (moving.row === i) shadow[i]![j] = { ...moving, waits: true };
        else load.put(cycle + 1, i + 1, j, moving);
      }
  }
  folds.forEach(({ left: lefts, top }, fold) => {
    lefts.forEach((row, step) => {
      top[0]!.forEach((_, j) => {
        const expected = row.reduce((sum, values, i) => sum + dot(values, top[i]![j]!), 0);
        const got = left[fold]![j]![step];
        if (got !== expected)
          throw new Error(`fold ${fold}, step ${step}, column ${j}: ${got}, not ${expected}`);
      });
    });
  });
  return { cycles, first, computed: cycles, busy, starts };
}
