/**
 * Where compute tiles, L3 tiles and DMA engines sit, and which links a transfer passes.
 *
 * The nodes form a grid as square as they allow, numbered row by row, every other row backwards. L3 tiles are spread
 * evenly among the compute tiles in that order, so that equally many of both make a checkerboard. DMA engines sit beside
 * the grid: even ones at the left edge, odd ones at the right edge, spread evenly over the rows; they use the node there.
 *
 * Routes go along the row first, then along the column. A torus takes the shorter way round, and the increasing direction where
 * both are equal. Each pair of neighbours has one link per direction.
 */
import type { MachineConfig } from "../schema.ts";

export interface Route {
  /** Numbers of the links, in order. */
  readonly links: readonly number[];
  readonly hops: number;
}

const HERE: Route = { links: [], hops: 0 };

export class Network {
  readonly columns: number;
  readonly rows: number;
  /** Links of the whole grid, 4 for each node; of a machine without a network none. */
  readonly links: number;
  /** Node of each compute tile, L3 tile and DMA engine. */
  readonly tileNodes: readonly number[];
  readonly l3Nodes: readonly number[];
  readonly dmaNodes: readonly number[];
  readonly #topology: MachineConfig["noc"]["topology"];
  /** From each node to each node, as they are asked for. */
  readonly #routes: (Route | undefined)[][];

  constructor({ noc, tile, l3, dma }: Pick<MachineConfig, "noc" | "tile" | "l3" | "dma">) {
    const nodes = tile.count + l3.tiles;
    this.columns = Math.ceil(Math.sqrt(nodes));
    this.rows = Math.ceil(nodes / this.columns);
    this.#topology = noc.topology;
    this.links = noc.topology === "none" ? 0 : 4 * this.columns * this.rows;
    this.#routes = Array.from({ length: this.columns * this.rows }, () => []);
    const tileNodes: number[] = [];
    const l3Nodes: number[] = [];
    for (let place = 0; place < nodes; place++) {
      const row = Math.floor(place / this.columns);
      const along = place % this.columns;
      const node = row * this.columns + (row % 2 === 0 ? along : this.columns - 1 - along);
      const before = Math.floor((place * l3.tiles) / nodes);
      const isL3 = Math.floor(((place + 1) * l3.tiles) / nodes) > before;
      (isL3 ? l3Nodes : tileNodes).push(node);
    }
    this.tileNodes = tileNodes;
    this.l3Nodes = l3Nodes;
    const perSide = Math.ceil(dma.engines / 2);
    this.dmaNodes = Array.from({ length: dma.engines }, (_, e) => {
      const row = Math.floor(((e >> 1) * this.rows) / perSide);
      return row * this.columns + (e % 2 === 0 ? 0 : this.columns - 1);
    });
  }

  route(from: number, to: number): Route {
    if (from === to || this.links === 0) return HERE;
    const routes = this.#routes[from]!;
    return (routes[to] ??= this.#walk(from, to));
  }

  #walk(from: number, to: number): Route {
    const { columns, rows } = this;
    const links: number[] = [];
    let x = from % columns;
    let y = Math.floor(from / columns);
    const toX = to % columns;
    const toY = Math.floor(to / columns);
    const across = this.#step(x, toX, columns);
    while (x !== toX) {
      links.push(4 * (y * columns + x) + (across > 0 ? 0 : 1));
      x = (x + across + columns) % columns;
    }
    const down = this.#step(y, toY, rows);
    while (y !== toY) {
      links.push(4 * (y * columns + x) + (down > 0 ? 2 : 3));
      y = (y + down + rows) % rows;
    }
    return { links, hops: links.length };
  }

  #step(from: number, to: number, size: number): 1 | -1 {
    if (this.#topology === "mesh") return to > from ? 1 : -1;
    const ahead = (to - from + size) % size;
    return ahead <= size - ahead ? 1 : -1;
  }
}
