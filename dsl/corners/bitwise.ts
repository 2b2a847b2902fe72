import type { Corner } from "../corner.ts";

const WIDTHS: readonly Corner[] = [
  [{ i8: [1, 1, 1, 1] }, { i8: [0, 7, 8, 11] }],
  [{ i8: [-128, -128, -128, -128] }, { i8: [0, 7, 8, 11] }],
  [{ i8: [-128, 127] }, -1],
  [{ u8: [128, 255, 255, 255] }, { u8: [7, 8, 11, 255] }],
];
const ROTATIONS: readonly Corner[] = [
  [{ u8: [129, 129, 129, 129] }, { u8: [0, 1, 8, 11] }],
  [{ i8: [-127, -127] }, { i8: [1, -1] }],
];
const COUNTED: readonly Corner[] = [
  [{ i8: [0, 1, -1, -128] }],
  [{ u8: [0, 1, 255, 128] }],
  [{ i32: [0, -1] }],
];
const LOGIC: readonly Corner[] = [
  [{ bool: [1, 1, 0, 0] }, { bool: [1, 0, 1, 0] }],
  [{ i8: [-1, 85] }, 15],
  [{ u8: [255, 85] }, { u8: [15, 240] }, { mask: "TF" }],
];

export const BITWISE: { readonly [name: string]: readonly Corner[] } = {
  vand: LOGIC,
  vor: LOGIC,
  vxor: LOGIC,
  vinv: [[{ i8: [0, -1] }], [{ u8: [0, 1] }], [{ bool: [1, 0] }], [{ bool: [1, 0, 0] }, { mask: "TTF" }]],
  vsl: [
    ...WIDTHS,
    [{ i8: [1, 64, -1, -128] }, { i8: [7, 1, 7, 1] }, { saturate: true }],
    [{ i8: [1, 0, -1] }, { i8: [8, 8, 8] }, { saturate: true }],
  ],
  vsr: [
    ...WIDTHS,
    [{ i8: [5, 6, 7, -5, -6, -7] }, 2, { withRound: true }],
    [{ i8: [1, 2, 3] }, 1, { withRound: true }],
    [{ i8: [127, -128] }, 8, { withRound: true }],
  ],
  vrol: ROTATIONS,
  vror: ROTATIONS,
  vclz: COUNTED,
  vcls: COUNTED,
  vctz: COUNTED,
  vpcnt: COUNTED,
  vbrevs: [[{ i8: [1, 2, -128] }], [{ u8: [1, 6] }]],
  vnsr: [
    [{ i16: [256, -32768, 511] }, 1],
    [{ i16: [256, -32768, 511] }, 1, { saturate: true }],
    [{ i16: [3, 5, -3] }, 1, { withRound: true }],
    [{ i32: [65536, -1] }, 0, { toH: true, saturate: true }],
    [{ i16: [-1, 300] }, 0, { outSign: "unsigned", saturate: true }],
    [{ i16: [32767, -1] }, 16],
  ],
  vnsrsr: [
    [{ i16: [3, 5, -3, 32767] }, 1],
    [{ i32: [8388608, -5] }, 1, { toH: true }],
  ],
  vany: [["F"], [{ bool: [0, 0, 1] }]],
  vall: [["T"], [{ bool: [1, 1, 0] }]],
};
