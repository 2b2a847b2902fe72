import type { Corner } from "../corner.ts";

const COMPARED: readonly Corner[] = [
  [{ f32: [NaN, 1, NaN] }, { f32: [NaN, NaN, 1] }],
  [{ f32: [-0, 0] }, { f32: [0, -0] }],
  [{ i8: [-128, 127, 0] }, 0],
  [{ u8: [255, 1] }, 1],
  [{ i8: [1, 2] }, { i8: [1, 2] }, { mask: "TF", r: true }],
];
const NANS: readonly Corner[] = [
  [{ f32: [NaN, 1, 2] }, { f32: [1, NaN, 3] }],
  [{ f32: [-0, 0] }, { f32: [0, -0] }],
  [{ i8: [-128, 127] }, 0],
];
const CLASSES: readonly Corner[] = [
  [{ f32: [NaN, Infinity, -Infinity, -0, 1e-45, 3.4028234663852886e38] }],
  [{ f16: [NaN, Infinity, 65504] }],
];
const LAST: readonly Corner[] = [
  [{ f32: [NaN, 2, 1] }],
  [{ f32: [NaN, NaN] }],
  [{ f32: [-0, 0] }],
  [{ f32: [1, 3, 3, 1] }, { returnIdx: true }],
  [{ f32: [NaN, NaN] }, { returnIdx: true }],
  [{ f32: [1, 2] }, { mask: "FF" }],
  [{ i8: [1, 2] }, { mask: "FF" }],
  [{ i8: [1, 2] }, { mask: "FF", returnIdx: true }],
];
const PAIRS: readonly Corner[] = [
  [{ f32: [NaN, 1, -0, 0] }, { f32: [2, NaN, NaN, NaN] }],
  [{ i8: [-128, 127] }, { i8: [3, 3] }],
];

export const COMPARE: { readonly [name: string]: readonly Corner[] } = {
  vceq: COMPARED,
  vcneq: COMPARED,
  vcgt: COMPARED,
  vcge: COMPARED,
  vclt: COMPARED,
  vcle: COMPARED,
  visnan: CLASSES,
  visinf: CLASSES,
  visfinite: CLASSES,
  vmaxnan: NANS,
  vminnan: NANS,
  vsel: [
    [{ i8: [1, 2, 3] }, { i8: [7, 8, 9] }, "TFT"],
    [{ f32: [NaN, 1] }, 0, { bool: [1, 0] }],
    [{ bool: [1, 1, 0] }, { bool: [0, 0, 1] }, "TFF"],
  ],
  vrpmax: LAST,
  vrpmin: LAST,
  vmaxh: PAIRS,
  vminh: PAIRS,
};
