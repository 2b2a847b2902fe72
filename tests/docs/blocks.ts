/** Code blocks of a page: ```` ```ts run name.ts ```` is a file, and the ```` ```text ```` block behind it what it prints. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

const docs = new URL("../../docs/", import.meta.url);

export interface Block {
  /** `ts run name.ts` */
  readonly info: string;
  readonly text: string;
  /** The `text` block that stands next, when one does. */
  readonly output: string | undefined;
}

const FENCE = /^```([^\n]*)\n(.*?)^```$/gms;

export class Page {
  readonly name: string;
  readonly blocks: readonly Block[];
  #text: string;
  constructor(name: string) {
    this.name = name;
    this.#text = readFileSync(new URL(name, docs), "utf8");
    const all = [...this.#text.matchAll(FENCE)];
    this.blocks = all.map((m, i) => {
      const next = all[i + 1];
      const beside = next !== undefined && next[1] === "text" && next.index === m.index + m[0].length + 2;
      return { info: m[1] ?? "", text: m[2] ?? "", output: beside ? next[2] : undefined };
    });
  }
  /** Blocks whose info opens with `kind`. */
  of(kind: string): readonly Block[] {
    return this.blocks.filter((b) => b.info === kind || b.info.startsWith(`${kind} `));
  }
  /** Writes another text into a block. */
  replace(block: Block, text: string): void {
    const fenced = (inside: string): string => `\`\`\`${block.info}\n${inside}\`\`\`\n`;
    this.#text = this.#text.replace(fenced(block.text), () => fenced(text));
    writeFileSync(new URL(this.name, docs), this.#text);
  }
  /** Writes what a block prints behind it. */
  update(block: Block, output: string): void {
    const own = `\`\`\`${block.info}\n${block.text}\`\`\`\n`;
    const old = block.output === undefined ? "" : `\n\`\`\`text\n${block.output}\`\`\`\n`;
    this.#text = this.#text.replace(own + old, () => `${own}\n\`\`\`text\n${output}\`\`\`\n`);
    writeFileSync(new URL(this.name, docs), this.#text);
  }
}

/** Where the blocks of a page become files: empty, so that no command meets what an earlier run wrote. */
export function folderOf(page: Page): URL {
  const folder = new URL(`../../out/docs/${page.name.replace(".md", "")}/`, import.meta.url);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** Output as a reader who runs the block in its own folder sees it. */
export function seenFrom(folder: URL, output: string): string {
  const prefix = `${relative(process.cwd(), fileURLToPath(folder))}/`;
  return output.replaceAll(prefix, "").replaceAll(fileURLToPath(folder), "");
}
