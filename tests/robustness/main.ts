/**
 * `npm run test:mutations`: 100,000 mutants of program files, each refused with a diagnostic or whole. Prints what they came to;
 * exit code 1 when one is neither. `-- --count 1000 --seed 7` tries others, `-- --only 123 --seed 7` one again.
 */
import { parseArgs } from "node:util";
import { originals } from "./originals.ts";
import { type Outcome, trial } from "./trial.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
  },
});
const seed = Number(values.seed);
const [first, count] = values.only === undefined ? [0, Number(values.count)] : [Number(values.only), 1];
console.log(`seed ${seed}, mutants ${first} to ${first + count - 1}`);

const from = originals(40, true);
const sizes = from.map((o) => o.file.length).sort((a, b) => a - b);
console.log(`${from.length} program files of ${sizes[0]} to ${sizes.at(-1)} bytes`);

const outcomes: Outcome[] = [];
const failures: string[] = [];
const start = performance.now();
for (let n = first; n < first + count; n++) {
  try {
    outcomes.push(trial(from, seed, n));
  } catch (error) {
    failures.push((error as Error).message);
    console.error((error as Error).message);
  }
}
const seconds = (performance.now() - start) / 1000;

const codes = [...new Set(outcomes.map((o) => o.gave))].sort();
const rows = [...new Set(outcomes.map((o) => o.mutation))].sort().map((mutation) => {
  const own = outcomes.filter((o) => o.mutation === mutation);
  return [mutation, ...codes.map((c) => String(own.filter((o) => o.gave === c).length))];
});
const total = ["all", ...codes.map((c) => String(outcomes.filter((o) => o.gave === c).length))];
for (const row of [["", ...codes], ...rows, total])
  console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(34) : cell.padStart(9))).join(""));
const slowest = outcomes.reduce((ms, o) => Math.max(ms, o.ms), 0);
const ran = outcomes.filter((o) => o.ran).length;
console.log(
  `${outcomes.length} mutants in ${seconds.toFixed(0)} s, the slowest took ${slowest.toFixed(0)} ms; ${ran} ran to the end; ${failures.length} failures`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
