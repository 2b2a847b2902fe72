/** What a program tells beside its code: carried from the kernel's declaration, or read off the code; refused where it does not fit. */
import { build, f32, i32, type KpuError, kernel, type ProgramDescription, type Ptr, ptr, S } from "kpu-dsl";
import { describe, expect, it, test } from "vitest";

const GOOD: ProgramDescription = {
  tensors: [
    { name: "x", dtype: "f32", shape: ["n"], role: "input", param: "x" },
    { name: "y", dtype: "f32", shape: ["n"], role: "output", param: "y" },
  ],
  ops: [
    {
      name: "double",
      kind: "elementwise",
      dims: { i: "n" },
      inputs: ["x"],
      outputs: ["y"],
      tiling: {
        tileSizes: { local: { i: 8 } },
        loopOrder: [{ level: "local", dim: "i" }],
        doubleBuffer: [],
        prefetchDistance: 0,
      },
    },
  ],
};

const declared = (description?: ProgramDescription) =>
  kernel(
    [ptr(f32, { const: true }), ptr(f32), i32],
    function twice(x, y, n) {
      for (const i of S.range(0, n)) y.set(i, 2 * x.get(i));
    },
    description,
  );

function refused(description: ProgramDescription): string {
  try {
    build(declared(description));
  } catch (error) {
    expect((error as KpuError).code).toBe("KPU6008");
    return (error as Error).message;
  }
  return "accepted";
}

test("a description is carried as it was declared, and changes no code", () => {
  const program = build(declared(GOOD));
  expect(program.description).toEqual({ ...GOOD, schedule: ["double"] });
  expect(program.asm).toBe(build(declared()).asm);
});

test("a static method is described in its decorator", () => {
  class Described {
    @kernel([ptr(f32, { const: true }), ptr(f32), i32], GOOD)
    static twice(x: Ptr<f32>, y: Ptr<f32>, n: number): void {
      for (const i of S.range(0, n)) y.set(i, 2 * x.get(i));
    }
  }
  expect(build(Described.twice).description).toEqual({ ...GOOD, schedule: ["double"] });
});

test("without one, tensors and their roles are read off the code", () => {
  const k = kernel([ptr(f32), ptr(f32), ptr(f32), ptr(i32), f32], function mixed(a, b, c, _d, f) {
    b.set(0, a.get(0));
    const moved = c.at(4);
    moved.set(0, moved.get(1) + f);
  });
  expect(build(k).description).toEqual({
    tensors: [
      { name: "a", dtype: "f32", role: "input", param: "a" },
      { name: "b", dtype: "f32", role: "output", param: "b" },
      { name: "c", dtype: "f32", role: "inout", param: "c" },
      { name: "_d", dtype: "i32", role: "input", param: "_d" },
    ],
    ops: [{ name: "mixed", kind: "kernel", dims: {}, inputs: ["a", "c", "_d"], outputs: ["b", "c"] }],
    schedule: ["mixed"],
  });
});

describe("what does not fit the kernel is refused when it is built", () => {
  const [x, y] = GOOD.tensors as [ProgramDescription["tensors"][0], ProgramDescription["tensors"][0]];
  const op = GOOD.ops[0] as ProgramDescription["ops"][0];
  const tiling = op.tiling as NonNullable<typeof op.tiling>;
  const withOp = (o: Partial<typeof op>): ProgramDescription => ({ ...GOOD, ops: [{ ...op, ...o }] });
  const withTiling = (t: Partial<typeof tiling>): ProgramDescription =>
    withOp({ tiling: { ...tiling, ...t } });
  const cases: readonly (readonly [ProgramDescription, string])[] = [
    [{ ...GOOD, tensors: [x, x] }, "name comes twice: x"],
    [{ ...GOOD, ops: [op, op] }, "name comes twice: double"],
    [{ ...GOOD, tensors: [{ ...x, dtype: "i32" }, y] }, "is of i32, its parameter x of f32"],
    [{ ...GOOD, tensors: [{ ...x, param: "z" }, y] }, '"z", which is no pointer'],
    [{ ...GOOD, tensors: [{ ...x, param: "n" }, y] }, '"n", which is no pointer'],
    [{ ...GOOD, tensors: [{ ...x, param: "y" }, y] }, "the code writes to y"],
    [{ ...GOOD, tensors: [{ ...x, shape: ["m"] }, y] }, '"m", which is no scalar parameter'],
    [{ ...GOOD, tensors: [{ ...x, shape: [-1] }, y] }, "the extent -1"],
    [{ ...GOOD, tensors: [{ ...x, shape: [2 ** 30, 2 ** 30] }, y] }, "more than can be counted"],
    [withOp({ span: 0.5 }), "the span 0.5"],
    [
      {
        ...GOOD,
        ops: [
          { ...op, span: 1 },
          { ...op, name: "again", span: 1 },
        ],
      },
      "span 1 is that of two ops",
    ],
    [withOp({ attributes: JSON.parse('{ "__proto__": 1 }') as Record<string, number> }), "__proto__"],
    [withOp({ attributes: { factor: Number.NaN } }), "factor: NaN"],
    [{ ...GOOD, tensors: [{ ...x, role: "weight" }, y] }, "its shape is not told in numbers"],
    [{ ...GOOD, tensors: [{ ...x, role: "weight", shape: [2] }, y] }, "a weight of 8 bytes, given are none"],
    [{ ...GOOD, tensors: [{ ...x, role: "activation" }, y] }, "no argument"],
    [{ ...GOOD, weights: { x: new Uint8Array(4) } }, 'weights are given for "x"'],
    [withOp({ inputs: ["z"] }), 'names the tensor "z"'],
    [withOp({ outputs: ["x"] }), 'has the output "x", which is of role input'],
    [withOp({ dims: {} }), 'is cut along "i" in local'],
    [withOp({ fusedWith: ["double"] }), "fused with itself"],
    [withOp({ fusedWith: ["other"] }), "which does not say so"],
    [{ ...GOOD, schedule: [] }, "name each op once"],
    [{ ...GOOD, schedule: ["twice"] }, "name each op once"],
    [withTiling({ tileSizes: { local: { i: 0 } } }), "a block of 0 elements along i"],
    [withTiling({ loopOrder: [{ level: "l2", dim: "i" }] }), 'blocks of l2 along "i"'],
    [withTiling({ doubleBuffer: ["l2"] }), "two buffers in l2"],
    [withTiling({ prefetchDistance: -1 }), "prefetch distance -1"],
  ];
  it.each(cases)("%#", (description, says) => {
    expect(refused(description)).toContain(says);
  });
  it("accepts the one that fits", () => {
    expect(refused(GOOD)).toBe("accepted");
  });
});
