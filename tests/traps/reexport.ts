export { twice as viaReexport } from "./imported.ts";
