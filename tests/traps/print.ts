import { results } from "./kernels.ts";

console.log(JSON.stringify(results()));
