import { expect, test } from "vitest";
import { inspectTraps } from "./fixtures/inspect-traps.ts";
test("x", () => { console.log(JSON.stringify(inspectTraps())) });
