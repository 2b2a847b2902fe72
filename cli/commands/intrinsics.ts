import { z } from "zod";
import { documentIntrinsics, type IntrinsicDoc } from "../../dsl/document.ts";
