import type { Corner } from "../corner.ts";

const TO_INT: readonly Corner[] = [
  [NaN],
  [300],
  [-300],
  [-1],
  [3.9],
  [-3.9],
  [3e9],
  [Infinity],
  [300, { wrap: true }],
  [-1.5, { wrap: true }],
];
const TO_FLOAT: readonly Corner[] = [[0.1], [-0], [65520], [2049], [1e-8], [1e39], [NaN]];

const TO_FLOAT8: readonly Corner[] = [
  [0.1],
  [-0],
  [240],
  [464],
  [465],
  [57344],
  [61440],
  [0.001],
  [Infinity],
  [NaN],
];
const TO_INT4: readonly Corner[] = [[NaN], [7.9], [8], [-8], [-9], [15], [16], [-1], [23, { wrap: true }]];

export const SCALAR: { readonly [name: string]: readonly Corner[] } = {
  ceildiv: [
    [7, 2],
    [-7, 2],
    [7, -2],
    [-1, 3],
    [9007199254740991, 2],
    [1, 0],
    [2.5, 1],
  ],
  floordiv: [
    [7, 2],
    [-7, 2],
    [7, -2],
    [-1, 3],
    [9007199254740991, 2],
    [1, 0],
  ],
  min: [
    [NaN, 1],
    [0, -0],
  ],
  max: [
    [NaN, 1],
    [0, -0],
  ],
  clip: [
    [9, 0, 5],
    [0, 3, 1],
    [NaN, 0, 5],
  ],
  abs: [[-0], [-2147483648], [NaN]],
  i4: TO_INT4,
  u4: TO_INT4,
  i8: TO_INT,
  u8: TO_INT,
  i16: TO_INT,
  u16: TO_INT,
  i32: TO_INT,
  u32: TO_INT,
  f16: TO_FLOAT,
  bf16: TO_FLOAT,
  f32: TO_FLOAT,
  f8e4m3: TO_FLOAT8,
  f8e5m2: TO_FLOAT8,
  bool: [[0], [-0], [NaN], [0.5], [-1]],
  constMask: [["2FFFT3T"], ["4T_4F"], ["2TF"], ["X"]],
  tailMask: [
    [3, 8],
    [0, 4],
    [-5, 4],
    [100, 4],
    [2.5, 4],
  ],
};
