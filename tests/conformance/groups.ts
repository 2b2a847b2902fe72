/**
 * The register of the conformance suite: what kernel authors test elsewhere, in 52 groups, and what each is compared
 * with here. `docs/conformance.md` is generated from it and from the counts under `runs/`.
 */
import type { DTypeName } from "kpu-dsl";
import { FLOATS, INTEGERS, NUMERIC } from "../harness/arrays.ts";

/** What the result of a kernel is compared with; none of it shares code with `ir/`. */
export type Truth =
  | "integer"
  | "BigInt"
  | "float64, rounded once"
  | "float64, rounded after every step"
  | "copy"
  | "JavaScript itself"
  | "diagnostic code and position";

export interface Group {
  readonly number: number;
  readonly title: string;
  /** The test file's name; it opens with the number. Absent: not written yet. */
  readonly file?: string;
  /** Dtypes of the data that the kernels work on; each must occur as a pointer parameter. */
  readonly dtypes?: readonly DTypeName[];
  readonly truth?: readonly Truth[];
  /** How far a result may be from the truth, and why. Absent: not a bit. */
  readonly tolerance?: string;
}

const ALL: readonly DTypeName[] = [...NUMERIC, "bool"];
const ARITHMETIC: readonly Truth[] = ["integer", "float64, rounded once"];

export const GROUPS: readonly Group[] = [
  {
    number: 1,
    title: "scalar loop over a runtime length",
    file: "01-scalar-loop.test.ts",
    dtypes: NUMERIC,
    truth: ARITHMETIC,
  },
  {
    number: 2,
    title: "static sizes: tiles, local scratch, transfers in and out",
    file: "02-static-tiles.test.ts",
    dtypes: NUMERIC,
    truth: ARITHMETIC,
  },
  {
    number: 3,
    title: "runtime sizes: parts by ceildiv and clip, tail tiles, early return",
    file: "03-dynamic-parts.test.ts",
    dtypes: NUMERIC,
    truth: ARITHMETIC,
  },
  {
    number: 4,
    title: "explicit tile id, grid-stride loop",
    file: "04-grid-stride.test.ts",
    dtypes: NUMERIC,
    truth: ARITHMETIC,
  },
  {
    number: 5,
    title: "non-contiguous input, nested loops",
    file: "05-strided-input.test.ts",
    dtypes: NUMERIC,
    truth: ARITHMETIC,
  },
  {
    number: 6,
    title: "stepped and descending loops",
    file: "06-loops.test.ts",
    dtypes: ["i32"],
    truth: ["JavaScript itself"],
  },
  {
    number: 7,
    title: "tiled copy of any size",
    file: "07-copy.test.ts",
    dtypes: ALL,
    truth: ["copy"],
  },
  {
    number: 8,
    title: "exp over scratch tiles",
    file: "08-exp.test.ts",
    dtypes: FLOATS,
    truth: ["float64, rounded once"],
  },
  {
    number: 9,
    title: "templates over dtype, operation and unroll factor by closure",
    file: "09-templates.test.ts",
    dtypes: NUMERIC,
    truth: ["BigInt", "float64, rounded once"],
  },
  {
    number: 10,
    title: "maximum of one and two dimensions",
    file: "10-maximum.test.ts",
    dtypes: NUMERIC,
    truth: ["JavaScript itself"],
  },
  {
    number: 11,
    title: "quantised add",
    file: "11-quantized-add.test.ts",
    dtypes: ["i8", "u8"],
    truth: ["BigInt", "float64, rounded after every step"],
  },
  {
    number: 12,
    title: "8-bit softmax",
    file: "12-softmax-8-bit.test.ts",
    dtypes: ["i8", "u8"],
    truth: ["integer", "float64, rounded after every step"],
  },
  {
    number: 13,
    title: "layer norm of rows",
    file: "13-layer-norm.test.ts",
    dtypes: FLOATS,
    truth: ["float64, rounded after every step"],
  },
  {
    number: 14,
    title: "matrix product in register blocks, and with scratch tiles and barriers",
    file: "14-matrix-product.test.ts",
    dtypes: ["f32", "f16", "bf16", "i32", "u32", "i16", "i8", "u8"],
    truth: ["integer", "float64, rounded after every step"],
  },
  {
    number: 15,
    title: "depthwise 3x3 convolution with borders",
    file: "15-depthwise.test.ts",
    dtypes: ["f32", "f16", "bf16", "i8", "u8", "i16", "u16"],
    truth: ["integer", "float64, rounded after every step"],
  },
  {
    number: 16,
    title: "prefix sum across tiles",
    file: "16-prefix-sum.test.ts",
    dtypes: [...INTEGERS, "f32"],
    truth: ["integer"],
  },
  {
    number: 17,
    title: "histogram by private copies and merge",
    file: "17-histogram.test.ts",
    dtypes: INTEGERS,
    truth: ["integer"],
  },
  {
    number: 18,
    title: "image: RGB to grey, 5x5 blur",
    file: "18-image.test.ts",
    dtypes: ["u8"],
    truth: ["integer", "float64, rounded after every step"],
  },
  {
    number: 19,
    title: "synchronous and asynchronous transfers mixed",
    file: "19-mixed-transfers.test.ts",
    dtypes: NUMERIC,
    truth: ARITHMETIC,
  },
  {
    number: 20,
    title: "double buffering with two and three events",
    file: "20-double-buffering.test.ts",
    dtypes: NUMERIC,
    truth: ARITHMETIC,
  },
  {
    number: 21,
    title: "2-D windows with offsets and padding",
    file: "21-windows.test.ts",
    dtypes: ALL,
    truth: ["copy"],
  },
  {
    number: 22,
    title: "transfers: the limit cases of width, stride, times",
    file: "22-transfer-limits.test.ts",
    dtypes: ALL,
    truth: ["copy"],
  },
  {
    number: 23,
    title: "memset of every scope",
    file: "23-memset.test.ts",
    dtypes: ALL,
    truth: ["copy"],
  },
  {
    number: 24,
    title: "2-D transpose, strided and plain",
    file: "24-transpose.test.ts",
    dtypes: ALL,
    truth: ["copy"],
  },
  {
    number: 25,
    title: "pointer offsets, reinterpretation, null test, comparison",
    file: "25-pointers.test.ts",
    dtypes: NUMERIC,
    truth: ["copy", "integer"],
  },
  {
    number: 26,
    title: "a pointer walked past either end",
    file: "26-walked-off.test.ts",
    dtypes: NUMERIC,
    truth: ["diagnostic code and position"],
  },
  {
    number: 27,
    title: "several allocations of one scope, re-pointed variables",
    file: "27-allocations.test.ts",
    dtypes: NUMERIC,
    truth: ["copy"],
  },
  {
    number: 28,
    title: "constant tables",
    file: "28-constant-tables.test.ts",
    dtypes: ALL,
    truth: ["copy", "integer"],
  },
  {
    number: 29,
    title: "strided vector load and store, runtime stride",
    file: "29-strided-vectors.test.ts",
    dtypes: NUMERIC,
    truth: ["copy"],
  },
  {
    number: 30,
    title: "gather and scatter with duplicate indices",
    file: "30-gather-scatter.test.ts",
    dtypes: NUMERIC,
    truth: ["copy"],
  },
  {
    number: 31,
    title: "mask element read and write, masks through helper functions",
    file: "31-mask-elements.test.ts",
    dtypes: ALL,
    truth: ["JavaScript itself", "copy"],
  },
  {
    number: 32,
    title: "mask strings",
    file: "32-mask-strings.test.ts",
    dtypes: ALL,
    truth: ["JavaScript itself", "copy", "diagnostic code and position"],
  },
  {
    number: 33,
    title: "masks assigned in branches",
    file: "33-mask-branches.test.ts",
    dtypes: ["bool", "i32"],
    truth: ["JavaScript itself"],
  },
  {
    number: 34,
    title: "tails: none, partial, full, with and without r",
    file: "34-tails.test.ts",
    dtypes: ALL,
    truth: ["copy", "integer", "JavaScript itself"],
  },
  {
    number: 35,
    title: "odd lane counts through every elementwise op",
    file: "35-odd-lanes.test.ts",
    dtypes: NUMERIC,
    truth: ["BigInt", "float64, rounded once"],
    tolerance: "exact bits; math functions in f32 1 ulp",
  },
  {
    number: 36,
    title: "wide vectors: split, work on parts, concatenate",
    file: "36-wide-vectors.test.ts",
    dtypes: ALL,
    truth: ["copy", "integer", "JavaScript itself"],
  },
  {
    number: 37,
    title: "add, subtract and multiply with mixed sign, saturating and wrapping",
    file: "37-signs.test.ts",
    dtypes: INTEGERS,
    truth: ["BigInt"],
  },
  {
    number: 38,
    title: "division and remainder",
    file: "38-division.test.ts",
    dtypes: NUMERIC,
    truth: ["BigInt", "float64, rounded once", "JavaScript itself"],
  },
  {
    number: 39,
    title: "shift and rotation amounts",
    file: "39-shifts.test.ts",
    dtypes: INTEGERS,
    truth: ["BigInt", "JavaScript itself"],
  },
  {
    number: 40,
    title: "narrowing shifts",
    file: "40-narrowing-shifts.test.ts",
    dtypes: ["i16", "u16", "i32", "u32"],
    truth: ["BigInt"],
  },
  {
    number: 41,
    title: "dot and accumulate families",
    file: "41-dot.test.ts",
    dtypes: [...INTEGERS, ...FLOATS],
    truth: ["BigInt", "float64, rounded once", "float64, rounded after every step"],
  },
  {
    number: 42,
    title: "the cast matrix",
    file: "42-casts.test.ts",
    dtypes: NUMERIC,
    truth: ["BigInt", "float64, rounded once"],
  },
  {
    number: 43,
    title: "float classification",
    file: "43-classification.test.ts",
    dtypes: FLOATS,
    truth: ["JavaScript itself", "float64, rounded once"],
  },
  {
    number: 44,
    title: "JavaScript's operators on scalars of every origin",
    file: "44-operators.test.ts",
    dtypes: NUMERIC,
    truth: ["JavaScript itself"],
  },
  {
    number: 45,
    title: "ternary and short circuit with side effects",
    file: "45-short-circuit.test.ts",
    dtypes: ["i32", "i8", "f32", "f16", "u8"],
    truth: ["JavaScript itself"],
  },
  {
    number: 46,
    title: "reassigned parameters and locals, swaps, shadowing",
    file: "46-reassignment.test.ts",
    dtypes: ["i32", "i16", "i8", "f32", "bf16"],
    truth: ["JavaScript itself"],
  },
  {
    number: 47,
    title: "helpers: defaults, early return, nesting, other modules",
    file: "47-helpers.test.ts",
    dtypes: ["i32", "f32"],
    truth: ["JavaScript itself"],
  },
  {
    number: 48,
    title: "truthiness",
    file: "48-truthiness.test.ts",
    dtypes: NUMERIC,
    truth: ["JavaScript itself"],
  },
  {
    number: 49,
    title: "break and continue with labels",
    file: "49-labels.test.ts",
    dtypes: ["i32", "i8", "f32"],
    truth: ["JavaScript itself"],
  },
  {
    number: 50,
    title: "while with a condition that loads from memory",
    file: "50-while-memory.test.ts",
    dtypes: NUMERIC,
    truth: ["JavaScript itself"],
  },
  {
    number: 51,
    title: "static if that hides code which would not compile",
    file: "51-static-if.test.ts",
    dtypes: ["i32", "f32"],
    truth: ["diagnostic code and position"],
  },
  {
    number: 52,
    title: "the diagnostics catalogue",
    file: "52-diagnostics.test.ts",
    dtypes: [],
    truth: ["diagnostic code and position"],
  },
];

export function groupOf(number: number): Group {
  const found = GROUPS.find((g) => g.number === number);
  if (found === undefined) throw new Error(`no conformance group ${number}`);
  return found;
}
