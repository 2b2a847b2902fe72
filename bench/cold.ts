/** In a process of its own: the first direct call ever, then the first call of another kernel. Prints milliseconds. */
import { fiftyLines, vectorAdd } from "./kernels.ts";

const x = new Float32Array(64);
const start = performance.now();
vectorAdd(x.slice(), x, x, 64);
const cold = performance.now() - start;

// The checker itself is warm only after some kernels went through it.
for (let i = 0; i < 30; i++) fiftyLines()(x.slice(), x, x, 1, 64);
const another = fiftyLines();
const warmStart = performance.now();
another(x.slice(), x, x, 1, 64);
console.log(JSON.stringify({ cold, warm: performance.now() - warmStart }));
