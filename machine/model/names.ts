/** Names of units and servers in reports. */
import type { Program } from "./program.ts";
import { serversOf } from "./state.ts";

export function coreName(tile: number): string {
  return `tile.${tile}.core`;
}

/** Of all units, in order; those that stand alone in their tile have no number. */
export function unitNames({ classes }: Program): readonly string[] {
  return classes.flatMap(({ kind, tile, count }) => {
    const kindName = tile < 0 ? kind : `tile.${tile}.${kind}`;
    const numbered = kind === "dma" || count > 1;
    return Array.from({ length: count }, (_, i) => (numbered ? `${kindName}.${i}` : kindName));
  });
}

/** As network.ts numbers the links of a node. */
const DIRECTIONS = ["east", "west", "south", "north"] as const;

/** Of all servers, in order. */
export function serverNames(program: Program): readonly string[] {
  const servers = serversOf(program);
  return Array.from({ length: servers.count }, (_, s) => {
    if (s < servers.l3) return `dram.${s}`;
    if (s < servers.l2) return `l3.${s - servers.l3}`;
    if (s < servers.sfu) return `tile.${s - servers.l2}.l2`;
    if (s < servers.link) return `tile.${s - servers.sfu}.sfu`;
    const link = s - servers.link;
    return `noc.${link >> 2}.${DIRECTIONS[link & 3]!}`;
  });
}
