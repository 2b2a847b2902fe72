/** Memory that programs run in, and host arrays that live there. */
import { align, GUARD_BYTES } from "../codegen/index.ts";
import { fail } from "../ir/diagnostic.ts";
import { bytesOf, type DTypeName } from "../ir/dtype.ts";
import { Wasm, type WasmMemory } from "./webassembly.ts";

const PAGE = 65536;
/** What a device of a fixed size has beside the bytes asked for: program areas, buffers of tiles. */
const PROGRAM_RESERVE = 8 * 1024 * 1024;
/** 4 GiB less a page, the most a 32-bit memory has. */
const MOST_BYTES = 2 ** 32 - PAGE;

type Arrays = {
  i8: Int8Array<ArrayBuffer>;
  u8: Uint8Array<ArrayBuffer>;
  i16: Int16Array<ArrayBuffer>;
  u16: Uint16Array<ArrayBuffer>;
  i32: Int32Array<ArrayBuffer>;
  u32: Uint32Array<ArrayBuffer>;
  f16: Uint16Array<ArrayBuffer>;
  bf16: Uint16Array<ArrayBuffer>;
  f32: Float32Array<ArrayBuffer>;
  bool: Uint8Array<ArrayBuffer>;
  i4: Uint8Array<ArrayBuffer>;
  u4: Uint8Array<ArrayBuffer>;
  f8e4m3: Uint8Array<ArrayBuffer>;
  f8e5m2: Uint8Array<ArrayBuffer>;
};
const MAKE: { readonly [K in DTypeName]: (b: ArrayBuffer, at: number, n: number) => Arrays[K] } = {
  i8: (b, at, n) => new Int8Array(b, at, n),
  u8: (b, at, n) => new Uint8Array(b, at, n),
  i16: (b, at, n) => new Int16Array(b, at, n),
  u16: (b, at, n) => new Uint16Array(b, at, n),
  i32: (b, at, n) => new Int32Array(b, at, n),
  u32: (b, at, n) => new Uint32Array(b, at, n),
  f16: (b, at, n) => new Uint16Array(b, at, n),
  bf16: (b, at, n) => new Uint16Array(b, at, n),
  f32: (b, at, n) => new Float32Array(b, at, n),
  bool: (b, at, n) => new Uint8Array(b, at, n),
  i4: (b, at, n) => new Uint8Array(b, at, bytesOf("i4", n)),
  u4: (b, at, n) => new Uint8Array(b, at, bytesOf("u4", n)),
  f8e4m3: (b, at, n) => new Uint8Array(b, at, n),
  f8e5m2: (b, at, n) => new Uint8Array(b, at, n),
};

export interface DeviceOptions {
  /** Bytes for host arrays. Default: 64 MiB. */
  readonly bytes?: number;
}

/** One linear memory. Arrays of {@link Device.alloc} are views of it, which programs use in place. */
export class Device {
  readonly memory: WasmMemory;
  readonly #growable: boolean;
  readonly #limit: number;
  #top = GUARD_BYTES;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;

  constructor(o: { bytes: number; growable: boolean }) {
    const total = Math.ceil((GUARD_BYTES + o.bytes) / PAGE);
    this.#growable = o.growable;
    this.#limit = o.growable ? MOST_BYTES : total * PAGE;
    try {
      this.memory = new Wasm.Memory(o.growable ? { initial: total } : { initial: total, maximum: total });
    } catch {
      fail("KPU7006", `a device of ${o.bytes} bytes cannot be made here`);
    }
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }

  get #buffer(): ArrayBuffer {
    return this.memory.buffer;
  }
  /** The whole memory; a new view after it has grown. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }
  /** The first byte that is not taken. */
  get top(): number {
    return this.#top;
  }

  /**
   * An array in this device's memory, not cleared. A program that gets it as an argument uses it in place.
   * @throws KPU7006 when the device is full.
   * @example const x = device.alloc("f32", [1024]);
   */
  alloc<D extends DTypeName>(dtype: D | { readonly name: D }, shape: readonly number[] | number): Arrays[D] {
    const name = typeof dtype === "string" ? dtype : dtype.name;
    const sizes = typeof shape === "number" ? [shape] : shape;
    if (!sizes.every((n) => Number.isSafeInteger(n) && n >= 0)) {
      fail("KPU6006", `the shape of an array must be sizes, got [${sizes.join(", ")}]`, {
        help: "write device.alloc(f32, [rows, columns])",
      });
    }
    const elements = sizes.reduce((n, d) => n * d, 1);
    return MAKE[name](this.#buffer, this.reserve(bytesOf(name, elements)), elements);
  }

  /** Takes bytes for good; returns their address, a multiple of 64. */
  reserve(bytes: number): number {
    const at = align(this.#top);
    this.ensure(at + bytes);
    this.#top = at + bytes;
    return at;
  }

  /** Makes the memory at least `end` bytes long. */
  ensure(end: number): void {
    const have = this.#bytes.length;
    if (end <= have) return;
    const pages = Math.ceil((end - have) / PAGE);
    if (!this.#growable || end > this.#limit) {
      fail(
        "KPU7006",
        `the program needs ${end - GUARD_BYTES} bytes, the device has ${Math.min(this.#limit, MOST_BYTES) - GUARD_BYTES}`,
        {
          help: "create the device with more bytes: createDevice({ bytes })",
        },
      );
    }
    try {
      // Somewhat more than asked for, so that growing arrays do not grow the memory at each run.
      this.memory.grow(Math.max(pages, Math.min(Math.floor(have / PAGE / 2), (MOST_BYTES - end) / PAGE) | 0));
    } catch {
      try {
        this.memory.grow(pages);
      } catch {
        fail("KPU7006", `the program needs ${end} bytes, which this machine does not give`);
      }
    }
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
  }
}

const devices = new WeakMap<ArrayBufferLike, Device>();

/** A device for arrays that programs use without copying. Its memory never moves. */
export function createDevice(o: DeviceOptions = {}): Device {
  const bytes = o.bytes ?? 64 * 1024 * 1024;
  if (!Number.isSafeInteger(bytes) || bytes < 0)
    fail("KPU6006", `bytes must be an integer, at least 0, got ${bytes}`);
  if (bytes + PROGRAM_RESERVE > MOST_BYTES)
    fail("KPU7006", `a device has at most ${MOST_BYTES - PROGRAM_RESERVE} bytes, got ${bytes}`);
  const device = new Device({ bytes: bytes + PROGRAM_RESERVE, growable: false });
  devices.set(device.memory.buffer, device);
  return device;
}

/** The device of {@link createDevice} whose memory this is. */
export function deviceOf(buffer: ArrayBufferLike): Device | undefined {
  return devices.get(buffer);
}
