/**
 * Cells of intrinsics that touch memory, per dtype and width: loads and stores in every form of mask and stride, gathers and
 * scatters by every index dtype, scalar access, copies by the engine. Each is a kernel over raw bytes, `kernel(input, output)`,
 * that leaves what it read, or where it wrote, in `output`.
 */
import { type AnyD, bool, dtypeOf, type IntD, u8, u16 } from "../../dsl/dtypes.ts";
import { type Kernel, kernel, type ParamDecl, ptr } from "../../dsl/kernel.ts";
import type { Ptr } from "../../dsl/pointer.ts";
import { S } from "../../dsl/s.ts";
import type { Mask, Vec } from "../../dsl/values.ts";
import { ALL_DTYPES, bytesOf, type DTypeName, WHOLE_BYTE_DTYPES } from "../../ir/dtype.ts";
import { edgeValues } from "../../ir/edges.ts";
import { writeElements } from "../../ir/elements.ts";
import { Random, seedOfText } from "../../ir/random.ts";
import { aligned, MASK_FORMS, type MaskForm } from "./cell.ts";
import { maskString } from "./forms.ts";

type Bytes = Ptr<typeof u8>;
type Access = Vec["dtype"];

export interface MemoryCell {
  readonly intrinsics: readonly string[];
  readonly dtype: DTypeName;
  readonly lanes: number;
  readonly forms: readonly string[];
  readonly kernel: Kernel<readonly ParamDecl[]>;
  readonly input: Uint8Array;
  readonly outputBytes: number;
}

type Make = (d: DTypeName, n: number) => MemoryCell;

const INDEX_DTYPES = ["i16", "u16", "i32", "u32"] as const;
const STRIDES = [1, 2, 3] as const;

/** Lays out areas of a buffer one after the other. */
class Row {
  bytes = 0;
  readonly #writes: ((view: DataView) => void)[] = [];
  area(d: DTypeName, values: readonly number[]): number {
    const at = this.bytes;
    this.bytes = aligned(at + bytesOf(d, values.length));
    this.#writes.push((view) => writeElements(d, view, at, values));
    return at;
  }
  data(): Uint8Array {
    const bytes = new Uint8Array(this.bytes + 8);
    for (const write of this.#writes) write(new DataView(bytes.buffer));
    return bytes;
  }
}

/** Elements to move: every edge value in turn. */
function elements(d: DTypeName, count: number): number[] {
  const edges = edgeValues(d);
  return Array.from({ length: count }, (_, i) => edges[(i * 7 + (i >> 3)) % edges.length] as number);
}
function maskLanes(n: number, seed: string): number[] {
  const random = new Random(seedOfText(seed));
  return Array.from({ length: n }, () => random.below(2));
}

interface MaskedForm {
  readonly mask: MaskForm;
  readonly stride: number;
}

/** Options of an access in one form; mask and r stand in the input. */
function accessOptions(p: Bytes, f: MaskedForm, n: number, maskAt: number, rAt: number, d: AnyD): object {
  const runtime = (): Mask => S.vload(p.at(maskAt).as(bool), { lanes: n });
  const stride = f.stride === 1 ? {} : { stride: f.stride };
  switch (f.mask) {
    case "none":
      return stride;
    case "mask":
      return { ...stride, mask: runtime() };
    case "mask, r vector":
      return { ...stride, mask: runtime(), r: S.vload(p.at(rAt).as(d as Access), { lanes: n }) };
    case "mask, r number":
      return { ...stride, mask: runtime(), r: d.name === "bool" ? true : 3 };
    case "mask string":
      return { ...stride, mask: maskString(n) };
    case "mask array":
      return { ...stride, mask: [...maskString(n)].map((c) => c === "T") };
  }
}

const maskedForms = (strides: readonly number[], r: boolean): MaskedForm[] =>
  strides.flatMap((stride) =>
    MASK_FORMS.filter((m) => r || !m.includes(" r ")).map((mask) => ({ mask, stride })),
  );
const formText = (f: MaskedForm): string => (f.stride === 1 ? f.mask : `${f.mask}, stride ${f.stride}`);

const asKernel = (k: unknown): Kernel<readonly ParamDecl[]> => k as Kernel<readonly ParamDecl[]>;

const load: Make = (name, n) => {
  const d = dtypeOf(name) as Access;
  const forms = maskedForms(STRIDES, true);
  const row = new Row();
  const data = row.area(name, elements(name, 3 * n));
  const mask = row.area("bool", maskLanes(n, `load ${n}`));
  const r = row.area(name, elements(name, n).reverse());
  const size = aligned(bytesOf(name, n));
  const loads = kernel([ptr(u8), ptr(u8)], function loads(input, output) {
    for (const k of S.unroll(forms.length)) {
      const f = forms[k] as MaskedForm;
      const o = accessOptions(input, f, n, mask, r, d);
      S.vstore(S.vload(input.at(data).as(d), { ...o, lanes: n }), output.at(k * size).as(d));
    }
  });
  return cell(["vload"], name, n, forms.map(formText), loads, row, size * forms.length);
};

const store: Make = (name, n) => {
  const d = dtypeOf(name) as Access;
  const forms = maskedForms(STRIDES, false);
  const row = new Row();
  const data = row.area(name, elements(name, n));
  const mask = row.area("bool", maskLanes(n, `store ${n}`));
  const size = aligned(bytesOf(name, 3 * n));
  const stores = kernel([ptr(u8), ptr(u8)], function stores(input, output) {
    const value = S.vload(input.at(data).as(d), { lanes: n });
    for (const k of S.unroll(forms.length)) {
      const f = forms[k] as MaskedForm;
      S.vstore(value, output.at(k * size).as(d), accessOptions(input, f, n, mask, 0, d));
    }
  });
  return cell(["vstore"], name, n, forms.map(formText), stores, row, size * forms.length);
};

/** Index vectors with duplicates, in an area per index dtype. */
function indexAreas(row: Row, n: number): { readonly dtype: IntD; readonly at: number }[] {
  const random = new Random(seedOfText(`index ${n}`));
  return INDEX_DTYPES.map((x) => ({
    dtype: dtypeOf(x) as IntD,
    at: row.area(
      x,
      Array.from({ length: n }, () => random.below(2 * n)),
    ),
  }));
}

const gather: Make = (name, n) => {
  const d = dtypeOf(name) as Access;
  const forms = maskedForms([1], true);
  const row = new Row();
  const data = row.area(name, elements(name, 2 * n));
  const mask = row.area("bool", maskLanes(n, `gather ${n}`));
  const r = row.area(name, elements(name, n).reverse());
  const indices = indexAreas(row, n);
  const size = aligned(bytesOf(name, n));
  const gathers = kernel([ptr(u8), ptr(u8)], function gathers(input, output) {
    for (const i of S.unroll(indices.length)) {
      const { dtype, at } = indices[i] as (typeof indices)[number];
      const index = S.vload(input.at(at).as(dtype), { lanes: n });
      for (const k of S.unroll(forms.length)) {
        const o = accessOptions(input, forms[k] as MaskedForm, n, mask, r, d);
        const to = output.at((i * forms.length + k) * size).as(d);
        S.vstore(S.vloadGather(input.at(data).as(d), index as never, o), to);
      }
    }
  });
  const texts = INDEX_DTYPES.flatMap((x) => forms.map((f) => `${f.mask}, ${x} indices`));
  return cell(["vloadGather"], name, n, texts, gathers, row, size * texts.length);
};

const scatter: Make = (name, n) => {
  const d = dtypeOf(name) as Access;
  const forms = maskedForms([1], false);
  const row = new Row();
  const data = row.area(name, elements(name, n));
  const mask = row.area("bool", maskLanes(n, `scatter ${n}`));
  const indices = indexAreas(row, n);
  const size = aligned(bytesOf(name, 2 * n));
  const scatters = kernel([ptr(u8), ptr(u8)], function scatters(input, output) {
    const value = S.vload(input.at(data).as(d), { lanes: n });
    for (const i of S.unroll(indices.length)) {
      const { dtype, at } = indices[i] as (typeof indices)[number];
      const index = S.vload(input.at(at).as(dtype), { lanes: n });
      for (const k of S.unroll(forms.length)) {
        const o = accessOptions(input, forms[k] as MaskedForm, n, mask, 0, d);
        S.vstoreScatter(value, output.at((i * forms.length + k) * size).as(d), index as never, o);
      }
    }
  });
  const texts = INDEX_DTYPES.flatMap((x) => forms.map((f) => `${f.mask}, ${x} indices`));
  return cell(["vstoreScatter"], name, n, texts, scatters, row, size * texts.length);
};

const scalarAccess: Make = (name, n) => {
  const d = dtypeOf(name) as Access;
  const row = new Row();
  const data = row.area(name, elements(name, n));
  const elementsBackwards = kernel([ptr(u8), ptr(u8)], function elementsBackwards(input, output) {
    const from = input.at(data).as(d);
    const to = output.as(d);
    for (const i of S.range(0, n)) to.at(n - 1).set(-i, from.at(i).get());
  });
  const names = ["Ptr.get", "Ptr.set", "Ptr.at", "Ptr.as"];
  return cell(names, name, n, ["backwards"], elementsBackwards, row, aligned(bytesOf(name, n)));
};

const copies: Make = (name, n) => {
  const d = dtypeOf(name) as Access;
  const row = new Row();
  const data = row.area(name, elements(name, 4 * n));
  const fill = row.area(name, elements(name, 1));
  const size = aligned(bytesOf(name, 8 * n));
  const transfers = kernel([ptr(u8), ptr(u8)], function transfers(input, output) {
    const from = input.at(data).as(d);
    const near = S.alloc(d, [8 * n], "local");
    const [first, second] = S.allocEvents(2) as [never, never];
    S.dmaCopy(output.as(d), from, n);
    S.dmaCopy(output.at(size).as(d), from, n, { srcStride: 2 * n, dstStride: n + 1, times: 2 });
    S.dmaMemset(near, input.at(fill).as(d).get(0), 8 * n);
    S.asyncDmaCopy(near.at(n), from, n, first, { srcStride: n, dstStride: 2 * n, times: 3 });
    S.waitEvents(first);
    S.asyncDmaCopy(output.at(2 * size).as(d), near, 8 * n, second);
    S.waitEvents(second);
    S.asyncDmaMemset(near, 1, n, first);
    S.waitEvents(first);
    S.dmaCopy(output.at(3 * size).as(d), near, 8 * n);
    S.freeEvents([first, second]);
  });
  const names = ["dmaCopy", "asyncDmaCopy", "dmaMemset", "asyncDmaMemset"];
  return cell(names, name, n, ["row", "rows", "fill", "into scratch and back"], transfers, row, size * 4);
};

/** Rows and columns by the width, so that one narrow and one wide side occur. */
const rearranged: Make = (name, n) => {
  const d = dtypeOf(name) as Access;
  const rows = 3;
  const row = new Row();
  const data = row.area(name, elements(name, 4 * rows * n));
  const index = row.area("u16", [2, 0, 2, 1]);
  const size = aligned(bytesOf(name, 12 * rows * n));
  const moves = kernel([ptr(u8), ptr(u8)], function moves(input, output) {
    const from = input.at(data).as(d);
    const chosen = input.at(index).as(u16);
    const wide = { srcStride: n + 2, dstStride: rows + 1 };
    const scaled = { channels: 1, scaleH: 2, scaleW: 3 };
    const gathered = { width: n, srcStride: n + 1, dstStride: n + 2 };
    const box = {
      shape: [2, rows, n],
      srcStrides: [n, 0, 1],
      padding: { before: [1, 0, 2], after: [0, 1, 1], value: 1 },
    };
    const [event] = S.allocEvents(1) as [never];
    const to = (k: number) => output.at(k * size).as(d);
    S.dmaTranspose2d(to(0), from, rows, n);
    S.dmaTranspose2d(to(1), from, rows, n, wide);
    S.asyncDmaTranspose2d(to(2), from, n, rows, event);
    S.waitEvents(event);
    S.dmaUpsample(to(3), from, rows, n, scaled);
    S.asyncDmaUpsample(to(4), from, 1, n, event, { scaleW: 2 });
    S.waitEvents(event);
    S.dmaGather(to(5), from, chosen, 4, gathered);
    S.asyncDmaGather(to(6), from, chosen, 2, event, { width: n });
    S.waitEvents(event);
    S.dmaCopy(to(7), from, box);
    S.asyncDmaCopy(to(8), from, { shape: [n] }, event);
    S.waitEvents(event);
    S.freeEvents(event);
  });
  return cell(REARRANGING, name, n, ["plain", "strided", "asynchronous"], moves, row, size * 9);
};
const REARRANGING = [
  "dmaTranspose2d",
  "asyncDmaTranspose2d",
  "dmaUpsample",
  "asyncDmaUpsample",
  "dmaGather",
  "asyncDmaGather",
];

function cell(
  intrinsics: readonly string[],
  dtype: DTypeName,
  lanes: number,
  forms: readonly string[],
  k: unknown,
  row: Row,
  outputBytes: number,
): MemoryCell {
  return {
    ...{ intrinsics, dtype, lanes, forms },
    kernel: asKernel(k),
    input: row.data(),
    outputBytes: outputBytes + 8,
  };
}

/** What makes the cells of each intrinsic that touches memory. */
export const MEMORY_CELLS: Readonly<Record<string, Make>> = {
  vload: load,
  vstore: store,
  vloadGather: gather,
  vstoreScatter: scatter,
  "Ptr.get": scalarAccess,
  "Ptr.set": scalarAccess,
  "Ptr.at": scalarAccess,
  "Ptr.as": scalarAccess,
  dmaCopy: copies,
  asyncDmaCopy: copies,
  dmaMemset: copies,
  asyncDmaMemset: copies,
  ...Object.fromEntries(REARRANGING.map((name) => [name, rearranged])),
};

/** The dtypes of these cells; transfers move whole bytes. */
export function memoryDTypes(intrinsic: string): readonly DTypeName[] {
  const make = MEMORY_CELLS[intrinsic];
  return make === copies || make === rearranged ? WHOLE_BYTE_DTYPES : ALL_DTYPES;
}
