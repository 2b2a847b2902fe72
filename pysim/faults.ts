/**
 * The reports of direct execution. Every method throws a KpuError with the author's line, the tile, the element range and what to write instead;
 * nothing here runs before something is wrong.
 */
import { authorFrame } from "../capture/index.ts";
import type { DType } from "../dsl/dtypes.ts";
import { elementRange, HALF_BYTE_HELP, halfByteMessage, outsideReport, rangeText } from "../ir/bounds.ts";
import type { DiagnosticCode } from "../ir/codes.ts";
import { diagnostic, KpuError, type Location, type Note } from "../ir/diagnostic.ts";
import type { Flight } from "./flights.ts";
import type { Buffer } from "./memory.ts";
import { type Clock, type Conflict, NEVER } from "./shadow.ts";

/** Runs of frames between an intrinsic and the author's line are longer than V8's ten. */
export const STACK_DEPTH = 50;

/** The author's line that is running. */
export function here(): Location | undefined {
  return authorFrame(new Error().stack);
}

/** Takes the stack now and reads it only when somebody asks. */
export function hereLater(): () => Location | undefined {
  const taken = new Error();
  return () => authorFrame(taken.stack);
}

/** The race that a report found: what a replay has to look for. */
export interface RaceFound {
  readonly region: number;
  readonly start: number;
  readonly end: number;
  readonly epoch: number;
  /** Undefined when several tiles read the cell. */
  readonly tile: number | undefined;
  readonly notTile: number;
  readonly write: boolean;
}

export class Faults {
  readonly #clock: Clock;
  race: RaceFound | undefined = undefined;
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** "tile 1: " where there are several. */
  get #who(): string {
    return this.#clock.tiles > 1 ? `tile ${this.#clock.tile}` : "the kernel";
  }

  fail(
    code: DiagnosticCode,
    message: string,
    o: {
      help?: string;
      notes?: readonly Note[];
      data?: Readonly<Record<string, unknown>>;
      location?: Location;
    } = {},
  ): never {
    const data = { tile: this.#clock.tile, ...o.data };
    const location = o.location ?? here();
    throw new KpuError([diagnostic(code, message, { ...o, location, data })]);
  }

  nullPointer(access: string): never {
    return this.fail("KPU4008", `${this.#who} ${access} through a null pointer`, {
      help: "test p.isNull before the access, or pass an array",
    });
  }

  constant(b: Buffer): never {
    return this.fail("KPU3012", `${this.#who} writes through the const pointer ${b.name}`, {
      help: "declare the parameter without { const: true }",
      data: { buffer: b.name },
    });
  }

  outOfBounds(b: Buffer, dtype: DType, start: number, end: number, access: string): never {
    const { message, ...o } = outsideReport(b, { who: this.#who, access, dtype, start, end });
    return this.fail("KPU4001", message, o);
  }

  misaligned(b: Buffer, dtype: DType, start: number, end: number, access: string, wanted: number): never {
    const range = elementRange(b, dtype, start, end);
    const offset = start - b.base;
    const message = `${this.#who} ${access} a vector at ${rangeText(range)}, byte ${offset} of ${b.name}: the target wants multiples of ${wanted}`;
    return this.fail("KPU4010", message, {
      help: `move the pointer by whole vectors of ${wanted / dtype.bytes} ${dtype.name}, or load with a stride or an index`,
      data: { buffer: b.name, first: range.first, last: range.last, access, offset, alignment: wanted },
    });
  }

  halfByte(b: Buffer, element: number): never {
    return this.fail("KPU4013", halfByteMessage(this.#who, element), {
      help: HALF_BYTE_HELP,
      data: { buffer: b.name, element },
    });
  }

  /** The report for what the shadow found when tile `clock.tile` accessed [start, end). */
  conflict(b: Buffer, dtype: DType, start: number, end: number, found: Conflict, write: boolean): never {
    const range = elementRange(b, dtype, start, end);
    const at = found.at + b.region.start;
    const hit = elementRange(b, dtype, Math.max(at, start), Math.min(at + found.cellBytes, end));
    const data = { buffer: b.name, first: range.first, last: range.last, access: write ? "writes" : "reads" };
    if (found.stamp === NEVER) {
      return this.fail(
        "KPU4002",
        `${this.#who} reads ${rangeText(range)}, but ${rangeText(hit)} was never written`,
        {
          help: `write ${b.name} before reading it (S.vstore, S.dmaCopy, S.dmaMemset), or mask the lanes off`,
          data: { ...data, element: hit.first },
        },
      );
    }
    const { tile, epoch } = this.#clock;
    const other = this.#clock.tileOf(found.stamp);
    const wrote = found.kind === "after-write";
    this.race = {
      region: b.region.id,
      start: at,
      end: at + found.cellBytes,
      epoch,
      tile: other,
      notTile: tile,
      write: wrote,
    };
    const them = other === undefined ? "several tiles" : `tile ${other}`;
    const verb = write ? "writes" : "reads";
    return this.fail(
      "KPU4006",
      `race on ${rangeText(hit)}: tile ${tile} ${verb} ${rangeText(range)} and ${them} ${wrote ? "wrote" : "read"} it in the same epoch, with no barrier between`,
      {
        help: "put S.barrier() between the two accesses, or give every tile its own part",
        data: {
          ...data,
          epoch,
          element: hit.first,
          otherTile: other,
          otherAccess: wrote ? "writes" : "reads",
        },
      },
    );
  }

  inFlight(
    b: Buffer,
    dtype: DType,
    start: number,
    end: number,
    flight: Flight,
    side: "source" | "destination",
    write: boolean,
  ): never {
    const range = elementRange(b, dtype, start, end);
    const started = flight.startedAt();
    const what = side === "destination" ? "the destination" : "the source";
    const notes: Note[] = [
      {
        message: `tile ${flight.tile} started the transfer here on event ${flight.event.id}`,
        ...(started ? { location: started } : {}),
      },
    ];
    return this.fail(
      "KPU4005",
      `${this.#who} ${write ? "writes" : "reads"} ${rangeText(range)}, ${what} of a transfer in flight`,
      {
        help: "wait for the transfer first: S.waitEvents(event)",
        notes,
        data: {
          buffer: b.name,
          first: range.first,
          last: range.last,
          access: write ? "writes" : "reads",
          side,
          otherTile: flight.tile,
          otherLine: started?.line,
        },
      },
    );
  }
}
