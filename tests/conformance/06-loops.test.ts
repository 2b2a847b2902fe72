/** Which values a loop variable takes: the kernel's loop against the same loop in the test. */
import { i32, kernel, type Ptr, ptr, S } from "kpu-dsl";
import { expect, test } from "vitest";
import { execute } from "../harness/execute.ts";
import { group } from "./group.ts";

const ROOM = 4000;

/** Bounds around zero and around each other. */
const BOUNDS = [-33, -8, -1, 0, 1, 2, 7, 8, 9, 33];
const pairs = BOUNDS.flatMap((a) => BOUNDS.map((b) => [a, b] as const));

/** The loop runs on numbers in JavaScript and in the kernel; `visit` notes a value. */
type Loop = (a: number, b: number, visit: (i: number) => void) => void;

/** As kernels write it, since a kernel takes no callback over runtime values. */
type KernelLoop = (a: number, b: number, out: Ptr<i32>, at: number) => number;

const LOOPS: Record<string, { readonly js: Loop; readonly kpu: KernelLoop }> = {};

function ascending(step: number): void {
  LOOPS[`for, i += ${step}`] = {
    js: (a, b, visit) => {
      for (let i = a; i < b; i += step) visit(i);
    },
    kpu: (a, b, out, at) => {
      for (let i = a; i < b; i += step) out.set(at++, i);
      return at;
    },
  };
  LOOPS[`range, step ${step}`] = {
    js: (a, b, visit) => {
      for (let i = a; i < b; i += step) visit(i);
    },
    kpu: (a, b, out, at) => {
      for (const i of S.range(a, b, step)) out.set(at++, i);
      return at;
    },
  };
}
function descending(step: number): void {
  LOOPS[`for, i -= ${step}`] = {
    js: (a, b, visit) => {
      for (let i = a; i > b; i -= step) visit(i);
    },
    kpu: (a, b, out, at) => {
      for (let i = a; i > b; i -= step) out.set(at++, i);
      return at;
    },
  };
  LOOPS[`for, i -= ${step}, inclusive`] = {
    js: (a, b, visit) => {
      for (let i = a; i >= b; i -= step) visit(i);
    },
    kpu: (a, b, out, at) => {
      for (let i = a; i >= b; i -= step) out.set(at++, i);
      return at;
    },
  };
  LOOPS[`range, step -${step}`] = {
    js: (a, b, visit) => {
      for (let i = a; i > b; i -= step) visit(i);
    },
    kpu: (a, b, out, at) => {
      for (const i of S.range(a, b, -step)) out.set(at++, i);
      return at;
    },
  };
}
for (const step of [1, 2, 3, 8]) {
  ascending(step);
  descending(step);
}
LOOPS["inclusive"] = {
  js: (a, b, visit) => {
    for (let i = a; i <= b; i++) visit(i);
  },
  kpu: (a, b, out, at) => {
    for (let i = a; i <= b; i++) out.set(at++, i);
    return at;
  },
};
LOOPS["until not equal"] = {
  js: (a, b, visit) => {
    for (let i = Math.min(a, b); i !== b; i++) visit(i);
  },
  kpu: (a, b, out, at) => {
    for (let i = Math.min(a, b); i !== b; i++) out.set(at++, i);
    return at;
  },
};
LOOPS["two variables"] = {
  js: (a, b, visit) => {
    for (let i = a, j = b; i < j; i += 2, j--) visit(i * 100 + j);
  },
  kpu: (a, b, out, at) => {
    for (let i = a, j = b; i < j; i += 2, j--) out.set(at++, i * 100 + j);
    return at;
  },
};
LOOPS["the body moves the variable and the bound"] = {
  js: (a, b, visit) => {
    let end = b;
    for (let i = a; i < end; i++) {
      visit(i);
      if (i % 3 === 0) i++;
      if (i % 5 === 0) end--;
    }
  },
  kpu: (a, b, out, at) => {
    let end = b;
    for (let i = a; i < end; i++) {
      out.set(at++, i);
      if (i % 3 === 0) i++;
      if (i % 5 === 0) end--;
    }
    return at;
  },
};
LOOPS["doubling"] = {
  js: (a, b, visit) => {
    for (let i = 1; i < b - a; i *= 2) visit(i);
  },
  kpu: (a, b, out, at) => {
    for (let i = 1; i < b - a; i *= 2) out.set(at++, i);
    return at;
  },
};
LOOPS["halving"] = {
  js: (a, b, visit) => {
    for (let i = Math.abs(a * b); i > 0; i >>= 1) visit(i);
  },
  kpu: (a, b, out, at) => {
    for (let i = Math.abs(a * b); i > 0; i >>= 1) out.set(at++, i);
    return at;
  },
};
LOOPS["nested, the inner bound is the outer variable"] = {
  js: (a, b, visit) => {
    for (let i = a; i < b; i += 4) for (let j = a; j < i; j += 3) visit(i * 100 + j);
  },
  kpu: (a, b, out, at) => {
    for (let i = a; i < b; i += 4) for (let j = a; j < i; j += 3) out.set(at++, i * 100 + j);
    return at;
  },
};
LOOPS["range, whose bounds are evaluated once"] = {
  js: (a, b, visit) => {
    for (let i = a; i < b; i++) visit(i);
  },
  kpu: (a, b, out, at) => {
    let end = b;
    for (const i of S.range(a, end)) {
      out.set(at++, i);
      end = a;
    }
    return at;
  },
};
LOOPS["grid"] = {
  js: (a, b, visit) => {
    for (let y = 0; y < a; y++) for (let x = 0; x < b; x++) visit(100 * y + x);
  },
  kpu: (a, b, out, at) => {
    for (const [y, x] of S.grid(a, b)) out.set(at++, 100 * y + x);
    return at;
  },
};

group(6, () => {
  test.each(Object.entries(LOOPS))("%s", (_, { js, kpu }) => {
    const visits = kernel([ptr(i32), ptr(i32), i32, i32], function visits(out, count, a, b) {
      if (S.tileId() === 0) count.set(0, kpu(a, b, out, 0));
    });
    for (const [a, b] of pairs) {
      const want: number[] = [];
      js(a, b, (i) => want.push(i));
      const out = new Int32Array(ROOM);
      const count = new Int32Array(1);
      execute(visits, [out, count, a, b]);
      expect([...out.subarray(0, count[0])]).toEqual(want);
    }
  });

  test("unrolled: the same values, static", () => {
    const bounds = [
      [0, 0, 1],
      [0, 4, 1],
      [3, 10, 3],
      [5, -2, -2],
      [4, 4, -1],
    ] as const;
    for (const [a, b, step] of bounds) {
      const unrolled = kernel([ptr(i32)], function unrolled(out) {
        if (S.tileId() !== 0) return;
        const slots = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        let at = 0;
        for (const i of S.unroll(a, b, step)) out.set(at++, slots[Math.abs(i)]! + (i < 0 ? -1000 : 0));
        out.set(at, -1);
      });
      const want: number[] = [];
      for (let i: number = a; step > 0 ? i < b : i > b; i += step)
        want.push(Math.abs(i) + (i < 0 ? -1000 : 0));
      const out = new Int32Array(want.length + 1);
      execute(unrolled, [out]);
      expect([...out]).toEqual([...want, -1]);
    }
  });
});
