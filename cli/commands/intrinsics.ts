import { z } from "zod";
import { INTRINSICS } from "../../dsl/index.ts";
