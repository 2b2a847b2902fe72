/**
 * The in-process inspector session: how a function's closure and its script become readable. Node answers every
 * message of a session of its own thread before `post` returns, so all of this is synchronous.
 *
 * Objects travel through a slot on `process`, because `process` is one object for all realms of a thread (vitest's vm
 * pools run modules in realms of their own, while messages evaluate in the main one).
 */
import inspector from "node:inspector";
import process from "node:process";

const SLOT = Symbol.for("kpu-dsl.capture.slot");
const SLOT_TEXT = 'process[Symbol.for("kpu-dsl.capture.slot")]';
const GROUP = "kpu-dsl.capture";

/** Where V8 says a function starts: the opening of its parameter list, counted from 0 in its script. */
export interface FunctionPlace {
  readonly scriptId: string;
  readonly line: number;
  readonly column: number;
}

export interface InspectedFunction {
  readonly place: FunctionPlace | undefined;
  /** Innermost first: copies of the variables of every scope outside the function, without the global object. */
  readonly scopes: readonly Readonly<Record<string, unknown>>[];
}

export interface InspectedScript {
  readonly url: string;
  /** As the comment in the script gives it; empty without one. */
  readonly sourceMapURL: string;
  /** Places in the script count from here: a loader that wraps modules hides its wrapper by a negative column. */
  readonly startLine: number;
  readonly startColumn: number;
}

interface RemoteObject {
  readonly objectId?: string;
  readonly description?: string;
  readonly value?: unknown;
}
interface Properties {
  readonly internalProperties?: readonly { readonly name: string; readonly value?: RemoteObject }[];
}
interface Evaluated {
  readonly result: RemoteObject;
  readonly exceptionDetails?: { readonly text: string };
}

let session: inspector.Session | undefined;

function connected(): inspector.Session {
  if (session === undefined) {
    session = new inspector.Session();
    session.connect();
  }
  return session;
}

function post<T>(method: string, params: Record<string, unknown>): T {
  let failure: Error | null = null;
  let answer: unknown;
  let answered = false;
  connected().post(method, params, (error: Error | null, result?: object) => {
    failure = error;
    answer = result;
    answered = true;
  });
  if (!answered) throw new TypeError(`the inspector did not answer ${method} synchronously`);
  if (failure !== null) throw new TypeError(`inspector ${method}: ${JSON.stringify(failure)}`);
  return answer as T;
}

/**
 * The scopes that a function closes over, as they are now. The scope objects that the inspector hands out are plain
 * copies of the variables, so one call fetches real values of every name, and nothing is serialised.
 */
export function inspectFunction(fn: unknown): InspectedFunction {
  const holder = process as unknown as Record<symbol, unknown>;
  holder[SLOT] = fn;
  try {
    const remote = post<Evaluated>("Runtime.evaluate", {
      expression: SLOT_TEXT,
      objectGroup: GROUP,
      silent: true,
    });
    const { internalProperties = [] } = post<Properties>("Runtime.getProperties", {
      objectId: remote.result.objectId,
      ownProperties: true,
    });
    const internal = (name: string) => internalProperties.find((p) => p.name === name)?.value;
    const at = internal("[[FunctionLocation]]")?.value as
      | { scriptId: string; lineNumber: number; columnNumber: number }
      | undefined;
    const scopesId = internal("[[Scopes]]")?.objectId;
    const scopes: unknown[] = [];
    if (scopesId !== undefined) {
      post("Runtime.callFunctionOn", {
        objectId: scopesId,
        functionDeclaration: `function () { ${SLOT_TEXT} = this; }`,
        silent: true,
      });
      const all = holder[SLOT] as ArrayLike<{ readonly object: unknown }>;
      for (let i = 0; i < all.length; i++) {
        const scope = all[i]?.object;
        if (!isGlobal(scope)) scopes.push(scope);
      }
    }
    return {
      place: at && { scriptId: at.scriptId, line: at.lineNumber, column: at.columnNumber },
      scopes: scopes as Record<string, unknown>[],
    };
  } finally {
    delete holder[SLOT];
    post("Runtime.releaseObjectGroup", { objectGroup: GROUP });
  }
}

/** Realms have a global object each; every one of them carries its own `globalThis`. */
function isGlobal(scope: unknown): boolean {
  return Object.getOwnPropertyDescriptor(scope, "globalThis")?.value === scope;
}

const scripts = new Map<string, InspectedScript>();
const lines = new Map<string, readonly string[]>();

/**
 * The script with this id. Scripts are learned by enabling the debugger domain, which reports all that exist (about
 * 20 ms the first time, 3 ms later), and disabling it at once: while it is enabled WebAssembly runs unoptimised.
 */
export function inspectScript(scriptId: string): InspectedScript | undefined {
  if (!scripts.has(scriptId)) learnScripts(scriptId);
  return scripts.get(scriptId);
}

/** One line of a script, counted and with columns as places in it are, or undefined where it is not known. */
export function scriptLine(scriptId: string, line: number): string | undefined {
  const script = inspectScript(scriptId);
  if (script === undefined) return undefined;
  if (!lines.has(scriptId)) learnScripts(scriptId);
  const text = lines.get(scriptId)?.[line - script.startLine];
  if (text === undefined || line !== script.startLine || script.startColumn === 0) return text;
  return script.startColumn < 0 ? text.slice(-script.startColumn) : " ".repeat(script.startColumn) + text;
}

/** The whole text of a script. */
export function scriptText(scriptId: string): string | undefined {
  if (!lines.has(scriptId)) learnScripts(scriptId);
  return lines.get(scriptId)?.join("\n");
}

interface ScriptParsed {
  readonly scriptId: string;
  readonly url: string;
  readonly sourceMapURL?: string;
  readonly startLine: number;
  readonly startColumn: number;
}

function learnScripts(wanted: string): void {
  const listen = ({ params }: { params: ScriptParsed }): void => {
    const { scriptId, url, sourceMapURL = "", startLine, startColumn } = params;
    if (!scripts.has(scriptId)) scripts.set(scriptId, { url, sourceMapURL, startLine, startColumn });
  };
  connected().on("Debugger.scriptParsed", listen);
  try {
    post("Debugger.enable", {});
    if (scripts.has(wanted)) {
      const { scriptSource } = post<{ scriptSource: string }>("Debugger.getScriptSource", {
        scriptId: wanted,
      });
      lines.set(wanted, scriptSource.split(/\r\n|[\n\r\u2028\u2029]/));
    }
  } finally {
    post("Debugger.disable", {});
    connected().removeListener("Debugger.scriptParsed", listen);
  }
}
