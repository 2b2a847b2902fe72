import { describe, expect, it } from "vitest";
import { emitKernel } from "../../codegen/index.ts";
import { parseKernel } from "../../ir/parse.ts";
import { TARGETS } from "../../ir/target.ts";
import { KpuProgram } from "../../runtime/index.ts";
import { threeWays } from "./threeway.ts";

const ADD = `kir 1, level: virtual
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
`;

describe("control flow", () => {
  it.each([0, 1, 7, 8, 9, 16, 30, 31])("vector add with a tail of %i elements", (n) => {
    const x = Float32Array.from({ length: 40 }, (_, i) => i + 0.5);
    const y = Float32Array.from({ length: 40 }, (_, i) => i * 3);
    for (const tiles of [1, 2, 3]) {
      const [z] = threeWays(ADD, [new Float32Array(40), x, y, n], { tiles });
      const values = z as Float32Array;
      for (let i = 0; i < 40; i++) expect(values[i]).toBe(i < n ? 4 * i + 0.5 : 0);
    }
  });

  it("labels, continue and break", () => {
    threeWays(
      `kir 1, level: virtual
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
        %sum = add.i32 %sum, (mul.i32 %i, %j)
      }
      %sum = add.i32 %sum, 1
    }
  }
  set %out, %sum
}
`,
      [new Int32Array(1), 9],
    );
  });

  it("a counted loop that ends at the largest i32", () => {
    const [out] = threeWays(
      `kir 1, level: virtual
kernel @k(%out: ptr<i32, global>) {
  var %sum: i32 = 0
  for %i: i32 = 2147483640 to 2147483647 step 3 {
    %sum = add.i32 %sum, 1
  }
  for %j: i32 = -2147483640 to -2147483648 step -5 {
    %sum = add.i32 %sum, 10
  }
  set %out, %sum
}
`,
      [new Int32Array(1)],
    );
    expect((out as Int32Array)[0]).toBe(23);
  });
});

it("a kernel that is larger than engines take is refused when it is compiled", () => {
  const compiled = (variables: number) => {
    const lines = Array.from({ length: variables }, (_, i) => `let %v${i}: i32 = 1`);
    const text = `kir 1, level: machine, register: 256\nkernel @many() {\n${lines.join("\n")}\n}\n`;
    return emitKernel(parseKernel(text), "", { target: TARGETS.edge, checks: true });
  };
  // Four are the emitter's own.
  expect(() => compiled(49_997)).toThrow("KPU7008");
  new KpuProgram(compiled(49_996)).run();
});
