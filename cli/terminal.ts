/** What the command writes where: results to stdout, progress to stderr; colours and progress on a terminal only. */
import pc from "picocolors";

export const colours = pc.createColors(process.stdout.isTTY === true && !process.env["NO_COLOR"]);
export const useColour = process.stdout.isTTY === true && !process.env["NO_COLOR"];
export const useColourOnError = process.stderr.isTTY === true && !process.env["NO_COLOR"];

// A reader that has seen enough (`kpu intrinsics | head`) closes the pipe: that is the end, not an error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(process.exitCode);
  throw error;
});

export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
export function printError(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A line on stderr that is rewritten in place; silent where stderr is no terminal. */
export class Progress {
  #shownAt = 0;
  readonly #label: string;
  constructor(label: string) {
    this.#label = label;
  }
  update(done: number, total: number): void {
    this.show(`${done}/${total}`);
  }
  show(text: string): void {
    const now = Date.now();
    if (process.stderr.isTTY !== true || now - this.#shownAt < 100) return;
    this.#shownAt = now;
    process.stderr.write(`\r\x1b[K${this.#label} ${text}`);
  }
  done(): void {
    if (process.stderr.isTTY === true && this.#shownAt > 0) process.stderr.write("\r\x1b[K");
  }
}
