/** `kpu check --watch`: real files change under it, and its output is waited for. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder = "";
let command: ChildProcess | undefined;

beforeAll(() => {
  const built = spawnSync(process.execPath, ["scripts/build.mjs", "--if-stale"], { cwd: root });
  expect(built.status).toBe(0);
}, 180_000);
afterEach(() => {
  command?.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
const kernelText = (body: string): string => `import { f32, kernel, ptr } from "kpu-dsl";
import { offset } from "./offset.ts";
export const k = kernel([ptr(f32)], function k(x) { ${body} });
`;

/** Starts the command in a new folder; `next` gives what it prints up to and including `text`. */
function watching(...options: string[]): { next: (text: string) => Promise<string>; process: ChildProcess } {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "kpu-watch-")));
  mkdirSync(join(folder, "src"));
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/kpu-dsl"));
  write("package.json", '{ "type": "module" }');
  write("src/offset.ts", "export const offset = 1;\n");
  write("src/k.ts", kernelText("x.set(offset, 1);"));
  const main = join(root, "dist/cli/main.js");
  const own = spawn(process.execPath, [main, "check", "src/*.ts", "--watch", ...options], { cwd: folder });
  command = own;
  let unread = "";
  let wake = (): void => {};
  for (const stream of [own.stdout, own.stderr])
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      unread += chunk;
      wake();
    });
  const next = async (text: string): Promise<string> => {
    for (;;) {
      const at = unread.indexOf(text);
      if (at >= 0) {
        const end = at + text.length;
        const read = unread.slice(0, end);
        unread = unread.slice(end);
        return read;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { next, process: own };
}

test("changes of kernels, imports and the set of files are checked; Ctrl-C ends with 0", async () => {
  const { next, process: own } = watching();
  expect(await next("no findings\n")).toMatch(/\d\d:\d\d:\d\d, 2 files\n1 kernel in 2 files/);
  write("src/offset.ts", "export const offset = 'one';\n");
  expect(await next("1 finding\n")).toContain("k.ts:3");
  write("src/offset.ts", "export const offset = ;\n");
  expect(await next("findings\n")).toContain("KPU8002");
  write("src/offset.ts", "export const offset = 2;\n");
  await next("no findings\n");
  write("src/new.ts", kernelText("x.set(0, offset);").replace("const k", "const other"));
  await next("2 kernels in 3 files: no findings\n");
  rmSync(join(folder, "src/new.ts"));
  await next("1 kernel in 2 files: no findings\n");
  const closed = new Promise<number | null>((resolve) => own.on("close", resolve));
  own.kill("SIGINT");
  // `close` comes when no process holds the pipes any more: no child is left.
  expect(await closed).toBe(0);
});

test("--json: a document per line", async () => {
  const { next } = watching("--json");
  const first = JSON.parse(await next("\n")) as object;
  expect(first).toMatchObject({ files: 2, kernels: 1, findings: [] });
  write("src/k.ts", kernelText("x.set('a', 1);"));
  expect(JSON.parse(await next("\n"))).toMatchObject({ files: 2, kernels: 1, findings: [{ kernel: "k" }] });
});
