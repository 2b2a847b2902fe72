/** In a process of its own: the first direct call ever, then the first call of another kernel. Prints milliseconds. */
import { fresh, sharedAdd } from "./kernels.ts";

const x = new Float32Array(64);
const start = performance.now();
sharedAdd(x.slice(), x, x, 64);
const cold = performance.now() - start;

// The checker is loaded now. Every call below is the first of a new kernel.
let warm = Infinity;
for (let i = 0; i < 100; i++) {
  const another = fresh();
  const again = performance.now();
  another(x.slice(), x, x, 64);
  warm = Math.min(warm, performance.now() - again);
}
console.log(JSON.stringify({ cold, warm }));
