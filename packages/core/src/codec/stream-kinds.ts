import { ReadableStream } from 'node:stream/web';

/** What a stream in a value is: an async iterable, or a web stream. In encoded bytes and digests: never change it. */
export type StreamKind = 'i' | 'w';

/** The kind of an object that the codec does not know otherwise; `undefined` when it is no stream. */
export function streamKindOf(value: object): StreamKind | undefined {
  if (value instanceof ReadableStream) return 'w';
  const open = (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator];
  return typeof open === 'function' ? 'i' : undefined;
}
