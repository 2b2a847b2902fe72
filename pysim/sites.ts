/** Call sites at which coroutines suspend: what a coroutine yields says where it stands. */
import type { CheckedKernel } from "../capture/index.ts";
import type { Location } from "../ir/diagnostic.ts";
import type { Sites } from "./scheduler.ts";

export function siteTable(_checked: CheckedKernel): Sites {
  return {
    of: () => undefined,
    locate: (): Location | undefined => undefined,
  };
}
