/** Which files are this package's own, and not an author's: our tests and examples are authors too. */
import { fileURLToPath } from "node:url";

const FOLDERS =
  /^(ir|dsl|capture|pysim|lowering|codegen|runtime|equivalence|cli)\/|^(index|executions)\.[jt]s$/;
const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** True for files of the package itself, in the source tree and in `dist`. */
export function isOurFile(path: string): boolean {
  return path.startsWith(ROOT) && FOLDERS.test(path.slice(ROOT.length).replaceAll("\\", "/"));
}
