/** Which files are this package's own, and not an author's: our tests and examples are authors too. */
import { sep } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDERS =
  /^(ir|dsl|capture|pysim|lowering|codegen|runtime|equivalence|cli)\/|^(index|executions)\.[jt]s$/;
const ROOT = fileURLToPath(new URL("..", import.meta.url));
/** With --enable-source-maps a frame of `dist/pysim/run.js` names `pysim/run.ts` beside it. */
const ROOTS = [ROOT, ROOT.replace(/[\\/]dist[\\/]$/, sep)];

/** True for files of the package itself, in the source tree and in `dist`. */
export function isOurFile(path: string): boolean {
  return ROOTS.some(
    (root) => path.startsWith(root) && FOLDERS.test(path.slice(root.length).replaceAll("\\", "/")),
  );
}
