/** Float remainder: the helper behind JavaScript's `%`, which WebAssembly does not have. */
import type { ModuleBuilder } from "./encoder.ts";

/**
 * fmod(x, y) of doubles, exact, the result with the sign of x. The usual cases take one division: while |x / y| is below
 * 2^53 the truncated quotient q is exact or one too large, but q*y is not exact, so only small integers go that way;
 * all others subtract shifted multiples on the bits.
 */
export function fmodHelper(m: ModuleBuilder): number {
  return m.helper("fmod", ["f64", "f64"], ["f64"], (c) => {
    const x = 0;
    const y = 1;
    const a = c.local("f64");
    const b = c.local("f64");
    const ia = c.local("i64");
    const ib = c.local("i64");
    c.get(x).op("f64.abs").set(a);
    c.get(y).op("f64.abs").set(b);
    // NaN anywhere, infinite x, zero y: NaN.
    c.get(b)
      .f64(0)
      .op("f64.gt")
      .get(a)
      .f64(Number.POSITIVE_INFINITY)
      .op("f64.lt")
      .op("i32.and")
      .op("i32.eqz");
    c.if().f64(Number.NaN).op("return").end();
    c.get(a).get(b).op("f64.lt").if().get(x).op("return").end();
    // Both integers below 2^53: i64 has the remainder.
    c.get(a)
      .f64(2 ** 53)
      .op("f64.lt");
    c.get(a).op("f64.floor").get(a).op("f64.eq").op("i32.and");
    c.get(b).op("f64.floor").get(b).op("f64.eq").op("i32.and").if();
    c.get(a).sat("i64.trunc_sat_f64_s").get(b).sat("i64.trunc_sat_f64_s").op("i64.rem_s");
    c.op("f64.convert_i64_s").get(x).op("f64.copysign").op("return").end();
    // Long division on significands: a = ma * 2^ea, b = mb * 2^eb with the same rules for subnormals.
    const ea = c.local("i64");
    const eb = c.local("i64");
    const split = (v: number, bits: number, e: number): void => {
      c.get(v).op("i64.reinterpret_f64").tee(bits).i64(52).op("i64.shr_u").set(e);
      c.get(bits).i64(0xfffffffffffffn).op("i64.and").set(bits);
      c.get(e).op("i64.eqz").if().i64(1).set(e).else();
      c.get(bits).i64(0x10000000000000n).op("i64.or").set(bits).end();
    };
    split(a, ia, ea);
    split(b, ib, eb);
    // ea >= eb, because a >= b and both are normalised the same way, except for subnormal b: then eb is 1.
    c.block();
    const done = c.depth - 1;
    c.loop();
    const again = c.depth - 1;
    c.get(ia).get(ib).op("i64.rem_u").set(ia);
    c.get(ea).get(eb).op("i64.le_s").brIf(done);
    // ia < ib <= 2^53: eleven bits more still fit.
    const step = c.local("i64");
    c.get(ea)
      .get(eb)
      .op("i64.sub")
      .i64(11)
      .get(ea)
      .get(eb)
      .op("i64.sub")
      .i64(11)
      .op("i64.lt_s")
      .op("select")
      .set(step);
    c.get(ia).get(step).op("i64.shl").set(ia);
    c.get(ea).get(step).op("i64.sub").set(ea);
    c.br(again).end().end();
    // ia * 2^(eb - 1075): exact, as a remainder has no more bits than b. 2^(eb-1) scales the subnormal unit.
    c.get(ia)
      .op("f64.convert_i64_s")
      .f64(2 ** -1074)
      .op("f64.mul");
    // Two factors, because 2^(eb-1) alone may exceed the largest double.
    const half = c.local("i64");
    c.get(eb).i64(1).op("i64.sub").i64(1).op("i64.shr_u").set(half);
    const pow2 = (push: () => void): void => {
      push();
      c.i64(1023).op("i64.add").i64(52).op("i64.shl").op("f64.reinterpret_i64").op("f64.mul");
    };
    pow2(() => c.get(half));
    pow2(() => c.get(eb).i64(1).op("i64.sub").get(half).op("i64.sub"));
    c.get(x).op("f64.copysign");
  });
}
