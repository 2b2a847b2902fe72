/** Bugs of synchronisation: races between tiles, barriers that not all reach, transfers and events used wrongly. */
import {
  after,
  alloc,
  type Bench,
  before,
  block,
  drop,
  fill,
  type Gadget,
  line,
  type MutationKind,
  replace,
  rewrite,
  unwrap,
  use,
} from "./gadget.ts";
import type { Stmt } from "./tree.ts";

const own = (b: Bench, name: string, turn = 0): string =>
  turn === 0
    ? `${name}.at(S.tileId() * ${b.size})`
    : `${name}.at(((S.tileId() + ${turn}) % S.tileCount()) * ${b.size})`;

/** A shared buffer with a part per tile. */
function shared(b: Bench): { name: string; setup: Stmt } {
  const name = b.name("all");
  return { name, setup: alloc(b, name, b.size * b.tiles, b.m.r.pick(["l3", "global"])) };
}

const barrier = (mark?: string): Stmt => line("S.barrier()", mark);

/** Every tile fills its part; then all read the next tile's. */
function exchange(b: Bench, plant: (name: string) => Gadget["plant"], between: readonly Stmt[] = []): Gadget {
  const { name, setup } = shared(b);
  return {
    setup: [setup],
    steps: [
      fill(b, own(b, name), b.size),
      barrier(),
      fill(b, own(b, name), b.size, "write"),
      ...b.noise(),
      ...between,
      barrier("barrier"),
      use(b, own(b, name, 1), b.size, "read"),
      ...b.noise(),
      barrier("second"),
    ],
    end: [],
    plant: plant(name),
  };
}

interface Flying {
  readonly event: string;
  readonly src: string;
  readonly dst: string;
  readonly start: string;
  readonly g: Gadget;
}

/** A transfer on an event, waited for, then read. */
function flying(
  b: Bench,
  plant: (f: Omit<Flying, "g">) => Gadget["plant"],
  o: { readonly quiet?: boolean } = {},
): Gadget {
  const event = b.name("ev");
  const src = b.name("src");
  const dst = b.name("dst");
  const scope = b.m.r.pick(["local", "l2"]);
  const start = `S.asyncDmaCopy(${dst}, ${src}, ${b.size}, ${event})`;
  return {
    setup: [
      alloc(b, src, b.size, scope),
      alloc(b, dst, b.size, scope),
      line(`const [${event}] = S.allocEvents(1)`, "events"),
    ],
    steps: [
      fill(b, src, b.size, "source"),
      fill(b, dst, b.size, "target"),
      line(start, "start"),
      ...b.noise(),
      line(`S.waitEvents(${event})`, "wait"),
      ...(o.quiet ? [] : [use(b, dst, b.size, "read")]),
    ],
    end: [line(`S.freeEvents(${event})`, "free")],
    plant: plant({ event, src, dst, start }),
  };
}

const touch = (b: Bench, p: string): Stmt => line(`${p}.set(${b.m.r.below(b.size)}, ${b.value})`);

export const SYNC_BUGS: readonly MutationKind[] = [
  {
    name: "barrier dropped before a read",
    codes: ["KPU4006"],
    tiles: 2,
    make: (b) => exchange(b, () => drop("barrier")),
  },
  {
    name: "barrier dropped before an overwrite",
    codes: ["KPU4006"],
    tiles: 2,
    make: (b) => {
      return { ...exchange(b, (n) => after("read", fill(b, own(b, n), b.size))), once: true };
    },
  },
  {
    name: "tile ranges overlap",
    codes: ["KPU4006"],
    tiles: 2,
    make: (b) => {
      const { name, setup } = shared(b);
      return {
        setup: [setup],
        steps: [
          barrier(),
          line(`S.dmaMemset(${own(b, name)}, ${b.value}, ${b.size})`, "write"),
          ...b.noise(),
          barrier(),
        ],
        end: [],
        plant: rewrite("write", `* ${b.size})`, `* ${b.size - 1})`),
      };
    },
  },
  {
    name: "every tile writes one element",
    codes: ["KPU4006"],
    tiles: 2,
    make: (b) => {
      const out = b.param(b.dtype, 1);
      return {
        setup: [],
        steps: [
          block("if (S.tileId() === 0)", [line(`${out}.set(0, ${b.value})`)], "guard"),
          ...b.noise(),
          barrier(),
        ],
        end: [],
        plant: unwrap("guard"),
      };
    },
  },
  {
    name: "one tile reads what another writes",
    codes: ["KPU4006"],
    tiles: 2,
    make: (b) => {
      const data = b.param(b.dtype, b.size);
      const out = b.param(b.dtype, b.tiles);
      return {
        setup: [],
        steps: [
          block("if (S.tileId() === 0)", [
            touch(b, data),
            line(`S.dmaMemset(${data}, ${b.value}, ${b.size})`),
          ]),
          barrier("barrier"),
          line(`${out}.set(S.tileId(), ${data}.get(${b.m.r.below(b.size)}))`),
          ...b.noise(),
          barrier(),
        ],
        end: [],
        plant: drop("barrier"),
      };
    },
  },
  {
    name: "barrier under a condition on the tile",
    codes: ["KPU5001", "KPU5002", "KPU5003"],
    tiles: 2,
    make: (b) => exchange(b, () => replace("second", block("if (S.tileId() === 0)", [barrier()]))),
  },
  {
    name: "barrier in a loop of the tile's length",
    codes: ["KPU5001", "KPU5002", "KPU5003"],
    tiles: 2,
    make: (b) => {
      const i = b.name("i");
      const loop = (bound: string): Stmt =>
        block(`for (let ${i} = 0; ${i} < ${bound}; ${i}++)`, [...b.noise(), barrier()], "loop");
      return {
        setup: [],
        steps: [loop("2")],
        end: [],
        once: true,
        plant: rewrite("loop", "< 2", "< S.tileId() + 1"),
      };
    },
  },
  {
    name: "return before a barrier",
    codes: ["KPU5001", "KPU5002", "KPU5003"],
    tiles: 2,
    events: false,
    make: (b) =>
      exchange(b, () => before("barrier", block(`if (S.tileId() === ${b.tiles - 1})`, [line("return")]))),
  },
  {
    name: "wait dropped",
    codes: ["KPU4005"],
    tiles: 1,
    make: (b) => ({ ...flying(b, () => drop("wait")), once: true }),
  },
  {
    name: "destination read in flight",
    codes: ["KPU4005"],
    tiles: 1,
    make: (b) => flying(b, ({ dst }) => after("start", use(b, dst, b.size))),
  },
  {
    name: "destination written in flight",
    codes: ["KPU4005"],
    tiles: 1,
    make: (b) => flying(b, ({ dst }) => after("start", touch(b, dst))),
  },
  {
    name: "source written in flight",
    codes: ["KPU4005"],
    tiles: 1,
    make: (b) => flying(b, ({ src }) => after("start", touch(b, src))),
  },
  {
    name: "two transfers into one destination",
    codes: ["KPU4005"],
    tiles: 1,
    make: (b) =>
      flying(b, ({ dst }) => after("start", line(`S.dmaMemset(${dst}.at(${b.size - 1}), ${b.value}, 1)`))),
  },
  {
    name: "waited twice",
    codes: ["KPU5004"],
    tiles: 1,
    make: (b) => flying(b, ({ event }) => after("wait", line(`S.waitEvents(${event})`))),
  },
  {
    name: "wait before the start",
    codes: ["KPU5004"],
    tiles: 1,
    make: (b) => ({
      ...flying(b, ({ event }) => before("start", line(`S.waitEvents(${event})`))),
      once: true,
    }),
  },
  {
    name: "start dropped",
    codes: ["KPU5004"],
    tiles: 1,
    make: (b) => flying(b, () => drop("start")),
  },
  {
    name: "event never freed",
    codes: ["KPU5006"],
    tiles: 1,
    make: (b) => flying(b, () => drop("free")),
  },
  {
    name: "event freed in flight",
    codes: ["KPU5006"],
    tiles: 1,
    make: (b) => ({ ...flying(b, () => drop("wait"), { quiet: true }), once: true }),
  },
  {
    name: "event reused in flight",
    codes: ["KPU5005"],
    tiles: 1,
    make: (b) => {
      const other = b.name("dst");
      const g = flying(b, ({ event }) =>
        after("start", line(`S.asyncDmaMemset(${other}, ${b.value}, ${b.size}, ${event})`)),
      );
      return {
        ...g,
        setup: [...g.setup, alloc(b, other, b.size, "local")],
        steps: [...g.steps, fill(b, other, b.size)],
      };
    },
  },
  {
    name: "event used after it was freed",
    codes: ["KPU5008"],
    tiles: 1,
    make: (b) => ({
      ...flying(b, ({ start, event }) => after("free", line(start), line(`S.waitEvents(${event})`))),
    }),
  },
  {
    name: "more events than the target has",
    codes: ["KPU5007"],
    tiles: 1,
    make: (b) => flying(b, () => after("events", line(`const ${b.name("many")} = S.allocEvents(16)`))),
  },
  {
    name: "waits for the wrong event",
    codes: ["KPU4005", "KPU5004"],
    tiles: 1,
    make: (b) => {
      // Two halves, double buffered: each is waited for before it is used.
      const [e0, e1] = [b.name("ev"), b.name("ev")];
      const src = b.param(b.dtype, b.size * 2, true);
      const [d0, d1] = [b.name("dst"), b.name("dst")];
      return {
        setup: [
          alloc(b, d0, b.size, "local"),
          alloc(b, d1, b.size, "local"),
          line(`const [${e0}, ${e1}] = S.allocEvents(2)`),
        ],
        steps: [
          line(`S.asyncDmaCopy(${d0}, ${src}, ${b.size}, ${e0})`),
          line(`S.asyncDmaCopy(${d1}, ${src}.at(${b.size}), ${b.size}, ${e1})`),
          ...b.noise(),
          line(`S.waitEvents(${e0})`, "first"),
          use(b, d0, b.size),
          line(`S.waitEvents(${e1})`, "second"),
          use(b, d1, b.size),
        ],
        end: [line(`S.freeEvents(${e0}, ${e1})`)],
        plant: (g) => rewrite("second", e1, e0)(rewrite("first", e0, e1)(g)),
      };
    },
  },
  {
    name: "barrier instead of a wait",
    codes: ["KPU4005"],
    tiles: 2,
    make: (b) => {
      // The owner of each part waits for its transfer before the barrier that shows the part to the others.
      const event = b.name("ev");
      const { name, setup } = shared(b);
      const src = b.param(b.dtype, b.size, true);
      return {
        setup: [setup, line(`const [${event}] = S.allocEvents(1)`)],
        steps: [
          barrier(),
          line(`S.asyncDmaCopy(${own(b, name)}, ${src}, ${b.size}, ${event})`),
          ...b.noise(),
          line(`S.waitEvents(${event})`, "wait"),
          barrier("meet"),
          use(b, own(b, name, 1), b.size, "read"),
          barrier("again"),
        ],
        end: [line(`S.freeEvents(${event})`)],
        plant: (g) => before("again", line(`S.waitEvents(${event})`))(drop("wait")(g)),
      };
    },
  },
  {
    name: "allocation that depends on the tile",
    codes: ["KPU4004"],
    tiles: 2,
    make: (b) => {
      const odd = b.name("odd");
      const conditional = block("if (S.tileId() === 0)", [
        line(`const ${odd} = S.alloc(${b.dtype}, ${b.size}, "l3")`),
        fill(b, odd, b.size),
      ]);
      return exchange(b, () => after("write", conditional));
    },
  },
];
