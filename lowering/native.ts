/** Whether a function is built in: it has no text that could be captured. */
export function isNative(fn: unknown): boolean {
  return /\{\s*\[native code\]\s*\}$/.test(Function.prototype.toString.call(fn));
}
