/** Domain-flow analysis: systems of uniform recurrences, their schedules, and the arrays that they run on. `kpu-dsl/domain-flow`. */
export { type ArrayStep, type Conflict, check, type Mapping, type Report, type Route } from "./check.ts";
export { fold, type Matrix, matmul, matvec } from "./matmul.ts";
export { atLeast, atMost, box, type Domain, type HalfSpace, type Point, within } from "./polyhedron.ts";
export type { LinearSchedule, Schedule, Violation } from "./schedule.ts";
export type { Read, Recurrence, System } from "./system.ts";
