/** Bugs of memory: beyond a buffer, before the first write, without a mask, into what is constant. */
import {
  after,
  alloc,
  type Bench,
  before,
  block,
  drop,
  fill,
  type Gadget,
  lanesOf,
  line,
  type MutationKind,
  replace,
  rewrite,
  use,
} from "./gadget.ts";

const near = (b: Bench): string => b.m.r.pick(["local", "l2", "private"]);

/** A filled buffer of `size` elements in a near scope. */
function buffer(
  b: Bench,
  size = b.size,
): { name: string; setup: ReturnType<typeof line>[]; first: ReturnType<typeof fill> } {
  const name = b.name("buf");
  return { name, setup: [alloc(b, name, size, near(b))], first: fill(b, name, size, "init") };
}

/** A gadget over one filled buffer: `steps` use it. */
function over(
  b: Bench,
  steps: (name: string) => readonly ReturnType<typeof line>[],
  plant: (name: string) => Gadget["plant"],
  size = b.size,
): Gadget {
  const { name, setup, first } = buffer(b, size);
  return { setup, steps: [first, ...b.noise(), ...steps(name)], end: [], plant: plant(name) };
}

/** A runtime number that is `n`: the checker cannot know it. */
function runtime(b: Bench, n: number): string {
  const p = b.param("i32", 1, true);
  return n === 1 ? `${p}.get(0)` : `(${p}.get(0) * ${n})`;
}

export const MEMORY_BUGS: readonly MutationKind[] = [
  {
    name: "never written",
    codes: ["KPU4002"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [use(b, n, b.size)],
        () => drop("init"),
      ),
  },
  {
    name: "last element never written",
    codes: ["KPU4002"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [use(b, n, b.size)],
        (n) => replace("init", line(`S.dmaMemset(${n}, ${b.value}, ${b.size - 1})`)),
      ),
  },
  {
    name: "first element never written",
    codes: ["KPU4002"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [use(b, n, b.size)],
        (n) => replace("init", line(`S.dmaMemset(${n}.at(1), ${b.value}, ${b.size - 1})`)),
      ),
  },
  {
    name: "read before the write",
    codes: ["KPU4002"],
    tiles: 1,
    make: (b) => {
      const { name, setup, first } = buffer(b);
      return {
        setup,
        steps: [first, ...b.noise()],
        end: [],
        once: true,
        plant: before("init", use(b, name, b.size)),
      };
    },
  },
  {
    name: "written on one branch only",
    codes: ["KPU4002"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [use(b, n, b.size)],
        (n) => replace("init", block(`if (${runtime(b, 1)} === 0)`, [fill(b, n, b.size)])),
      ),
  },
  {
    name: "inactive lanes never written",
    codes: ["KPU4002"],
    tiles: 1,
    make: (b) => {
      const name = b.name("buf");
      const store = line(`S.vstore(${lanesOf(b)}, ${name})`, "init");
      const masked = line(
        `S.vstore(${lanesOf(b)}, ${name}, { mask: S.tailMask(${b.lanes - 1}, ${b.lanes}) })`,
      );
      return {
        setup: [alloc(b, name, b.lanes, near(b))],
        steps: [store, ...b.noise(), use(b, name, b.lanes)],
        end: [],
        plant: replace("init", masked),
      };
    },
  },
  {
    name: "get past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const out = b.param(b.dtype, b.tiles);
      return over(
        b,
        (n) => [line(`${out}.set(S.tileId(), ${n}.get(${runtime(b, b.size)} - 1))`, "get")],
        () => rewrite("get", " - 1)", ")"),
      );
    },
  },
  {
    name: "get before the start",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const out = b.param(b.dtype, b.tiles);
      return over(
        b,
        (n) => [line(`${out}.set(S.tileId(), ${n}.get(${runtime(b, 1)} - 1))`, "get")],
        () => rewrite("get", " - 1)", " - 2)"),
      );
    },
  },
  {
    name: "set past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const i = b.name("i");
      return over(
        b,
        (n) => [
          block(`for (let ${i} = 0; ${i} < ${b.size}; ${i}++)`, [line(`${n}.set(${i}, ${b.value})`)], "loop"),
        ],
        () => rewrite("loop", "<", "<="),
      );
    },
  },
  {
    name: "vload past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const i = b.name("i");
      const v = b.name("v");
      const any =
        b.dtype === "bool"
          ? `S.assert(${v}.at(0) || true, "any")`
          : `S.assert(${v}.at(0) === 0 || true, "any")`;
      const body = [
        line(`const ${v} = S.vload(S.view(${"BUF"}, ${b.size}).at(${i}), { lanes: ${b.lanes} })`),
        line(any),
      ];
      return over(
        b,
        (n) => [
          block(
            `for (let ${i} = 0; ${i} < ${b.size - b.lanes + 1}; ${i}++)`,
            body.map((s) => named(s, n)),
            "loop",
          ),
        ],
        () => rewrite("loop", `< ${b.size - b.lanes + 1}`, `<= ${b.size - b.lanes + 1}`),
      );
    },
  },
  {
    name: "vstore past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [line(`S.vstore(${lanesOf(b)}, ${n}.at(${runtime(b, b.size)} - ${b.lanes}))`, "store")],
        () => rewrite("store", ` - ${b.lanes})`, ` - ${b.lanes - 1})`),
      ),
  },
  {
    name: "strided access past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [line(`S.vstore(${lanesOf(b)}, ${n}, { stride: 2 })`, "store")],
        (n) => replace("store", line(`S.vstore(${lanesOf(b)}, ${n}.at(2), { stride: 2 })`)),
        b.lanes * 2 - 1,
      ),
  },
  {
    name: "gather past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const out = b.param(b.dtype, b.lanes * b.tiles);
      const load = (n: string, i: string): string =>
        `S.vstore(S.vloadGather(${n}, S.vbcast(${i}, i32, ${b.lanes})), ${out}.at(S.tileId() * ${b.lanes}))`;
      const last = `S.i32(${runtime(b, b.size)} - 1)`;
      return over(
        b,
        (n) => [line(load(n, last), "gather")],
        () => rewrite("gather", " - 1)", ")"),
      );
    },
  },
  {
    name: "scatter past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [
          line(
            `S.vstoreScatter(${lanesOf(b)}, ${n}, S.vbcast(S.i32(${runtime(b, b.size)} - 1), i32, ${b.lanes}))`,
            "scatter",
          ),
        ],
        () => rewrite("scatter", " - 1)", ")"),
      ),
  },
  {
    name: "transfer past the end of its source",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const out = b.param(b.dtype, (b.size + 1) * b.tiles);
      return over(
        b,
        (n) => [
          line(`S.dmaCopy(${out}.at(S.tileId() * ${b.size + 1}), ${n}, ${runtime(b, b.size)} + 0)`, "copy"),
        ],
        () => rewrite("copy", " + 0)", " + 1)"),
      );
    },
  },
  {
    name: "rows past the end of their destination",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const src = b.param(b.dtype, b.size * 2, true);
      const rows = (n: string, times: number): string =>
        `S.dmaCopy(${n}, ${src}, ${b.size / 2}, { times: ${times} })`;
      return over(
        b,
        (n) => [line(rows(n, 2), "copy")],
        (n) => replace("copy", line(rows(n, 3))),
      );
    },
  },
  {
    name: "fill past the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) =>
      over(
        b,
        (n) => [line(`S.dmaMemset(${n}.at(1), ${b.value}, ${b.size - 1})`, "fill")],
        () => rewrite("fill", `${b.size - 1})`, `${b.size})`),
      ),
  },
  {
    name: "mask dropped from a tail load",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const count = b.size + b.lanes - 1;
      const i = b.name("i");
      const out = b.param(b.dtype, (b.size + 2 * b.lanes) * b.tiles);
      const mask = `S.tailMask(${count} - ${i}, ${b.lanes})`;
      const load = (n: string, o: string): string =>
        `S.vstore(S.vload(${n}.at(${i}), ${o}), ${out}.at(S.tileId() * ${b.size + 2 * b.lanes} + ${i}))`;
      return over(
        b,
        (n) => [
          block(`for (let ${i} = 0; ${i} < ${count}; ${i} += ${b.lanes})`, [
            line(load(n, `{ mask: ${mask} }`), "load"),
          ]),
        ],
        (n) => replace("load", line(load(n, `{ lanes: ${b.lanes} }`))),
        count,
      );
    },
  },
  {
    name: "mask dropped from a tail store",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const count = b.size + b.lanes - 1;
      const i = b.name("i");
      const mask = `, { mask: S.tailMask(${count} - ${i}, ${b.lanes}) }`;
      return over(
        b,
        (n) => [
          block(`for (let ${i} = 0; ${i} < ${count}; ${i} += ${b.lanes})`, [
            line(`S.vstore(${lanesOf(b)}, ${n}.at(${i})${mask})`, "store"),
          ]),
        ],
        () => rewrite("store", mask, ""),
        count,
      );
    },
  },
  {
    name: "pointer walked off the end",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const p = b.name("p");
      const i = b.name("i");
      return over(
        b,
        (n) => [
          line(`let ${p} = ${n}.at(0)`),
          block(
            `for (let ${i} = 0; ${i} < ${b.size}; ${i}++)`,
            [line(`${p}.set(0, ${b.value})`), line(`${p} = ${p}.at(1)`)],
            "walk",
          ),
        ],
        () => rewrite("walk", `< ${b.size};`, `< ${b.size + 1};`),
      );
    },
  },
  {
    name: "overrun into the next allocation",
    codes: ["KPU4001"],
    tiles: 1,
    make: (b) => {
      const { name, setup, first } = buffer(b);
      const other = b.name("buf");
      return {
        setup: [...setup, alloc(b, other, b.size, "local")],
        steps: [
          first,
          fill(b, other, b.size),
          ...b.noise(),
          line(`${name}.set(${runtime(b, b.size)} - 1, ${b.value})`, "set"),
          use(b, other, b.size),
        ],
        end: [],
        plant: rewrite("set", " - 1,", ","),
      };
    },
  },
  {
    name: "write through a const pointer",
    codes: ["KPU3012"],
    tiles: 1,
    make: (b) => {
      const input = b.param(b.dtype, b.size, true);
      const way = b.m.r.pick([
        `${input}.set(0, ${b.value})`,
        `S.vstore(${lanesOf(b)}, ${input})`,
        `S.dmaMemset(${input}, ${b.value}, 1)`,
      ]);
      return over(
        b,
        (n) => [line(`S.dmaCopy(${n}, ${input}, ${b.size})`, "read")],
        () => after("read", line(way)),
      );
    },
  },
  {
    name: "source and destination overlap",
    codes: ["KPU4009"],
    tiles: 1,
    make: (b) => {
      const half = b.size / 2;
      return over(
        b,
        (n) => [line(`S.dmaCopy(${n}, ${n}.at(${half}), ${half})`, "copy")],
        () => rewrite("copy", `.at(${half})`, `.at(${half - 1})`),
      );
    },
  },
  {
    name: "more than a scope holds",
    codes: ["KPU4003"],
    tiles: 1,
    make: (b) => {
      const big = b.name("big");
      const { name, setup, first } = buffer(b);
      const scope = b.m.r.pick(["local", "private", "l2"]);
      const make = (count: number): ReturnType<typeof line> =>
        line(`const ${big} = S.alloc(u8, ${count}, "${scope}")`);
      return {
        setup: [...setup, { ...make(16), mark: "big" }],
        steps: [first, use(b, name, b.size), line(`S.dmaMemset(${big}, 1, 16)`)],
        end: [],
        plant: replace("big", make(1 << 22)),
      };
    },
  },
  {
    name: "division by a count of zero",
    codes: ["KPU3013"],
    tiles: 1,
    make: (b) => {
      const out = b.param("i32", b.tiles);
      return over(
        b,
        (n) => [
          use(b, n, b.size),
          line(`${out}.set(S.tileId(), S.ceildiv(${b.size}, ${runtime(b, 1)} - 0))`, "div"),
        ],
        () => rewrite("div", " - 0)", " - 1)"),
      );
    },
  },
];

/** The statement with the buffer's name in place of BUF. */
function named(s: ReturnType<typeof line>, name: string): ReturnType<typeof line> {
  return {
    ...s,
    heads: s.heads.map((h) => ({ ...h, parts: h.parts.map((p) => p.replaceAll("BUF", name)) })),
  };
}
