/** Functions of two or three vectors, run over rows of data by a kernel of their own in the execution of this project. */
import { type DType, type DTypeName, dtypeOf, i32, kernel, type NumD, ptr, S, type Vec } from "kpu-dsl";
import { type HostArray, hostArray, numbersOf } from "./arrays.ts";
import { execute } from "./execute.ts";

export interface Rows {
  readonly dtype: DTypeName;
  readonly lanes: number;
  /** Lanes of every row, one row after the other. */
  readonly values: readonly number[];
}

type Call = (...v: Vec<NumD>[]) => Vec<NumD>;

/** What `call` gives, row after row. A static function: it is inlined into the kernel. */
export function rowByRow(call: unknown, operands: readonly Rows[], result: Omit<Rows, "values">): number[] {
  return eachRow([call], operands, result)[0] as number[];
}

/** What each of `calls` gives, in one kernel: an array for every call. */
export function eachRow(
  calls: readonly unknown[],
  operands: readonly Rows[],
  result: Omit<Rows, "values">,
): number[][] {
  const fs = calls as readonly Call[];
  const [x, y, z] = [0, 1, 2].map((i) => operands[i] ?? (operands[0] as Rows)) as [Rows, Rows, Rows];
  const count = x.values.length / x.lanes;
  const type = (r: Omit<Rows, "values">): NumD => dtypeOf(r.dtype) as DType as NumD;
  const [xl, yl, zl, ol, arity] = [x.lanes, y.lanes, z.lanes, result.lanes, operands.length];
  const k = kernel(
    [ptr(type(result)), ptr(type(x)), ptr(type(y)), ptr(type(z)), i32],
    function rows(out, px, py, pz, n) {
      for (let row = S.tileId(); row < n; row += S.tileCount()) {
        const a = S.vload(px.at(row * xl), { lanes: xl });
        const b = S.vload(py.at(row * yl), { lanes: yl });
        const c = S.vload(pz.at(row * zl), { lanes: zl });
        for (const k of S.unroll(fs.length)) {
          const f = fs[k]!;
          S.vstore(arity === 1 ? f(a) : arity === 2 ? f(a, b) : f(a, b, c), out.at((k * n + row) * ol));
        }
      }
    },
  );
  const all = count * ol;
  const out: HostArray = hostArray(result.dtype, new Array<number>(all * fs.length).fill(0));
  const host = (r: Rows): HostArray => hostArray(r.dtype, r.values);
  execute(k, [out, host(x), host(y), host(z), count]);
  const numbers = numbersOf(result.dtype, out);
  return fs.map((_, k) => numbers.slice(k * all, (k + 1) * all));
}
