import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import type { ValueStream } from '../ports/codec.js';
import { TAG } from './node-tags.js';
import { notEncodable } from './refusals.js';
import type { StreamKind } from './stream-kinds.js';
import { isDetached } from './value-reader.js';

/** The streams of one value that is encoded, in the order of the walk. */
export class ValueStreams {
  /** Path of each. */
  readonly #paths = new Map<object, string>();

  has(value: object): boolean {
    return this.#paths.has(value);
  }

  /** A node that stands for the stream. */
  add(value: object, kind: StreamKind, path: string): unknown[] {
    this.#paths.set(value, path);
    return [TAG.stream, kind, this.#paths.size - 1];
  }

  /** The streams, whose buffers come behind `buffers` others: the last of them belongs to the first stream. */
  finish(buffers: number): ValueStream[] {
    const last = buffers + this.#paths.size;
    return Array.from(this.#paths, ([value, path], number) => {
      return { value, path, part: last - number, chunks: new StreamChunks(value, path) };
    });
  }
}

/** Reads a stream of a user, who may give anything. */
class StreamChunks implements AsyncIterableIterator<Uint8Array> {
  readonly #stream: object;
  readonly #path: string;
  #iterator: AsyncIterator<unknown> | undefined;
  #ended = false;

  constructor(stream: object, path: string) {
    this.#stream = stream;
    this.#path = path;
    // A file that is not there fails before anybody reads it, and an error that nobody hears ends the process.
    if (stream instanceof Readable) stream.on('error', keepForReader);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    this.#iterator ??= iteratorOf(this.#stream);
    const { done, value } = await this.#iterator.next();
    if (done === true) return this.#end();
    if (!types.isUint8Array(value))
      throw await this.#refused('that is no Uint8Array', 'give bytes, such as Buffer.from(text)');
    if (value.byteLength === 0 && isDetached(value.buffer))
      throw await this.#refused('in a detached ArrayBuffer', 'give it before it is transferred away');
    return { done: false, value };
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return { done: true, value: undefined };
    const result = this.#end();
    if (this.#iterator) await this.#iterator.return?.();
    else await cancelUnread(this.#stream);
    return result;
  }

  async #refused(what: string, advice: string): Promise<Error> {
    await this.return();
    return notEncodable(this.#path, `a stream with a chunk ${what}`, advice);
  }

  #end(): { readonly done: true; readonly value: undefined } {
    this.#ended = true;
    return { done: true, value: undefined };
  }
}

/** The error stays in the Readable, and is thrown by its iterator. */
function keepForReader(): void {}

function iteratorOf(stream: object): AsyncIterator<unknown> {
  return (stream as AsyncIterable<unknown>)[Symbol.asyncIterator]();
}

/** Ends a stream of which nothing was read. The iterator of a Readable would not: it begins with its first chunk. */
async function cancelUnread(stream: object): Promise<void> {
  if (stream instanceof ReadableStream) return stream.cancel();
  const { destroy } = stream as { readonly destroy?: unknown };
  if (typeof destroy === 'function') destroy.call(stream);
  else await iteratorOf(stream).return?.();
}
