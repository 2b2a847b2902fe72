/** Commands of a tile that are done in the order in which they were given, for executions that do them when they are waited for. */
export class InOrder {
  readonly #given: (() => void)[] = [];

  /** Takes a command. What it gives does it, and those before it first; each is done once. */
  add(command: () => void): () => void {
    const given = this.#given;
    given.push(command);
    return () => {
      for (const each of given.splice(0, given.indexOf(command) + 1)) each();
    };
  }
}
