import { readFileSync } from "node:fs";
import { loadProgram } from "kpu-dsl/runtime";

const y = new Float32Array([10, 20, 30, 40, 50]);
loadProgram(readFileSync("saxpy.kpubin")).run(new Float32Array([1, 2, 3, 4, 5]), y, 2, 5);
console.log("compiled", y.join(" "));
