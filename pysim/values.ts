/**
 * The opt-in checks of values: a store that does not keep its number, and NaN or infinity where there was none. Both can be meant, so
 * a run makes them only when it is asked to.
 */
import type { DType } from "../dsl/dtypes.ts";
import { Vec } from "../dsl/values.ts";
import { storeRule } from "../ir/convert.ts";
import { isFloat } from "../ir/dtype.ts";
import type { Checks } from "./allocator.ts";
import type { Faults } from "./faults.ts";

export class ValueChecks {
  readonly #faults: Faults;
  readonly #lossy: boolean;
  readonly #nonfinite: boolean;

  constructor(faults: Faults, o: Pick<Checks, "lossy" | "nonfinite">) {
    this.#faults = faults;
    this.#lossy = o.lossy;
    this.#nonfinite = o.nonfinite;
  }

  /** A number on its way into memory of `dtype`. */
  stored(dtype: DType, value: number): void {
    const { name } = dtype;
    if (name === "bool") return;
    const float = isFloat(name);
    if (this.#nonfinite && float && !Number.isFinite(value)) {
      this.#faults.fail("KPU4012", `${value} is stored as ${name}`, {
        help: "find the operation that makes it, or switch the check nonfinite off",
        data: { value, dtype: name },
      });
    }
    if (!this.#lossy) return;
    const kept = storeRule(name)(value);
    // Rounding is what float memory is for; becoming infinite is not. The sign of zero is no loss to an integer.
    const loses = float ? Number.isFinite(value) && !Number.isFinite(kept) : kept !== value;
    if (!loses) return;
    this.#faults.fail("KPU4011", `storing ${value} as ${name} leaves ${kept}`, {
      help: float
        ? "clamp it first, or use a wider dtype"
        : `clamp it first: S.${name}(x), or wrap it knowingly: S.${name}(x, { wrap: true })`,
      data: { value, kept, dtype: name },
    });
  }

  /** The result of a value intrinsic. */
  made(name: string, args: readonly unknown[], result: unknown): void {
    const lane = nonfiniteLane(result);
    if (lane === undefined || args.some((a) => hasNonfinite(a))) return;
    const value = result instanceof Vec ? result.data[lane] : result;
    const where = result instanceof Vec ? ` in lane ${lane}` : "";
    this.#faults.fail("KPU4012", `S.${name} gives ${String(value)}${where} from finite operands`, {
      help: "mask the lane off, guard the operand, or switch the check nonfinite off",
      data: { intrinsic: name, lane, value },
    });
  }
}

/** The first lane of a float vector, or 0 for a number, that is NaN or infinite. */
function nonfiniteLane(v: unknown): number | undefined {
  if (typeof v === "number") return Number.isFinite(v) ? undefined : 0;
  if (!(v instanceof Vec)) return undefined;
  const lane = v.data.findIndex((x) => !Number.isFinite(x));
  return lane < 0 ? undefined : lane;
}

/** Operands and options that may be where it comes from. */
function hasNonfinite(v: unknown): boolean {
  if (nonfiniteLane(v) !== undefined) return true;
  if (Array.isArray(v)) return v.some((x) => hasNonfinite(x));
  if (typeof v !== "object" || v === null || Object.getPrototypeOf(v) !== Object.prototype) return false;
  return Object.values(v).some((x) => hasNonfinite(x));
}
