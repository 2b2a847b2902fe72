/**
 * The files that a run really loaded: the module hooks, which run in a thread of their own, send the path of every
 * project file over a port.
 */
import { MessageChannel, receiveMessageOnPort } from "node:worker_threads";

const { port1, port2 } = new MessageChannel();
const files = new Set<string>();

/** For the `register` call of the hooks. The loader's thread must not keep the process alive. */
export function hookData(): { readonly data: unknown; readonly transferList: (typeof port2)[] } {
  port1.unref();
  return { data: { loaded: port2 }, transferList: [port2] };
}

/** Absolute paths, none in node_modules; also of files that could not be parsed. */
export function loadedFiles(): readonly string[] {
  for (;;) {
    const message = receiveMessageOnPort(port1);
    if (message === undefined) return [...files];
    files.add(String(message.message));
  }
}
