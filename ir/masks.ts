/** Masks as data: one 0 or 1 per lane. */

/** The first `n` of `lanes` lanes: lane i is active when i < n. NaN gives none; 2.5 gives three. */
export function tailMask(n: number, lanes: number): number[] {
  const mask: number[] = [];
  for (let i = 0; i < lanes; i++) mask.push(i < n ? 1 : 0);
  return mask;
}

/** No register and no sensible vector is longer; keeps a mistyped count from filling memory. */
const MAX_LANES = 65536;

/**
 * Reads a mask string: letters T and F, lane 0 first; a decimal count repeats the letters that follow it up to the next digit;
 * `_` separates and means nothing. `2FFFT3T` is FFFTFFFTTTT. Gives the lanes, or a sentence that says what is wrong.
 */
export function parseMaskString(text: string): number[] | string {
  const wrong = /[^TF0-9_]/u.exec(text);
  if (wrong) return `a mask string has T, F, counts and _ only, got "${wrong[0]}" at position ${wrong.index}`;
  const mask: number[] = [];
  for (const [, count, letters] of text.replaceAll("_", "").matchAll(/(\d*)([TF]*)/gu)) {
    if (count === "" && letters === "") continue;
    if (count === undefined || letters === undefined) throw new TypeError("a mask string did not match");
    if (letters === "")
      return `the count ${count} at the end of the mask string "${text}" has no letters after it`;
    const times = count === "" ? 1 : Number(count);
    if (times === 0) return `a count in a mask string must be at least 1, got ${count}`;
    if (mask.length + times * letters.length > MAX_LANES)
      return `the mask string "${text}" has more than ${MAX_LANES} lanes`;
    for (let k = 0; k < times; k++) for (const letter of letters) mask.push(letter === "T" ? 1 : 0);
  }
  return mask.length === 0 ? "a mask string needs at least one lane" : mask;
}
