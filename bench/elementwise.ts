/** Compiled lanes against the loops that one would write without them. */
import { build, createDevice, f16, f32, i8, i32, kernel, ptr, S } from "kpu-dsl";
import { fromHalf, toHalf } from "./half.ts";
import { bestOf, type Row } from "./measure.ts";

const N = 1 << 16;

const addBytes = kernel([ptr(i8), ptr(i8), ptr(i8), ptr(i8), i32], function addBytes(out, x, y, _z, n) {
  for (let i = 0; i < n; i += 32) {
    S.vstore(S.vadd(S.vload(x.at(i)), S.vload(y.at(i)), { saturate: true }), out.at(i));
  }
});

const multiplyAddBytes = kernel(
  [ptr(i8), ptr(i8), ptr(i8), ptr(i8), i32],
  function multiplyAddBytes(out, x, y, z, n) {
    for (let i = 0; i < n; i += 32) {
      S.vstore(S.vadd(S.vmul(S.vload(x.at(i)), S.vload(y.at(i))), S.vload(z.at(i))), out.at(i));
    }
  },
);

const divideBytes = kernel([ptr(i8), ptr(i8), ptr(i8), ptr(i8), i32], function divideBytes(out, x, y, _z, n) {
  for (let i = 0; i < n; i += 32) S.vstore(S.vdiv(S.vload(x.at(i)), S.vload(y.at(i))), out.at(i));
});

const addHalves = kernel([ptr(f16), ptr(f16), ptr(f16), ptr(f16), i32], function addHalves(out, x, y, _z, n) {
  for (let i = 0; i < n; i += 16) S.vstore(S.vadd(S.vload(x.at(i)), S.vload(y.at(i))), out.at(i));
});

const fmaHalves = kernel([ptr(f16), ptr(f16), ptr(f16), ptr(f16), i32], function fmaHalves(out, x, y, z, n) {
  for (let i = 0; i < n; i += 16) {
    S.vstore(S.vfma(S.vload(z.at(i)), S.vload(x.at(i)), S.vload(y.at(i))), out.at(i));
  }
});

const multiplyAdd = kernel(
  [ptr(f32), ptr(f32), ptr(f32), ptr(f32), i32],
  function multiplyAdd(out, x, y, z, n) {
    for (let i = 0; i < n; i += 8) {
      S.vstore(S.vadd(S.vmul(S.vload(x.at(i)), S.vload(y.at(i))), S.vload(z.at(i))), out.at(i));
    }
  },
);

type Loop<A> = (out: A, x: A, y: A, z: A, n: number) => void;
const at = (a: ArrayLike<number>, i: number): number => a[i] as number;

const addBytesPlain: Loop<Int8Array> = (out, x, y, _z, n) => {
  for (let i = 0; i < n; i++) out[i] = Math.max(-128, Math.min(127, (x[i] as number) + (y[i] as number)));
};
const multiplyAddBytesPlain: Loop<Int8Array> = (out, x, y, z, n) => {
  for (let i = 0; i < n; i++) out[i] = (x[i] as number) * (y[i] as number) + (z[i] as number);
};
const divideBytesPlain: Loop<Int8Array> = (out, x, y, _z, n) => {
  for (let i = 0; i < n; i++) {
    const by = y[i] as number;
    out[i] = by === 0 ? 0 : Math.min(127, ((x[i] as number) / by) | 0);
  }
};
const addHalvesPlain: Loop<Uint16Array> = (out, x, y, _z, n) => {
  for (let i = 0; i < n; i++) out[i] = toHalf(at(fromHalf, x[i] as number) + at(fromHalf, y[i] as number));
};
const fmaHalvesPlain: Loop<Uint16Array> = (out, x, y, z, n) => {
  for (let i = 0; i < n; i++) {
    const product = at(fromHalf, x[i] as number) * at(fromHalf, y[i] as number);
    out[i] = toHalf(product + at(fromHalf, z[i] as number));
  }
};
const multiplyAddPlain: Loop<Float32Array> = (out, x, y, z, n) => {
  for (let i = 0; i < n; i++) out[i] = Math.fround((x[i] as number) * (y[i] as number)) + (z[i] as number);
};

type Lanes = Float32Array | Int8Array | Uint16Array;

/** Small multiples of 1/4, or integers for int8: the plain loops must give the same bits. */
function inputs<A extends Lanes>(make: (length: number) => A, encode: (quarters: number) => number): A[] {
  return [1, 7, 11].map((step) => {
    const array = make(N);
    for (let i = 0; i < N; i++) array[i] = encode(((i * step) % 256) - 128);
    return array;
  });
}

interface Case<A extends Lanes> {
  readonly name: string;
  readonly kernel: Parameters<typeof build>[0];
  readonly plain: Loop<A>;
  readonly dtype: "f32" | "f16" | "i8";
  readonly make: (length: number) => A;
  readonly encode: (quarters: number) => number;
  readonly budget: NonNullable<Row["budget"]>;
}

function compare<A extends Lanes>(o: Case<A>): Row[] {
  const [x, y, z] = inputs(o.make, o.encode) as [A, A, A];
  const want = o.make(N);
  const plain = bestOf(() => o.plain(want, x, y, z, N));
  return [true, false].map((checks) => {
    const program = build(o.kernel, { checks, target: "minimal" });
    const device = createDevice();
    const [out, ...operands] = [want, x, y, z].map((a) => {
      const copy = device.alloc(o.dtype, N) as A;
      copy.set(a);
      return copy;
    }) as [A, A, A, A];
    out.fill(0);
    const ours = bestOf(() => program.runWith({ tiles: 1, device }, out, ...operands, N));
    if (want.some((v, i) => v !== out[i])) throw new Error(`${o.name}: the plain loop gives other values`);
    const rate = (ms: number): string => (N / ms / 1000).toFixed(0);
    return {
      name: `compiled ${o.name}, checks ${checks ? "on" : "off"}`,
      value: plain / ours,
      unit: "x as fast as a plain loop",
      compared: `${rate(ours)} M elements/s, plain loop ${rate(plain)}`,
      budget: o.budget,
    };
  });
}

const int8 = {
  dtype: "i8",
  make: (n: number) => new Int8Array(n),
  encode: (q: number) => q,
  budget: { atLeast: 2 },
} as const;
const half = {
  dtype: "f16",
  make: (n: number) => new Uint16Array(n),
  encode: (q: number) => toHalf(q / 4),
  budget: { atLeast: 2 },
} as const;

export function elementwiseRows(): Row[] {
  return [
    ...compare({
      name: "f32 multiply and add",
      kernel: multiplyAdd,
      plain: multiplyAddPlain,
      dtype: "f32",
      make: (n) => new Float32Array(n),
      encode: (q) => q / 4,
      budget: { atLeast: 1 / 1.2 },
    }),
    ...compare({ ...int8, name: "int8 saturating add", kernel: addBytes, plain: addBytesPlain }),
    ...compare({
      ...int8,
      name: "int8 multiply and add",
      kernel: multiplyAddBytes,
      plain: multiplyAddBytesPlain,
    }),
    ...compare({ ...int8, name: "int8 divide", kernel: divideBytes, plain: divideBytesPlain }),
    ...compare({ ...half, name: "f16 add", kernel: addHalves, plain: addHalvesPlain }),
    ...compare({ ...half, name: "f16 fused multiply and add", kernel: fmaHalves, plain: fmaHalvesPlain }),
  ];
}
