/** All kernels of the unit; templates at the numbers of columns that tests run. */
import { density } from "./density.ts";
import { ENTROPY_SUMS } from "./entropy.ts";
import { columnRange, countCells, digitize } from "./histogram.ts";
import { countLine, countStrips, kthNeighbours } from "./neighbours.ts";
import { bruteForce } from "./oracle.ts";
import { plasticity } from "./plasticity.ts";
import { largest, mean, quantile } from "./reduce.ts";
import { copyBytes, moments, standardize } from "./transfer.ts";

export const ITPU_KERNELS = {
  columnRange,
  digitize,
  countCells,
  "entropy of counts": ENTROPY_SUMS.counts["v ln v"],
  "powers of counts": ENTROPY_SUMS.counts["v^alpha"],
  "entropy of values": ENTROPY_SUMS.values["v ln v"],
  "logarithms of values": ENTROPY_SUMS.values["ln v"],
  "powers of values": ENTROPY_SUMS.values["v^alpha"],
  "density, 1 column": density(1),
  "density, 3 columns": density(3),
  "kthNeighbours, 2 columns": kthNeighbours(2),
  "kthNeighbours, 4 columns": kthNeighbours(4),
  "kthNeighbours, 3 columns, counting": kthNeighbours(3, "counting"),
  "countLine, 3 columns": countLine(3),
  "countStrips, 2 of 4 columns": countStrips(4, 2),
  "countStrips, 2 of 3 columns, counting": countStrips(3, 2, "counting"),
  "bruteForce, 1 and 2 columns": bruteForce(3, 1),
  plasticity,
  mean,
  largest,
  quantile,
  copyBytes,
  moments,
  standardize,
} as const;
