/** The kernel of a cell: an ordinary kernel over raw bytes, in which the planned variants are static. */
import { bool, type DType, f32, i32, u8 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, type ParamDecl, ptr } from "../../dsl/kernel.ts";
import type { Ptr } from "../../dsl/pointer.ts";
import { S } from "../../dsl/s.ts";
import type { Mask, Vec } from "../../dsl/values.ts";
import type { Cell, Operand, Output, Variant } from "./cell.ts";

type Bytes = Ptr<typeof u8>;

function operand(p: Bytes, o: Operand): unknown {
  return o.form === "list" ? o.items.map((item) => single(p, item)) : single(p, o);
}

function single(p: Bytes, o: Exclude<Operand, { form: "list" }>): unknown {
  if (o.form === "static") return o.value;
  const at = p.at(o.area.offset).as(o.dtype);
  if (o.form === "lanes") return S.vload(at, { lanes: o.area.lanes });
  // An intrinsic that takes some numbers only is given numbers that are proven to be of those.
  return o.range === undefined ? at.get(0) : S.clip(at.get(0), o.range[0], o.range[1]);
}

function optionsOf(p: Bytes, v: Variant): object {
  const { mask, r } = v.runtime;
  if (mask === undefined) return v.options;
  if (r === undefined) return { ...v.options, mask: operand(p, mask) };
  return { ...v.options, mask: operand(p, mask), r: operand(p, r) };
}

function store(value: unknown, o: Output, to: Bytes): void {
  const p = to.at(o.offset);
  if (o.kind === "vec") S.vstore(value as Vec, p.as(o.dtype) as Ptr<Vec["dtype"]>);
  else if (o.kind === "mask") S.vstore(value as Mask, p.as(bool));
  else if (o.kind === "boolean") p.as(bool).set(0, value as boolean);
  else {
    p.as(f32).set(0, value as number);
    p.as(i32).set(1, value as number);
  }
}

/** `kernel(input, output, rows)`: every variant on every row. */
export function cellKernel(cell: Cell): Kernel<readonly ParamDecl[]> {
  const { call, variants, inputStride, outputStride } = cell;
  const hasOptions = (v: Variant): boolean =>
    Object.keys(v.options).length > 0 || v.runtime.mask !== undefined;
  const withOptions = variants.map(hasOptions);
  return kernel([ptr(u8 as DType<"u8">), ptr(u8), i32], function matrixCell(input, output, rows) {
    for (const row of S.range(0, rows)) {
      for (const k of S.unroll(variants.length)) {
        const v = variants[k] as Variant;
        const from = input.at(row * inputStride);
        const to = output.at(row * outputStride);
        const args = v.operands.map((o) => operand(from, o));
        const result = withOptions[k] ? call(...args, optionsOf(from, v)) : call(...args);
        if (v.list) {
          for (const i of S.unroll(v.outputs.length)) {
            store((result as unknown[])[i], v.outputs[i] as Output, to);
          }
        } else store(result, v.outputs[0] as Output, to);
      }
    }
  }) as unknown as Kernel<readonly ParamDecl[]>;
}
