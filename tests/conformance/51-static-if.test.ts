/** Conditions known when the kernel is made hide code that would not compile; without them the same code is refused. */
import { f32, type IntD, i32, type KpuError, kernel, ptr, S, type Vec } from "kpu-dsl";
import { expect, test } from "vitest";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

interface Hidden {
  /** The code of what is hidden. */
  readonly code: string;
  /** Stores 5 into out[0] when `hide`; else has the code that does not compile. `v` are 8 lanes. */
  readonly body: (out: { set(i: number, v: number): void }, n: number, v: Vec<f32>, hide: boolean) => void;
}
const outside = (n: number): number => n;

const HIDDEN: Readonly<Record<string, Hidden>> = {
  "if: a method that does not exist": {
    code: "KPU2010",
    body: (out, n, _v, hide) => {
      if (hide) out.set(0, 5);
      else (out as unknown as { missing(v: number): void }).missing(n);
    },
  },
  "if without else: saturate on floats": {
    code: "KPU3011",
    body: (out, _n, v, hide) => {
      if (!hide) S.vadd(v as unknown as Vec<IntD>, 1, { saturate: true } as never);
      out.set(0, 5);
    },
  },
  "ternary: an op that floats do not have": {
    code: "KPU3001",
    body: (out, _n, v, hide) => {
      const w = hide ? v : S.vand(v as never, 1);
      out.set(0, hide ? 5 : (w as Vec<f32>).at(0));
    },
  },
  "&&: a host function of a runtime value": {
    code: "KPU2004",
    body: (out, n, _v, hide) => {
      const used = !hide && Object.is(n, 3);
      out.set(0, used ? 4 : 5);
    },
  },
  "||: an index that may be fractional": {
    code: "KPU3005",
    body: (out, n, _v, hide) => {
      hide || out.set(n / 3, 1);
      out.set(0, 5);
    },
  },
  "??: lanes that do not exist": {
    code: "KPU3010",
    body: (out, _n, _v, hide) => {
      const lanes = hide ? 8 : undefined;
      const w = lanes ?? S.vbcast(0, f32, 0).at(0);
      out.set(0, hide ? 5 : w);
    },
  },
  "switch: lane counts that differ": {
    code: "KPU3002",
    body: (out, _n, v, hide) => {
      switch (hide ? "plain" : "other") {
        case "plain":
          out.set(0, 5);
          break;
        default:
          S.vadd(v, S.vbcast(1, f32, 3));
      }
    },
  },
  "early return: a literal that does not fit": {
    code: "KPU3003",
    body: (out, _n, _v, hide) => {
      out.set(0, 5);
      if (hide) return;
      S.vadd(S.vbcast(1, i32, 8), 2 ** 40);
    },
  },
  "a loop of no rounds: a vector as a number": {
    code: "KPU3006",
    body: (out, _n, v, hide) => {
      for (const _ of S.unroll(hide ? 0 : 1)) out.set(1, (v as unknown as number) + 1);
      out.set(0, 5);
    },
  },
  "a helper that is not called: recursion": {
    code: "KPU2005",
    body: (out, n, _v, hide) => {
      const endless = (m: number): number => (m > 0 ? endless(m - 1) : 0);
      out.set(0, hide ? 5 : endless(n));
    },
  },
  "typeof of a parameter's absence: a string of runtime values": {
    code: "KPU1010",
    body: (out, n, _v, hide) => {
      if (typeof hide === "boolean" && hide) out.set(0, 5);
      else out.set(0, `${n}`.length);
    },
  },
  "nested: all conditions static": {
    code: "KPU3001",
    body: (out, _n, v, hide) => {
      if (hide ? true : outside(1) > 2) {
        if (hide && v.lanes === 8) out.set(0, 5);
      } else {
        if (!hide) S.vclz(v as never);
        else out.set(0, 6);
      }
    },
  },
};

/** Templates that choose by a dtype or an option, as kernels do. */
group(51, () => {
  test.each(Object.entries(HIDDEN))("%s", (_, { body, code }) => {
    const make = (hide: boolean) =>
      kernel([ptr(i32), ptr(f32), i32], function hidden(out, x, n) {
        body(out, n, S.vload(x), hide);
      });
    const args = (): [Int32Array, Float32Array, number] => [new Int32Array(2), new Float32Array(8), 3];
    const good = args();
    execute(make(true), good, { tiles: 1 });
    expect(good[0][0]).toBe(5);
    let error: unknown;
    try {
      execute(make(false), args(), { tiles: 1 });
    } catch (e) {
      error = e;
    }
    expect((error as KpuError | undefined)?.code).toBe(code);
    expect((error as KpuError).diagnostics[0]?.location?.file).toMatch(/51-static-if/);
  });
});
