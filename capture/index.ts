/** Capture: a running function as the checker and both executions see it. */
export { type CapturedFunction, captureFunction, type ScriptPlace } from "./capture.ts";
export type { BlockingSites, CheckedKernel } from "./checked.ts";
export { beginCheck } from "./closure.ts";
export { type Coroutine, coroutineOf, type WaitRequest, type WaitSite } from "./coroutine.ts";
export { inDeadZone } from "./deadzone.ts";
export { type ChangedRead, changedDiagnostic, type FrozenRead, findChanged, freeze } from "./frozen.ts";
export { present } from "./present.ts";
export { type RenderOptions, render, renderAll } from "./render.ts";
export { authorFrame } from "./stack.ts";
export { checkSyntax } from "./syntax.ts";
export { type TypeScript, typescript, typescriptLoaded } from "./typescript.ts";
