/** Machines, command traces, and what they cost. `kpu-dsl/machine`. */
export { productBytes, productWords, type Roofline, roofline } from "./bounds.ts";
export { checkMachine, parseMachine } from "./check.ts";
export {
  FIELD_PATHS,
  type FieldPath,
  fieldOf,
  MODES,
  type Mode,
  models,
  notModelled,
  withField,
} from "./coverage.ts";
export {
  bestDataflow,
  type Dataflow,
  FABRIC_MODELS,
  type FabricCycles,
  type FabricModel,
  fabricCycles,
  peakMacs,
} from "./fabric.ts";
export { machineJsonSchema } from "./fields.ts";
export { ENERGY_ACCURACY, ENERGY_PARTS, type EnergyPart } from "./model/energy.ts";
export type { PowerSample } from "./model/power.ts";
export type {
  Bytes,
  ClockName,
  CycleReport,
  EnergyReport,
  FunctionalReport,
  OpReport,
  PowerReport,
  Report,
  ServerReport,
  Stalls,
  Traffic,
  UnitReport,
} from "./model/report.ts";
export { type RunState, type TileState, type TimingOptions, TraceRun, timeTrace } from "./model/run.ts";
export {
  chromeTrace,
  type MemoryAccess,
  memoryTrace,
  type ScheduleEnd,
  type ScheduleRow,
} from "./model/schedule.ts";
export { REASONS, type Reason } from "./model/state.ts";
export { DEFAULT_PRESET, PRESET_NAMES, PRESETS } from "./presets/index.ts";
export type { MachineConfig } from "./schema.ts";
export { targetOf } from "./target.ts";
export type {
  Address,
  Command,
  Core,
  End,
  Fill,
  Item,
  Level,
  Loop,
  Mma,
  Move,
  Runs,
  Trace,
} from "./trace.ts";
export { LEVELS, TRACE_VERSION } from "./trace.ts";
export { parseTrace } from "./trace-parse.ts";
export { printTrace } from "./trace-print.ts";
export { checkTrace, verifyTrace } from "./trace-verify.ts";
