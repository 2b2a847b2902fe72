/** `npm run generate`: writes what is generated from the records into the sources. */
import { writeFileSync } from "node:fs";
import { FILE, namespaceText } from "./namespace.ts";

writeFileSync(FILE, namespaceText());
