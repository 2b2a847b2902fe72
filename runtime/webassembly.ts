/** The part of the WebAssembly JavaScript interface that we use; TypeScript has it only among the types of browsers. */

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
/** A compiled module: opaque. */
export interface WasmModule {
  readonly [Symbol.toStringTag]: string;
}
interface WasmInstance {
  readonly exports: Readonly<Record<string, unknown>>;
}
interface WasmInterface {
  readonly Memory: new (o: { initial: number; maximum?: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => WasmModule;
  readonly Instance: new (m: WasmModule, imports: Record<string, Record<string, unknown>>) => WasmInstance;
  readonly Global: new (o: { value: "i32"; mutable: boolean }, value: number) => object;
  readonly RuntimeError: new (message: string) => Error;
}

export const Wasm = (globalThis as unknown as { readonly WebAssembly: WasmInterface }).WebAssembly;
