import { inspect, isDeepStrictEqual } from 'node:util';
import { writeOut } from './write-out.js';

/**
 * Prints what a routine gave. Bytes go out as they are; a text too; what JSON has goes out as JSON; everything else as people
 * would look at it, or, with `json`, as the JSON that comes nearest.
 */
export async function printResult(value: unknown, json: boolean): Promise<void> {
  if (value instanceof Uint8Array) return writeOut(value);
  if (isStream(value)) {
    for await (const chunk of value) await writeOut(chunk);
    return;
  }
  if (json) return writeOut(`${JSON.stringify(value ?? null, asJson)}\n`);
  if (value === undefined) return;
  if (typeof value === 'string') return writeOut(`${value}\n`);
  const text = JSON.stringify(value, null, 2) as string | undefined;
  const isWhole = text !== undefined && isDeepStrictEqual(JSON.parse(text), value);
  return writeOut(
    `${isWhole ? text : inspect(value, { depth: null, maxArrayLength: 100, colors: false })}\n`,
  );
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
