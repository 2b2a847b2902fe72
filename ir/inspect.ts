/**
 * The name of the method by which `console.log` and a debugger print a value. Node's `inspect.custom` is this symbol;
 * taken from here, the published types need no types of Node.
 */
export const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");
