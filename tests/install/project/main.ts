import { build } from "kpu-dsl";
import { saxpy } from "./saxpy.ts";

const x = new Float32Array([1, 2, 3, 4, 5]);
const direct = new Float32Array([10, 20, 30, 40, 50]);
const compiled = direct.slice();
saxpy(x, direct, 2, 5);
build(saxpy).run(x, compiled, 2, 5);
console.log("direct  ", direct.join(" "));
console.log("compiled", compiled.join(" "));
