import { once } from 'node:events';
import process from 'node:process';
import { inspect, isDeepStrictEqual } from 'node:util';

/**
 * Prints what a routine gave. Bytes go out as they are; a text too; what JSON has goes out as JSON; everything else as people
 * would look at it, or, with `json`, as the JSON that comes nearest.
 */
export async function printResult(value: unknown, json: boolean): Promise<void> {
  if (value instanceof Uint8Array) return write(value);
  if (isStream(value)) {
    for await (const chunk of value) await write(chunk);
    return;
  }
  if (json) return write(`${JSON.stringify(value ?? null, asJson)}\n`);
  if (value === undefined) return;
  if (typeof value === 'string') return write(`${value}\n`);
  const text = JSON.stringify(value, null, 2) as string | undefined;
  const isWhole = text !== undefined && isDeepStrictEqual(JSON.parse(text), value);
  return write(`${isWhole ? text : inspect(value, { depth: null, maxArrayLength: 100, colors: false })}\n`);
}

async function write(chunk: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
}

function isStream(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function asJson(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (value instanceof Map) return [...value];
  if (value instanceof Set) return [...value];
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return Array.from(value as Float64Array);
  return value;
}
