/** Barriers: tiles suspend and resume inside any structured control flow. */
import { describe, expect, it } from "vitest";
import { compileKernel } from "../../codegen/index.ts";
import { KpuError } from "../../ir/diagnostic.ts";
import { TARGETS } from "../../ir/target.ts";
import { KpuProgram } from "../../runtime/program.ts";
import { kernelOf, threeWays } from "./threeway.ts";

const HEAD = "kir 1, level: virtual\n";

function run(text: string, args: unknown[], tiles: number): void {
  for (const checks of [true, false]) {
    new KpuProgram<unknown[]>(compileKernel(kernelOf(text), { target: TARGETS.edge, checks })).runWith(
      { tiles },
      ...args,
    );
  }
}
function codeOf(f: () => void): string {
  try {
    f();
  } catch (error) {
    if (error instanceof KpuError) return error.code;
    throw error;
  }
  return "none";
}

describe("barriers", () => {
  it("prefix sum over tiles in nested loops and ifs, with live vectors, masks and pointers", () => {
    const text = `${HEAD}kernel @scan(%x: ptr<i32, global>, %log: ptr<f32, global>, %n: i32) {
  let %buf: ptr<i32, l3> = alloc{dtype: i32, scope: l3, count: 64}
  let %own: ptr<i32, local> = alloc{dtype: i32, scope: local, count: 4}
  let %v: f32x20 = load<f32x20> %log
  let %m: mask<20> = gt.f32x20 %v, (splat<f32x20> 3)
  var %p: ptr<i32, global> = %x
  var %acc: i64 = 1:i64
  set %own, tile_id
  for %r: i32 = 0 to %n step 1 {
    let %mine: i32 = get %x[tile_id]
    set %buf[tile_id], %mine
    barrier
    if eq.i32 (mod.i32 %r, 2), 0 {
      for %s: i32 = 3 to 0 step -1 {
        let %left: i32 = get %buf[mod.i32 (add.i32 tile_id, %s), tile_count]
        barrier
        %acc = add.i64 %acc, (cast_scalar.i32{to: i64} %left)
        set %buf[tile_id], (add.i32 %left, %s)
        barrier
        if eq.i32 %s, 2 {
          continue s
        }
        let %o: i32 = get %own
        set %own, (add.i32 %o, 1)
      }
      %p = ptr_add %p, 1
    } else {
      barrier
      %acc = mul.i64 %acc, 3:i64
    }
    outer: block {
      if gt.i32 %r, 3 {
        barrier
        break outer
      }
      barrier
    }
    set %x[tile_id], (add.i32 %mine, (cast_scalar.i64{to: i32} %acc))
    barrier
  }
  let %o2: i32 = get %own
  let %q: i32 = get %p
  set %x[add.i32 tile_id, 16], (add.i32 %o2, %q)
  store<f32x20> %log[mul.i32 tile_id, 20], (sel %m, (neg.f32x20 %v), %v)
}
`.replace("for %s: i32", "s: for %s: i32");
    for (const tiles of [1, 2, 5]) {
      for (const n of [0, 1, 2, 6]) {
        threeWays(
          text,
          [
            Int32Array.from({ length: 32 }, (_, i) => i * 3 + 1),
            Float32Array.from({ length: 100 }, (_, i) => i % 7),
            n,
          ],
          { tiles },
        );
      }
    }
  });

  it("while and do-while loops", () => {
    threeWays(
      `${HEAD}kernel @k(%x: ptr<i32, global>, %n: i32) {
  var %i: i32 = 0
  w: loop test {
    let %limit: i32 = mul.i32 %n, 2
  }
  while lt.i32 %i, %limit {
    barrier
    if eq.i32 (mod.i32 %i, 3), 1 {
      continue w
    }
    let %v: i32 = get %x[tile_id]
    set %x[tile_id], (add.i32 %v, %i)
    barrier
  }
  update {
    %i = add.i32 %i, 1
  }
}
`,
      [new Int32Array(8), 7],
      { tiles: 3 },
    );
  });

  it("divergence and early return are errors in both modes", () => {
    const early = `${HEAD}kernel @k(%x: ptr<i32, global>) {
  if eq.i32 tile_id, 1 {
    return
  }
  barrier
}
`;
    expect(codeOf(() => run(early, [new Int32Array(1)], 2))).toBe("KPU5003");
    expect(codeOf(() => run(early, [new Int32Array(1)], 1))).toBe("none");
    const divergent = `${HEAD}location @1 = "a.ts" 3:5
location @2 = "a.ts" 5:5
kernel @k(%x: ptr<i32, global>) {
  if eq.i32 tile_id, 1 {
    #1 barrier
  } else {
    #2 barrier
  }
}
`;
    expect(codeOf(() => run(divergent, [new Int32Array(1)], 2))).toBe("KPU5002");
    // One barrier of the source in two places of the program: a helper that was inlined twice.
    expect(codeOf(() => run(divergent.replace("5:5", "3:5"), [new Int32Array(1)], 2))).toBe("none");
  });
});
