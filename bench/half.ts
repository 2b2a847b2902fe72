/** f16 as one would write it without the project: a table from bits, shifts and one rounding to bits. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The value of every pattern. */
export const fromHalf = Float32Array.from({ length: 65536 }, (_, h) => {
  const exponent = (h >> 10) & 31;
  const mantissa = h & 1023;
  const sign = h & 0x8000 ? -1 : 1;
  if (exponent === 31) return mantissa ? Number.NaN : sign * Infinity;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15));
});

/** The bits of an f32, rounded half to even. */
export function toHalf(x: number): number {
  float[0] = x;
  const u = bits[0] as number;
  const sign = (u >>> 16) & 0x8000;
  const a = u & 0x7fffffff;
  if (a >= 0x47800000) return sign | (a > 0x7f800000 ? 0x7e00 : 0x7c00);
  // Normal: the bias moves by 112; the carry of the rounding may go on into the exponent.
  if (a >= 0x38800000) return sign | ((a - 0x38000000 + 0xfff + ((a >> 13) & 1)) >> 13);
  // Subnormal: the sum has the wanted bits at its end, rounded by the addition.
  float[0] = Math.abs(x) + 0.5;
  return sign | ((bits[0] as number) - 0x3f000000);
}
