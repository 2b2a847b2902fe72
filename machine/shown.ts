/** Longer values are cut: an error shows where they stand. */
const MOST = 60;

/** A value in a message: as JSON, where there is one. */
export function shown(value: unknown): string {
  const text = typeof value === "object" || typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length <= MOST ? text : `${text.slice(0, MOST - 3)}...`;
}
