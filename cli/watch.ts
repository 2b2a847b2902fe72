/**
 * Runs a command again whenever a file changes that it loaded, or that its patterns could match. Each run is a process
 * of its own, so that every module is fresh; a run that is overtaken by a change is killed.
 *
 * Directories are watched, not files: editors replace files, and a new file has no watcher. `fs.watch` of single
 * directories works alike on Linux, macOS and Windows, so no dependency is needed.
 */
import { type ChildProcess, fork } from "node:child_process";
import { type FSWatcher, readdirSync, statSync, watch } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";

/** A change is often several events: the run starts when nothing has come for this long, in milliseconds. */
const QUIET_MS = 80;

export interface WatchOptions {
  /** Arguments of `kpu` for one run. */
  readonly args: readonly string[];
  /** Files, folders and globs. */
  readonly patterns: readonly string[];
  /** Whole stdout of a run that was not overtaken. */
  readonly show: (stdout: string) => void;
}

/** Watches until SIGINT or SIGTERM; then no process and no watcher is left. */
export function watchRuns({ args, patterns, show }: WatchOptions): Promise<void> {
  const watchers = new Map<string, FSWatcher>();
  let loaded = new Set<string>();
  let child: ChildProcess | undefined;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  const changed = (path: string): void => {
    if (ended || !(loaded.has(path) || /\.[cm]?[jt]sx?$|\.json$/.test(path) || extname(path) === "")) return;
    clearTimeout(timer);
    timer = setTimeout(run, QUIET_MS);
  };
  const watchDirectory = (directory: string): void => {
    if (watchers.has(directory)) return;
    try {
      const watcher = watch(directory, (_, name) => changed(join(directory, String(name ?? ""))));
      const forget = (): void => {
        watcher.close();
        watchers.delete(directory);
      };
      watcher.on("error", forget);
      watchers.set(directory, watcher);
    } catch {
      // It vanished; the one above it is watched where patterns reach it.
    }
  };
  const run = (): void => {
    child?.kill("SIGKILL");
    const started = Date.now();
    for (const [directory, watcher] of watchers) {
      if (isDirectory(directory)) continue;
      watcher.close();
      watchers.delete(directory);
    }
    for (const directory of patterns.flatMap(directoriesOf)) watchDirectory(directory);
    let out = "";
    const files = new Set<string>();
    const own = fork(process.argv[1] as string, [...args], {
      stdio: ["ignore", "pipe", "inherit", "ipc"],
      env: { ...process.env, KPU_WATCHED: "1" },
    });
    child = own;
    own.stdout?.setEncoding("utf8").on("data", (text: string) => (out += text));
    own.on("message", (paths) => {
      for (const path of paths as string[]) files.add(path);
    });
    own.on("close", () => {
      if (child !== own || ended) return;
      child = undefined;
      loaded = new Set([...loaded, ...files]);
      for (const file of files) watchDirectory(dirname(file));
      show(out);
      // Before its directory was watched a file may have changed unseen.
      if ([...files].some((file) => modified(file) > started)) changed([...files][0] as string);
    });
  };
  return new Promise((done) => {
    const end = (): void => {
      ended = true;
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      child?.kill("SIGKILL");
      process.off("SIGINT", end).off("SIGTERM", end);
      done();
    };
    process.on("SIGINT", end).on("SIGTERM", end);
    run();
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** Where a file that a pattern matches can appear: the folder of a file, or the tree below a folder or a glob's fixed part. */
function directoriesOf(pattern: string): string[] {
  const fixed = pattern.split(/[*?{[(!]/)[0] as string;
  if (fixed === pattern && !isDirectory(pattern)) return [dirname(resolve(pattern))];
  const base = isDirectory(fixed) ? fixed : dirname(fixed.endsWith("/") ? `${fixed}x` : fixed);
  return tree(resolve(base));
}
function tree(directory: string): string[] {
  try {
    const below = readdirSync(directory, { withFileTypes: true }).filter(
      (e) => e.isDirectory() && e.name !== "node_modules" && !e.name.startsWith("."),
    );
    return [directory, ...below.flatMap((e) => tree(join(directory, e.name)))];
  } catch {
    return [];
  }
}
