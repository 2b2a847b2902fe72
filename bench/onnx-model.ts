/** A model of one MatMul in the ONNX protobuf encoding, by hand: field numbers of onnx.proto3. */
import * as ort from "onnxruntime-web/wasm";

const text = new TextEncoder();

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let v = value; ; v = Math.floor(v / 128)) {
    if (v < 128) return [...bytes, v];
    bytes.push((v % 128) + 128);
  }
}
const number = (field: number, value: number): number[] => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, content: ArrayLike<number>): number[] => [
  ...varint(field * 8 + 2),
  ...varint(content.length),
  ...Array.from(content),
];
const string = (field: number, value: string): number[] => bytes(field, text.encode(value));

/** ValueInfoProto of a float tensor. */
function tensor(name: string, shape: readonly number[]): number[] {
  const dims = bytes(
    2,
    shape.flatMap((d) => bytes(1, number(1, d))),
  );
  const FLOAT = 1;
  const type = bytes(1, [...number(1, FLOAT), ...dims]);
  return [...string(1, name), ...bytes(2, type)];
}

/** C[m, n] = A[m, k] * B[k, n] */
function matmulModel(m: number, n: number, k: number): Uint8Array {
  const node = [...string(1, "A"), ...string(1, "B"), ...string(2, "C"), ...string(4, "MatMul")];
  const graph = [
    ...bytes(1, node),
    ...string(2, "matmul"),
    ...bytes(11, tensor("A", [m, k])),
    ...bytes(11, tensor("B", [k, n])),
    ...bytes(12, tensor("C", [m, n])),
  ];
  const opset = number(2, 13);
  return Uint8Array.from([...number(1, 8), ...bytes(7, graph), ...bytes(8, opset)]);
}

/** The same in onnxruntime-web, on one thread. */
export function matmulSession(m: number, n: number, k: number): Promise<ort.InferenceSession> {
  ort.env.wasm.numThreads = 1;
  return ort.InferenceSession.create(matmulModel(m, n, k));
}
