/** A growing byte buffer with WebAssembly's number encodings. */
export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
  }
  get length(): number {
    return this.#length;
  }
  /** The bytes written so far (a view, valid until the next write). */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }
  byte(b: number): void {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = b;
  }
  bytes(b: Uint8Array | readonly number[]): void {
    if (this.#length + b.length > this.#bytes.length) this.#grow(b.length);
    this.#bytes.set(b, this.#length);
    this.#length += b.length;
  }
  /** Unsigned LEB128, up to 32 bits. */
  u32(value: number): void {
    let v = value >>> 0;
    while (v >= 0x80) {
      this.byte((v & 0x7f) | 0x80);
      v >>>= 7;
    }
    this.byte(v);
  }
  /** Signed LEB128 of 32 bits. */
  s32(value: number): void {
    let v = value | 0;
    for (;;) {
      const low = v & 0x7f;
      v >>= 7;
      if ((v === 0 && (low & 0x40) === 0) || (v === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }
  /** Signed LEB128 of 64 bits. */
  s64(value: bigint): void {
    let v = BigInt.asIntN(64, value);
    for (;;) {
      const low = Number(v & 0x7fn);
      v >>= 7n;
      if ((v === 0n && (low & 0x40) === 0) || (v === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }
  f32(value: number): void {
    scratch.setFloat32(0, value, true);
    this.bytes(scratchBytes.subarray(0, 4));
  }
  f64(value: number): void {
    scratch.setFloat64(0, value, true);
    this.bytes(scratchBytes);
  }
  /** Length-prefixed UTF-8. */
  name(text: string): void {
    const b = new TextEncoder().encode(text);
    this.u32(b.length);
    this.bytes(b);
  }
  #grow(more: number): void {
    const next = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    next.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = next;
  }
}

const scratch = new DataView(new ArrayBuffer(8));
const scratchBytes = new Uint8Array(scratch.buffer);
