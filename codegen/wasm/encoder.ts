/**
 * The WebAssembly encoder: one function's instructions ({@link Code}) and a module made of them
 * ({@link ModuleBuilder}). Nothing here knows KIR.
 */
import { ByteWriter } from "./bytes.ts";
import {
  ACCESS,
  type AccessOp,
  NUMERIC,
  type NumericOp,
  SATURATING,
  type SaturatingOp,
  SIMD,
  SIMD_ACCESS,
  SIMD_LANE,
  SIMD_LANE_ACCESS,
  type SimdAccessOp,
  type SimdLaneAccessOp,
  type SimdLaneOp,
  type SimdOp,
} from "./opcodes.ts";

export type WasmType = "i32" | "i64" | "f32" | "f64" | "v128";
/** Prefix of the lane instructions of a v128. */
export type SimdShape = "i8x16" | "i16x8" | "i32x4" | "f32x4";
const TYPE_BYTE: { readonly [K in WasmType]: number } = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};
const EMPTY_BLOCK = 0x40;

/** Index of a function's local. */
export type LocalIndex = number;

/** The body of one function while it is written. */
export class Code {
  readonly module: ModuleBuilder;
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
  readonly #out = new ByteWriter(512);
  readonly #locals: WasmType[] = [];
  readonly #free: { [K in WasmType]: LocalIndex[] } = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  #taken: [WasmType, LocalIndex][] = [];
  #depth = 0;

  constructor(module: ModuleBuilder, params: readonly WasmType[], results: readonly WasmType[]) {
    this.module = module;
    this.params = params;
    this.results = results;
  }

  // -- locals
  /** A local for the whole function. */
  local(type: WasmType): LocalIndex {
    this.#locals.push(type);
    return this.params.length + this.#locals.length - 1;
  }
  /** A local that {@link releaseTemps} gives back. */
  temp(type: WasmType): LocalIndex {
    const index = this.#free[type].pop() ?? this.local(type);
    this.#taken.push([type, index]);
    return index;
  }
  /** Gives back all temporaries: at the end of each statement. */
  releaseTemps(): void {
    for (const [type, index] of this.#taken) this.#free[type].push(index);
    this.#taken = [];
  }
  get(l: LocalIndex): this {
    this.#out.byte(0x20);
    this.#out.u32(l);
    return this;
  }
  set(l: LocalIndex): this {
    this.#out.byte(0x21);
    this.#out.u32(l);
    return this;
  }
  tee(l: LocalIndex): this {
    this.#out.byte(0x22);
    this.#out.u32(l);
    return this;
  }
  /** Pops the top of the stack into a new temporary. */
  save(type: WasmType): LocalIndex {
    const t = this.temp(type);
    this.set(t);
    return t;
  }
  global(index: number): this {
    this.#out.byte(0x23);
    this.#out.u32(index);
    return this;
  }

  // -- constants
  i32(value: number): this {
    this.#out.byte(0x41);
    this.#out.s32(value);
    return this;
  }
  i64(value: bigint | number): this {
    this.#out.byte(0x42);
    this.#out.s64(BigInt(value));
    return this;
  }
  f32(value: number): this {
    this.#out.byte(0x43);
    this.#out.f32(value);
    return this;
  }
  f64(value: number): this {
    this.#out.byte(0x44);
    this.#out.f64(value);
    return this;
  }
  v128(bytes: Uint8Array): this {
    this.#out.byte(0xfd);
    this.#out.u32(12);
    this.#out.bytes(bytes);
    return this;
  }
  /** A v128 constant of four equal 32-bit lanes. */
  v32(bits: number): this {
    const b = new Uint8Array(16);
    const view = new DataView(b.buffer);
    for (let i = 0; i < 16; i += 4) view.setUint32(i, bits, true);
    return this.v128(b);
  }
  /** A v128 constant of eight equal 16-bit lanes. */
  v16(bits: number): this {
    return this.v32(((bits << 16) | (bits & 0xffff)) >>> 0);
  }
  /** A v128 constant of four equal f32. */
  vf32(value: number): this {
    return this.v32(new Uint32Array(Float32Array.of(value).buffer)[0] as number);
  }
  /** A v128 constant of two equal doubles. */
  vf64(value: number): this {
    const b = new Uint8Array(16);
    const view = new DataView(b.buffer);
    view.setFloat64(0, value, true);
    view.setFloat64(8, value, true);
    return this.v128(b);
  }

  // -- instructions
  op(name: NumericOp): this {
    this.#out.byte(NUMERIC[name]);
    return this;
  }
  sat(name: SaturatingOp): this {
    this.#out.byte(0xfc);
    this.#out.u32(SATURATING[name]);
    return this;
  }
  v(name: SimdOp): this {
    this.#out.byte(0xfd);
    this.#out.u32(SIMD[name]);
    return this;
  }
  vlane(name: SimdLaneOp, lane: number): this {
    this.#out.byte(0xfd);
    this.#out.u32(SIMD_LANE[name]);
    this.#out.byte(lane);
    return this;
  }
  /** `i8x16.shuffle` with 16 byte indices into the two operands. */
  shuffle(indices: readonly number[]): this {
    this.#out.byte(0xfd);
    this.#out.u32(13);
    this.#out.bytes(indices);
    return this;
  }
  access(name: AccessOp, offset = 0): this {
    const [opcode] = ACCESS[name];
    this.#out.byte(opcode);
    // Alignment hint 0 is always valid, and pointers may be anywhere.
    this.#out.byte(0);
    this.#out.u32(offset);
    return this;
  }
  vaccess(name: SimdAccessOp, offset = 0): this {
    this.#out.byte(0xfd);
    this.#out.u32(SIMD_ACCESS[name]);
    this.#out.byte(0);
    this.#out.u32(offset);
    return this;
  }
  vlaneAccess(name: SimdLaneAccessOp, lane: number, offset = 0): this {
    this.#out.byte(0xfd);
    this.#out.u32(SIMD_LANE_ACCESS[name]);
    this.#out.byte(0);
    this.#out.u32(offset);
    this.#out.byte(lane);
    return this;
  }
  /** memory.copy: destination, source, bytes on the stack. */
  memoryCopy(): this {
    this.#out.bytes([0xfc, 10, 0, 0]);
    return this;
  }
  /** memory.fill: destination, byte, bytes on the stack. */
  memoryFill(): this {
    this.#out.bytes([0xfc, 11, 0]);
    return this;
  }
  /** `select` of any type: then, else, condition on the stack. */
  selectTyped(type: WasmType): this {
    if (type !== "v128") return this.op("select");
    this.#out.bytes([0x1c, 1, TYPE_BYTE[type]]);
    return this;
  }
  call(index: number): this {
    this.#out.byte(0x10);
    this.#out.u32(index);
    return this;
  }

  // -- control. `depth` counts open blocks, so that a branch to a remembered depth can be made.
  get depth(): number {
    return this.#depth;
  }
  block(result?: WasmType): this {
    return this.#open(0x02, result);
  }
  loop(): this {
    return this.#open(0x03);
  }
  if(result?: WasmType): this {
    return this.#open(0x04, result);
  }
  else(): this {
    this.#out.byte(0x05);
    return this;
  }
  end(): this {
    this.#out.byte(0x0b);
    this.#depth--;
    return this;
  }
  /** Branch to the block that was opened when `depth` was `target`. */
  br(target: number): this {
    this.#out.byte(0x0c);
    this.#out.u32(this.#depth - target - 1);
    return this;
  }
  brIf(target: number): this {
    this.#out.byte(0x0d);
    this.#out.u32(this.#depth - target - 1);
    return this;
  }
  #open(opcode: number, result?: WasmType): this {
    this.#out.byte(opcode);
    this.#out.byte(result === undefined ? EMPTY_BLOCK : TYPE_BYTE[result]);
    this.#depth++;
    return this;
  }

  /** Locals with parameters, and bytes of instructions. */
  get size(): { readonly locals: number; readonly bytes: number } {
    return { locals: this.params.length + this.#locals.length, bytes: this.#out.length };
  }

  /** Size, local declarations and instructions as the code section wants them. */
  encode(to: ByteWriter): void {
    const head = new ByteWriter(32);
    const runs: [number, WasmType][] = [];
    for (const t of this.#locals) {
      const last = runs[runs.length - 1];
      if (last !== undefined && last[1] === t) last[0]++;
      else runs.push([1, t]);
    }
    head.u32(runs.length);
    for (const [n, t] of runs) {
      head.u32(n);
      head.byte(TYPE_BYTE[t]);
    }
    const body = this.#out.view();
    to.u32(head.length + body.length + 1);
    to.bytes(head.view());
    to.bytes(body);
    to.byte(0x0b);
  }
}

interface Import {
  readonly module: string;
  readonly name: string;
}

/** A module: imports first (memory, globals, functions), then functions in the order they were made. */
export class ModuleBuilder {
  readonly #types: string[] = [];
  readonly #typeBytes: Uint8Array[] = [];
  readonly #importedFunctions: (Import & { type: number })[] = [];
  readonly #importedGlobals: (Import & { type: WasmType })[] = [];
  #memory: (Import & { pages: number }) | undefined;
  readonly #functions: { type: number; code: Code }[] = [];
  readonly #exports: { name: string; index: number }[] = [];
  readonly #helpers = new Map<string, number>();

  #type(params: readonly WasmType[], results: readonly WasmType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const w = new ByteWriter(16);
    w.byte(0x60);
    w.u32(params.length);
    w.bytes(params.map((t) => TYPE_BYTE[t]));
    w.u32(results.length);
    w.bytes(results.map((t) => TYPE_BYTE[t]));
    this.#types.push(key);
    this.#typeBytes.push(w.view());
    return this.#types.length - 1;
  }
  importMemory(module: string, name: string, pages: number): void {
    this.#memory = { module, name, pages };
  }
  /** An immutable imported global; returns its index. */
  importGlobal(module: string, name: string, type: WasmType): number {
    return this.#importedGlobals.push({ module, name, type }) - 1;
  }
  /** All function imports come before the first {@link define}. */
  importFunction(
    module: string,
    name: string,
    params: readonly WasmType[],
    results: readonly WasmType[],
  ): number {
    if (this.#functions.length > 0) throw new TypeError("function imports must come before functions");
    return this.#importedFunctions.push({ module, name, type: this.#type(params, results) }) - 1;
  }
  define(params: readonly WasmType[], results: readonly WasmType[]): { index: number; code: Code } {
    const code = new Code(this, params, results);
    this.#functions.push({ type: this.#type(params, results), code });
    return { index: this.#importedFunctions.length + this.#functions.length - 1, code };
  }
  export(name: string, index: number): void {
    this.#exports.push({ name, index });
  }
  /** A function of this module that is made once per key. Parameters are locals 0, 1, ... */
  helper(
    key: string,
    params: readonly WasmType[],
    results: readonly WasmType[],
    write: (c: Code) => void,
  ): number {
    const known = this.#helpers.get(key);
    if (known !== undefined) return known;
    const { index, code } = this.define(params, results);
    this.#helpers.set(key, index);
    write(code);
    return index;
  }

  encode(): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(4096);
    out.bytes([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, count: number, write: (w: ByteWriter) => void): void => {
      if (count === 0) return;
      const w = new ByteWriter(1024);
      w.u32(count);
      write(w);
      out.byte(id);
      out.u32(w.length);
      out.bytes(w.view());
    };
    section(1, this.#typeBytes.length, (w) => {
      for (const t of this.#typeBytes) w.bytes(t);
    });
    const imports =
      this.#importedFunctions.length + this.#importedGlobals.length + (this.#memory === undefined ? 0 : 1);
    section(2, imports, (w) => {
      if (this.#memory !== undefined) {
        w.name(this.#memory.module);
        w.name(this.#memory.name);
        w.bytes([2, 0]);
        w.u32(this.#memory.pages);
      }
      for (const g of this.#importedGlobals) {
        w.name(g.module);
        w.name(g.name);
        w.bytes([3, TYPE_BYTE[g.type], 0]);
      }
      for (const f of this.#importedFunctions) {
        w.name(f.module);
        w.name(f.name);
        w.byte(0);
        w.u32(f.type);
      }
    });
    section(3, this.#functions.length, (w) => {
      for (const f of this.#functions) w.u32(f.type);
    });
    section(7, this.#exports.length, (w) => {
      for (const e of this.#exports) {
        w.name(e.name);
        w.byte(0);
        w.u32(e.index);
      }
    });
    section(10, this.#functions.length, (w) => {
      for (const f of this.#functions) f.code.encode(w);
    });
    return new Uint8Array(out.view());
  }
}
