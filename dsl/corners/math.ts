import type { Corner } from "../corner.ts";

const SPECIAL = [NaN, Infinity, -Infinity, 0, -0] as const;
const of = (...more: readonly number[]): readonly Corner[] => [[{ f32: [...SPECIAL] }], [{ f32: more }]];
const ROUNDED: readonly Corner[] = [
  [{ f32: [0.5, 1.5, 2.5, -0.5, -1.5, -2.5] }],
  [{ f32: [...SPECIAL, 8388609] }],
  [2.5],
];

export const MATH: { readonly [name: string]: readonly Corner[] } = {
  vexp: [...of(1, 88.72284, 89, -104, -103), [{ f16: [11, 12, -17] }], [1]],
  vexp2: of(10, 128, -149, -150),
  vlog: of(1, -1, 1e-45),
  vlog2: of(8, -1, 1e-45),
  vsin: of(3.1415927410125732, 1e30),
  vcos: of(3.1415927410125732, 1e30),
  vtan: of(1.5707963705062866, 1e30),
  vtanh: of(1, 10, -10),
  vsigmoid: of(-100, 17, 100),
  vsilu: of(-100, 1, 100),
  verf: of(1, 4, -4),
  vgelu: of(-10, 1, 10),
  vsqrt: of(-1, 2, 1e-45),
  vrsqrt: of(-1, 4, 1e-45),
  vrecip: of(3, 1e-45, 3.4028234663852886e38),
  vpow: [
    [{ f32: [NaN, 1, -1, 0, -0, -0] }, { f32: [0, NaN, Infinity, -1, -1, -2] }],
    [{ f32: [-8, -2, 2, 2] }, { f32: [0.3333333432674408, 3, -149, 128] }],
    [2, 0.5],
  ],
  vfloor: ROUNDED,
  vceil: ROUNDED,
  vtrunc: ROUNDED,
  vround: ROUNDED,
};
