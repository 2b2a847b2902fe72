/** A KpuError as it leaves the package: every diagnostic with a place and its line, and the author's stack frames only. */
import { type Diagnostic, KpuError } from "../ir/diagnostic.ts";
import { renderAll } from "./render.ts";
import { authorFrame, authorStack } from "./stack.ts";

/** The error for the caller. A diagnostic without a place gets that of the call which led to it. */
export function present(error: KpuError): KpuError {
  const stack = error.stack ?? "";
  const call = error.diagnostics.some((d) => d.location === undefined) ? authorFrame(stack) : undefined;
  const diagnostics = error.diagnostics.map(
    (d): Diagnostic => (d.location === undefined && call !== undefined ? { ...d, location: call } : d),
  );
  const made = new KpuError(diagnostics, renderAll(diagnostics));
  made.stack = `${made.name}: ${made.message}${authorStack(stack.replace(error.message, ""))}`;
  if (error.cause !== undefined) made.cause = error.cause;
  return made;
}
