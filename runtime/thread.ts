/** Worker threads of the package's own modules. */
import { Worker } from "node:worker_threads";

/**
 * A thread that runs a module. From the sources, where no loader of .ts files reaches threads, tsx is registered in the
 * thread first.
 * @param file the module without its extension, relative to `from`, which is the caller's `import.meta.url`
 * @example startThread("./worker", import.meta.url, { part: 1 })
 */
export function startThread(file: string, from: string, workerData?: unknown): Worker {
  if (!from.endsWith(".ts")) return new Worker(new URL(`${file}.js`, from), { workerData });
  const module = JSON.stringify(new URL(`${file}.ts`, from).href);
  const start = `import("tsx/esm/api").then((tsx) => { tsx.register(); return import(${module}); });`;
  return new Worker(start, { eval: true, execArgv: ["--conditions=kpu-source"], workerData });
}
