/**
 * Diagnostics are data with positions. Every error a user can cause, before, during or after a run, is one of
 * these; the text form is made in `capture/render.ts` and nowhere else.
 */
import type { DiagnosticCode } from "./codes.ts";

/** A place in the author's own file. Lines and columns count from 1; the end is exclusive. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine?: number;
  readonly endColumn?: number;
  /** Where the helper function that holds this place was inlined, innermost first. */
  readonly inlinedAt?: Location;
}

export interface Note {
  readonly message: string;
  readonly location?: Location;
}

export interface Diagnostic {
  readonly code: DiagnosticCode;
  readonly severity: "error" | "warning";
  /** What was expected and what came, in one sentence. */
  readonly message: string;
  readonly location?: Location;
  readonly notes: readonly Note[];
  /** What to write instead. */
  readonly help?: string;
  /** Facts for programs that read diagnostics: tile, byte range, seed, values, ... */
  readonly data?: Readonly<Record<string, unknown>>;
}

/**
 * The one exception a user ever sees. `message` is the rendered report; `diagnostics` is the data behind it.
 */
export class KpuError extends Error {
  declare readonly diagnostics: readonly Diagnostic[];
  constructor(diagnostics: readonly Diagnostic[], rendered?: string) {
    super(rendered ?? diagnostics.map((d) => plainText(d)).join("\n"));
    // Not enumerable: the message says it all, and a console would print the data after it once more.
    Object.defineProperty(this, "diagnostics", { value: diagnostics });
  }
  static {
    Object.defineProperty(KpuError.prototype, "name", {
      value: "KpuError",
      writable: true,
      configurable: true,
    });
  }
  get code(): DiagnosticCode {
    const first = this.diagnostics[0];
    if (first === undefined) throw new TypeError("a KpuError without a diagnostic");
    return first.code;
  }
}

/** One line without excerpt, for places that cannot read the author's file. */
function plainText(d: Diagnostic): string {
  const at = d.location ? `${d.location.file}:${d.location.line}:${d.location.column}: ` : "";
  const help = d.help ? `\n  help: ${d.help}` : "";
  const notes = d.notes.map((n) => {
    const where = n.location ? ` (${n.location.file}:${n.location.line}:${n.location.column})` : "";
    return `\n  note: ${n.message}${where}`;
  });
  return `${at}${d.severity}[${d.code}]: ${d.message}${notes.join("")}${help}`;
}

/** Options for {@link fail}: all but code and message may be left out. */
export interface FailOptions {
  readonly location?: Location | undefined;
  readonly notes?: readonly Note[];
  readonly help?: string | undefined;
  readonly data?: Readonly<Record<string, unknown>>;
}

export function diagnostic(code: DiagnosticCode, message: string, o: FailOptions = {}): Diagnostic {
  return {
    code,
    severity: "error",
    message,
    notes: o.notes ?? [],
    ...(o.location ? { location: o.location } : {}),
    ...(o.help ? { help: o.help } : {}),
    ...(o.data ? { data: o.data } : {}),
  };
}

/** Throws a {@link KpuError} with one diagnostic. */
export function fail(code: DiagnosticCode, message: string, o: FailOptions = {}): never {
  throw new KpuError([diagnostic(code, message, o)]);
}

/**
 * Runs what recurses over a kernel. Code that nests so deeply that the stack ends is a user's mistake, not a crash.
 * @throws KPU1016
 */
export function withinStack<T>(kernel: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError) || !/call stack/u.test(error.message)) throw error;
    return fail("KPU1016", `${kernel} is nested too deeply: its expressions or blocks exceed the stack`, {
      help: "split long expressions into variables, and deep blocks into helpers",
    });
  }
}

let present: ((error: KpuError) => KpuError) | undefined;

/** The package's entry installs how an error looks to the caller: with the author's lines and frames. */
export function installPresentation(p: (error: KpuError) => KpuError): void {
  present = p;
}

let depth = 0;
/** Deep enough for the author's frames below those of the package. */
const STACK_DEPTH = 50;

/** Runs what an author called; a {@link KpuError} that leaves the outermost such call gets the form for the author. */
export function presenting<T>(run: () => T): T {
  const shown = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(shown, STACK_DEPTH);
  depth++;
  try {
    return run();
  } catch (error) {
    throw depth === 1 && error instanceof KpuError && present !== undefined ? present(error) : error;
  } finally {
    depth--;
    Error.stackTraceLimit = shown;
  }
}
