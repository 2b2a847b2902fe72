/** Lanes moved between positions: `shuffle`, and the halves of reductions. */
import { type Parts, partCount, pin } from "./context.ts";
import type { Code } from "./encoder.ts";

export interface Lanes {
  readonly parts: Parts;
  readonly lanes: number;
}

/**
 * Picks lanes (of `bits` bits) from the concatenation of the sources; -1 gives zero. A part that is a whole source part
 * costs nothing, one from two sources is one shuffle, and each source more is one shuffle more.
 */
export function permute(c: Code, sources: readonly Lanes[], indices: readonly number[], bits: number): Parts {
  const perPart = 128 / bits;
  const step = bits / 8;
  const pinned = sources.map((s) => pin(c, s.parts));
  const place = (index: number): { source: number; part: number; lane: number } => {
    let rest = index;
    let source = 0;
    while (rest >= sources[source]!.lanes) rest -= sources[source++]!.lanes;
    return { source, part: Math.floor(rest / perPart), lane: rest % perPart };
  };
  return {
    count: partCount(indices.length, bits),
    push: (p) => {
      // Which source parts this part needs, and from which byte of which of them each byte comes.
      const needed: { source: number; part: number }[] = [];
      const from = new Array<number>(16).fill(-1);
      const lane = new Array<number>(16).fill(0);
      let zeros = false;
      for (let i = 0; i < perPart; i++) {
        const index = indices[p * perPart + i];
        if (index === undefined) continue;
        if (index < 0) {
          zeros = true;
          for (let b = 0; b < step; b++) from[i * step + b] = -2;
          continue;
        }
        const at = place(index);
        let which = needed.findIndex((n) => n.source === at.source && n.part === at.part);
        if (which < 0) which = needed.push({ source: at.source, part: at.part }) - 1;
        for (let b = 0; b < step; b++) {
          from[i * step + b] = which;
          lane[i * step + b] = at.lane * step + b;
        }
      }
      const pushNeeded = (k: number): void => {
        const n = needed[k]!;
        pinned[n.source]!.push(n.part);
      };
      if (needed.length === 0) {
        c.v32(0);
        return;
      }
      pushNeeded(0);
      const identity = from.every((f, b) => f === -1 || (f === 0 && lane[b] === b));
      if (identity && !zeros) return;
      if (needed.length === 1) {
        if (zeros) c.v32(0);
        else pushNeeded(0);
        c.shuffle(from.map((f, b) => (f === -2 ? 16 : f === -1 ? 0 : lane[b]!)));
        return;
      }
      for (let k = 1; k < needed.length; k++) {
        pushNeeded(k);
        // After the first step the left operand holds every earlier byte in place.
        c.shuffle(
          from.map((f, b) => (f === k ? 16 + lane[b]! : f >= 0 && f < k ? (k === 1 ? lane[b]! : b) : 0)),
        );
      }
      if (zeros) {
        c.v32(0);
        c.shuffle(from.map((f, b) => (f === -2 ? 16 + b : b)));
      }
    },
  };
}

/** Two vectors of lanes of 2 * `bits` bits on the stack -> one of the low or high halves of those lanes. */
export function halves(c: Code, bits: number, half: "low" | "high"): void {
  const step = bits / 8;
  const indices: number[] = [];
  for (let i = half === "low" ? 0 : step; i < 32; i += 2 * step)
    for (let k = 0; k < step; k++) indices.push(i + k);
  c.shuffle(indices);
}
