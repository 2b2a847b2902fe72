/**
 * `npm run test:accuracy`: every function on all inputs, written to docs/accuracy.md. With names (`-- vexp vlog`) only these, and only
 * their rows. Exits with 1 when a promise is broken.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { FLOATS } from "../../ir/dtype.ts";
import { NAMES } from "./measure.ts";
import { ALL, accuracy } from "./sets.ts";
import { broken, cells, document, rowsOf } from "./table.ts";

const FILE = new URL("../../docs/accuracy.md", import.meta.url);

const only = process.argv.slice(2);
const rows = new Map(rowsOf(readFileSync(FILE, "utf8")).map((r) => [`${r[0]} ${r[1]}`, r]));
for (const name of NAMES) {
  if (only.length > 0 && !only.includes(name)) continue;
  for (const d of FLOATS) {
    const start = performance.now();
    const row = accuracy(name, d, ALL);
    rows.set(`\`${name}\` ${d}`, cells(row));
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `${name} ${d}: ${row.inputs} inputs, ${row.error.toFixed(4)} ulp, ${row.notNearest} not nearest (${seconds} s)`,
    );
    if (broken(row)) {
      for (const line of row.worst) console.log(`  ${line}`);
      process.exitCode = 1;
    }
  }
}
const order = NAMES.flatMap((name) => FLOATS.map((d) => `\`${name}\` ${d}`));
writeFileSync(FILE, document(order.flatMap((key) => [rows.get(key) ?? []])));
