/** What the checks cost per access: vectors of 8 lanes and single elements, directly and compiled. */
import { build, createDevice, f32, i32, kernel, ptr, S, type SimulateOptions, simulate } from "kpu-dsl";
import { sharedAdd } from "./kernels.ts";
import { bestOf, type Row } from "./measure.ts";

const N = 1 << 15;
/** With one tile there are no races to look for. */
const TILES = 2;

/** Two reads and a write per element; each tile has one run of them. */
const elementAdd = kernel([ptr(f32), ptr(f32), ptr(f32), i32], function elementAdd(out, x, y, n) {
  const part = S.ceildiv(n, S.tileCount());
  const end = Math.min((S.tileId() + 1) * part, n);
  for (let i = S.tileId() * part; i < end; i++) out.set(i, x.get(i) + y.get(i));
});

const KERNELS = [
  // Vectors go round the tiles.
  { what: "vector of 8 f32", kernel: sharedAdd, accesses: (3 * N) / 8 },
  { what: "single f32", kernel: elementAdd, accesses: 3 * N },
] as const;

/** Direct execution checks bounds always: memory safety is not an option there. */
const DIRECT: readonly (readonly [string, SimulateOptions["checks"]])[] = [
  ["all checks", true],
  ["bounds and initialisation", { race: false, transfers: false }],
  ["bounds and races", { init: false, transfers: false }],
  ["bounds only", false],
];

const zeros = (): Float32Array => new Float32Array(N);

export function checkRows(): Row[] {
  const rows: Row[] = [];
  const add = (name: string, ms: number, accesses: number): void => {
    rows.push({ name, value: (ms * 1e6) / accesses, unit: "ns per access" });
  };
  for (const { what, kernel: k, accesses } of KERNELS) {
    const args = [zeros(), zeros(), zeros(), N] as const;
    for (const [label, checks] of DIRECT) {
      const ms = bestOf(() => simulate(k, args, { tiles: TILES, checks: checks ?? true }));
      add(`direct, ${what}, ${label}`, ms, accesses);
    }
    for (const checks of [true, false]) {
      const program = build(k, { checks, target: "edge" });
      const device = createDevice();
      const [out, x, y] = [device.alloc(f32, N), device.alloc(f32, N), device.alloc(f32, N)];
      const ms = bestOf(() => program.runWith({ tiles: TILES, device }, out, x, y, N));
      add(`compiled, ${what}, checks ${checks ? "on" : "off"}`, ms, accesses);
    }
  }
  return rows;
}
