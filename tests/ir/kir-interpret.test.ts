import { describe, expect, test } from "vitest";
import { KpuError } from "../../ir/diagnostic.ts";
import { array, kir, run } from "./programs.ts";

function refusal(f: () => unknown): string {
  try {
    f();
  } catch (error) {
    if (error instanceof KpuError) return error.message;
    throw error;
  }
  return "no error";
}

const ADD = kir(`
kernel @add(%z: ptr<f32, global>, %x: ptr<const f32, global>, %y: ptr<const f32, global>, %n: i32) {
  let %per: i32 = ceildiv.i32 %n, tile_count
  let %begin: i32 = mul.i32 tile_id, %per
  let %end: i32 = min.i32 (add.i32 %begin, %per), %n
  for %i: i32 = %begin to %end step 8 {
    let %m: mask<8> = tail_mask<8> (sub.i32 %end, %i)
    let %a: f32x8 = load<f32x8> %x[%i] mask %m else (splat<f32x8> 0)
    let %b: f32x8 = load<f32x8> %y[%i] mask %m else (splat<f32x8> 0)
    store<f32x8> %z[%i], (add.f32x8 %a, %b) mask %m
  }
}
`);

describe("programs", () => {
  test.each([
    [0, 1],
    [1, 1],
    [7, 2],
    [8, 2],
    [21, 3],
  ])("vector add of %i elements on %i tiles", (n, tiles) => {
    const x = Float32Array.from({ length: n }, (_, i) => i + 0.5);
    const y = Float32Array.from({ length: n }, (_, i) => -i);
    const z = new Float32Array(n + 1).fill(-1);
    run(ADD, [z, x, y, n], { tiles });
    expect([...z]).toEqual([...Array(n).fill(0.5), -1]);
  });

  test("break and continue with labels, blocks, early return", () => {
    const k = kir(`
kernel @k(%out: ptr<i32, global>, %n: i32) {
  var %sum: i32 = 0
  outer: for %i: i32 = 0 to %n step 1 {
    inner: for %j: i32 = 10 to 0 step -3 {
      if eq.i32 %j, 4 {
        continue outer
      }
      if gt.i32 %i, 3 {
        break outer
      }
      skip: block {
        if eq.i32 %j, 7 {
          break skip
        }
        %sum = add.i32 %sum, %j
      }
      %sum = add.i32 %sum, 100
    }
  }
  set %out, %sum
  if eq.i32 %n, 0 {
    return
  }
  set %out[1], 1
}`);
    const out = new Int32Array(2);
    run(k, [out, 9]);
    expect([...out]).toEqual([840, 1]);
    run(k, [out.fill(0), 0]);
    expect([...out]).toEqual([0, 0]);
  });

  test("loops that test first and last, with continue to update", () => {
    const k = kir(`
kernel @k(%out: ptr<i32, global>, %n: i32) {
  var %i: i32 = 0
  var %odd: i32 = 0
  w: loop test {
    let %limit: i32 = mul.i32 %n, 2
  }
  while lt.i32 %i, %limit {
    if eq.i32 (mod.i32 %i, 2), 0 {
      continue w
    }
    %odd = add.i32 %odd, %i
  }
  update {
    %i = add.i32 %i, 1
  }
  set %out, %odd
  var %rounds: i32 = 0
  d: loop {
    %rounds = add.i32 %rounds, 1
  }
  test {
    let %more: bool = lt.i32 %rounds, %n
  }
  while %more
  set %out[1], %rounds
}`);
    const out = new Int32Array(2);
    run(k, [out, 4]);
    expect([...out]).toEqual([1 + 3 + 5 + 7, 4]);
    run(k, [out, 0]);
    expect([...out]).toEqual([0, 1]);
  });

  test("tiles meet at barriers; shared memory is one, local memory is each tile's", () => {
    const k = kir(`
text @0 = "after"
kernel @k(%out: ptr<i32, global>) {
  let %all: ptr<i32, l3> = alloc{dtype: i32, scope: l3, count: 8}
  let %own: ptr<i32, local> = alloc{dtype: i32, scope: local, count: 1}
  let %before: i32 = get %own
  set %own, (add.i32 tile_id, 1)
  set %all[tile_id], (add.i32 tile_id, 1)
  barrier
  print{text: 0} (add.i32 tile_id, %before)
  var %sum: i32 = 0
  for %t: i32 = 0 to tile_count step 1 {
    let %x: i32 = get %all[%t]
    %sum = add.i32 %sum, %x
  }
  barrier
  set %out[tile_id], %sum
}`);
    const out = new Int32Array(3);
    expect(run(k, [out], { tiles: 3 })).toEqual(["tile 0: after 0", "tile 1: after 1", "tile 2: after 2"]);
    expect([...out]).toEqual([6, 6, 6]);
  });

  test.each(["issue", "wait"] as const)("transfers that move at %s", (transfers) => {
    const k = kir(`
kernel @k(%out: ptr<i16, global>, %in: ptr<const i16, global>) {
  let %e: event = event_alloc
  let %buf: ptr<i16, local> = alloc{dtype: i16, scope: local, count: 8, name: buf}
  let %src: ptr<i16, local> = alloc{dtype: i16, scope: local, count: 6}
  dma_copy %src, %in, 6, 6, 6, 1
  dma_copy_async %buf, %src, 2, 3, 4, 2, %e
  let %early: i32 = get %buf
  event_wait %e
  dma_memset_async %buf[2], 300, 2, %e
  event_wait %e
  event_free %e
  dma_copy %out, %buf, 8, 8, 8, 1
  set %out[8], %early
}`);
    const out = new Int16Array(9);
    run(k, [out, Int16Array.of(1, 2, 3, 4, 5, 6)], { transfers });
    expect([...out]).toEqual([1, 2, 300, 300, 4, 5, 0, 0, transfers === "issue" ? 1 : 0]);
  });

  test("gather, scatter, strides, shuffles, reductions, tables", () => {
    const k = kir(`
table @0: i16 = [3, 2, 1, 0]
kernel @k(%f: ptr<f32, global>, %i: ptr<i32, global>, %b: ptr<bool, global>) {
  let %t: ptr<const i16, local> = alloc_const{dtype: i16, table: 0}
  let %idx: i16x4 = load<i16x4> %t
  let %on: mask<4> = vconst<mask<4>> [1, 1, 1, 0]
  let %g: f32x4 = gather<f32x4> %f, %idx mask %on else (splat<f32x4> -0:f64)
  let %s: f32x2 = load<f32x2> %f stride 3 mask (splat<mask<2>> true) else (splat<f32x2> 0)
  scatter<f32x4> %f[4], (and.i16x4 %idx, (splat<i16x4> 1)), %g mask (not.mask<4> (vconst<mask<4>> [0, 0, 0, 0]))
  store<f32x2> %f[6], %s stride 2 mask (vconst<mask<2>> [1, 0])
  set %f[8], (radd.f32x4 %g)
  set %i, (rmax_idx.f32x4 %g, %on)
  let %w: i8x4 = cast.i16x4{dtype: i8, saturate} (mul.i16x4 %idx, (splat<i16x4> 100))
  set %i[1], (extract.i8x4 %w, 0)
  let %r: i8x6 = shuffle{lanes: [3, 2, 1, 0, -1, 7]} %w, %w
  set %i[2], (extract.i8x6 %r, 5)
  store<mask<4>> %b, (lt.f32x4 %g, (splat<f32x4> 2))
  let %again: mask<4> = load<mask<4>> %b
  set %b[4], (any %again)
  set %b[5], (all %again)
}`);
    const f = array("f32", 0, 1, 2, 3, 4, 5, 6, 7, 8) as Float32Array;
    const i = new Int32Array(3);
    const b = new Uint8Array(6);
    run(k, [f, i, b]);
    // idx = 3 2 1 0, g = 3 2 1 -0; scatter to 5 4 5 4: the highest lane wins.
    expect([...f]).toEqual([0, 1, 2, 3, -0, 1, 0, 7, 6]);
    expect([...i]).toEqual([0, 127, 0]);
    expect([...b]).toEqual([0, 0, 1, 1, 1, 0]);
  });

  test("pointers: casts, differences, equality, null, overlapping arguments", () => {
    const k = kir(`
kernel @k(%p: ptr<u8, global>, %q: ptr<u8, global>, %r: ptr<f32, global>, %out: ptr<i32, global>) {
  let %w: ptr<u16, global> = ptr_cast{dtype: u16} %p[1]
  set %w, 4660
  set %out, (cast_scalar.i64{to: i32} (ptr_diff %q[3], %q))
  let %same: bool = ptr_eq %p, %q
  set %out[1], (cast_scalar.bool{to: i32} %same)
  let %later: bool = ptr_eq %p[2], %q
  set %out[2], (cast_scalar.bool{to: i32} %later)
  set %out[3], (cast_scalar.bool{to: i32} (ptr_null %r))
  let %seen: i32 = get %q
  set %out[4], %seen
}`);
    const bytes = new Uint8Array(8);
    const out = new Int32Array(5);
    run(k, [bytes, bytes.subarray(2), null, out]);
    expect([...bytes]).toEqual([0, 0x34, 0x12, 0, 0, 0, 0, 0]);
    expect([...out]).toEqual([3, 0, 1, 1, 0x12]);
  });

  test("numbers of level open are JavaScript's", () => {
    const k = kir(
      `
kernel @k(%out: ptr<f32, global>, %x: f32) {
  let %n: num = cast_scalar.f32{to: num} %x
  set %out, (div.num 7, 2)
  set %out[1], (mod.num -4, 4)
  set %out[2], (neg.num (mul.num 0, %n))
  set %out[3], (select.num (truthy.num %n), (js_shl.num 1, 33), NaN)
}`,
      "open",
    );
    const out = new Float32Array(4);
    run(k, [out, 3]);
    expect([...out]).toEqual([3.5, -0, -0, 2]);
    run(k, [out, Number.NaN]);
    expect(out[3]).toBeNaN();
  });
});

describe("what stops a program", () => {
  const one = (body: string, tiles = 1): string =>
    refusal(() =>
      run(
        kir(`text @0 = "n must be even"\nkernel @k(%p: ptr<i32, global>, %n: i32) {\n${body}\n}`),
        [new Int32Array(4), 0],
        { tiles },
      ),
    );

  test.each([
    ["bounds of a scalar", "set %p[4], 1", "KPU4001]: writes i32 elements 4 .. 4 of p, which has 4"],
    ["bounds below", "let %x: i32 = get %p[-1]", "KPU4001]: reads i32 elements -1 .. -1"],
    ["bounds of a vector", "let %x: i32x4 = load<i32x4> %p[1]", "KPU4001]: reads i32 elements 1 .. 4"],
    ["bounds of a transfer", "dma_copy %p, %p[2], 3, 0, 0, 1", "KPU4001]: a transfer reads"],
    ["overlap of a transfer", "dma_copy %p, %p[1], 2, 2, 2, 1", "KPU4009"],
    ["too many rows", "dma_copy %p, %p[2], 1, 1, 1, 2147483647", "KPU4001]: a transfer reads"],
    ["a negative width", "dma_copy %p, %p[1], (sub.i32 %n, 1), 2, 2, 1", "KPU4007"],
    ["a zero divisor", "let %x: i32 = ceildiv.i32 1, %n", "KPU3013"],
    ["a lane beyond", "let %x: i32 = extract.i32x2 (splat<i32x2> 0), (add.i32 %n, 2)", "KPU4001"],
    [
      "an assertion",
      "assert{text: 0} (ne.i32 %n, 0)",
      "KPU6007]: assertion failed on tile 0: n must be even",
    ],
    ["a stride of 0", "store<i32x2> %p, (splat<i32x2> 0) stride %n mask (splat<mask<2>> true)", "KPU4007"],
    ["capacity", "let %a: ptr<i32, local> = alloc{dtype: i32, scope: local, count: 16385}", "KPU4003"],
    ["a wait without a transfer", "let %e: event = event_alloc\nevent_wait %e", "KPU5004"],
    [
      "a second transfer",
      "let %e: event = event_alloc\ndma_memset_async %p, 0, 1, %e\ndma_memset_async %p, 0, 1, %e",
      "KPU5005",
    ],
    ["a transfer never waited for", "let %e: event = event_alloc\ndma_memset_async %p, 0, 1, %e", "KPU5006"],
    ["too many events", `for %i: i32 = 0 to 17 step 1 {\nlet %e: event = event_alloc\n}`, "KPU5007"],
    ["a freed event", "let %e: event = event_alloc\nevent_free %e\nevent_free %e", "KPU5008"],
  ])("%s", (_what, body, message) => {
    expect(one(body)).toContain(message);
  });

  test("a null pointer", () => {
    const k = kir("kernel @k(%p: ptr<i32, global>) {\nset %p[1], 1\n}");
    expect(refusal(() => run(k, [null]))).toContain("KPU4008");
  });
  test("a barrier that not every tile reaches", () => {
    expect(one("if eq.i32 tile_id, 0 {\nbarrier\n}", 2)).toContain("KPU5003]: tile 0 waits at a barrier");
  });
  test("barrier divergence", () => {
    const places = (line: number): string =>
      `location @1 = "a.ts" 3:5\nlocation @2 = "a.ts" ${line}:5\nkernel @k() {\nif eq.i32 tile_id, 1 {\n#1 barrier\n} else {\n#2 barrier\n}\n}`;
    expect(refusal(() => run(kir(places(5)), [], { tiles: 2 }))).toContain(
      "KPU5002]: tile 0 waits at the barrier at a.ts:5:5, tile 1 at the barrier at a.ts:3:5",
    );
    // One barrier of the source, inlined in two places.
    run(kir(places(3)), [], { tiles: 2 });
    expect(one("if eq.i32 tile_id, 0 {\nbarrier\n} else {\nbarrier\n}", 2)).toContain("KPU5002");
  });
});
