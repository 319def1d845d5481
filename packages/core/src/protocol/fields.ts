import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { PlainCause, PlainError } from '../errors/plain-error.js';
import { isLabels, LABELS_WANTED, type Labels } from '../model/labels.js';
import { isBlobDigest } from '../model/stored-blob.js';

/** Longest ids of runs, sessions and questions, in UTF-16 units. */
export const ID_LENGTH = 64;
/** Longest names of nodes, and ids of routines. */
export const NAME_LENGTH = 500;
/** Longest text of a header field, in UTF-16 units; error texts have the bound of their own that errors are cut to. */
const TEXT_LENGTH = 2_000;
const ERROR_TEXT_LENGTH = 70_000;
const ERROR_DEPTH = 32;
const ERROR_PARTS = 200;
const LIST_LENGTH = 100_000;
const LONGEST_MS = 86_400_000;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Reads the fields of one untrusted header; every refusal names type and field. */
export class FieldReader {
  readonly type: string;
  readonly #header: Readonly<Record<string, unknown>>;

  constructor(type: string, header: Readonly<Record<string, unknown>>) {
    this.type = type;
    this.#header = header;
  }

  text(name: string, longest: number = TEXT_LENGTH): string {
    const value = this.#own(name);
    if (typeof value !== 'string' || value.length > longest)
      return this.refuse(name, `a text of at most ${longest}`);
    return value;
  }

  /** A SHA-256 as 64 lower-case hex digits. */
  sha256(name: string): string {
    const value = this.#own(name);
    return isBlobDigest(value) ? value : this.refuse(name, '64 lower-case hex digits');
  }

  /** Base64 of 1 to `most` bytes. */
  base64(name: string, most: number): string {
    const text = this.text(name, 4 * Math.ceil(most / 3));
    const isWhole = BASE64.test(text) && text !== '' && Buffer.byteLength(text, 'base64') <= most;
    return isWhole ? text : this.refuse(name, `base64 of 1 to ${most} bytes`);
  }

  count(name: string, most: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.#own(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > most) {
      return this.refuse(name, `a whole number from 0 to ${most}`);
    }
    return value;
  }

  /** A whole number from `-most` to `most`. */
  between(name: string, most: number): number {
    const value = this.#own(name);
    if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= most) return value;
    return this.refuse(name, `a whole number from -${most} to ${most}`);
  }

  labels(name: string): Labels {
    const value = this.#own(name);
    return isLabels(value) ? Object.fromEntries(Object.entries(value)) : this.refuse(name, LABELS_WANTED);
  }

  finite(name: string): number {
    const value = this.#own(name);
    if (typeof value !== 'number' || !Number.isFinite(value)) return this.refuse(name, 'a finite number');
    return value;
  }

  /** Milliseconds of a timer: more than none, and at most a day. */
  duration(name: string): number {
    const value = this.finite(name);
    return value > 0 && value <= LONGEST_MS
      ? value
      : this.refuse(name, `from 0 to ${LONGEST_MS} milliseconds`);
  }

  flag(name: string): boolean {
    const value = this.#own(name);
    return typeof value === 'boolean' ? value : this.refuse(name, 'true or false');
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.#own(name);
    const found = allowed.find((each) => each === value);
    return found ?? this.refuse(name, `one of ${allowed.join(', ')}`);
  }

  list<T>(name: string, read: (item: unknown) => T, longest: number = LIST_LENGTH): T[] {
    const value = this.#own(name);
    if (!Array.isArray(value) || value.length > longest)
      return this.refuse(name, `a list of at most ${longest}`);
    return value.map(read);
  }

  /** A list of at most `most` texts, none longer than `longest`. */
  texts(name: string, longest: number, most?: number): string[] {
    const read = (value: unknown): string =>
      typeof value === 'string' && value.length <= longest
        ? value
        : this.refuse(name, `a list of texts of at most ${longest}`);
    return this.list(name, read, most);
  }

  /** A list of at most so many as are allowed. */
  someOf<T extends string>(name: string, allowed: readonly T[]): T[] {
    const read = (value: unknown): T =>
      allowed.find((each) => each === value) ?? this.refuse(name, `a list of ${allowed.join(', ')}`);
    return this.list(name, read, allowed.length);
  }

  /** The fields of a field. */
  record(name: string): FieldReader {
    return this.item(name, this.#own(name));
  }

  /** The fields of an item of a list. */
  item(name: string, value: unknown): FieldReader {
    if (typeof value !== 'object' || value === null) return this.refuse(name, 'made of fields');
    return new FieldReader(`${this.type} ${name}`, value as Record<string, unknown>);
  }

  /** Reads a field only when it is there. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.#own(name) === undefined ? undefined : read(name);
  }

  error(name: string): PlainError {
    return readError(this.#own(name), 0, { left: ERROR_PARTS }) ?? this.refuse(name, 'an error');
  }

  refuse(name: string, wanted: string): never {
    throw new RoutineEngineError(
      'PROTOCOL_MALFORMED',
      `A directive ${this.type} came whose ${name} is not ${wanted}`,
    );
  }

  #own(name: string): unknown {
    return Object.hasOwn(this.#header, name) ? this.#header[name] : undefined;
  }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= ERROR_TEXT_LENGTH;

/** How many errors, parts and causes together, may still be read. */
interface Budget {
  left: number;
}

function readError(value: unknown, depth: number, budget: Budget): PlainError | undefined {
  budget.left -= 1;
  if (typeof value !== 'object' || value === null || depth > ERROR_DEPTH || budget.left < 0) return undefined;
  const { name, message, code, stack, cause, errors, properties } = value as Record<string, unknown>;
  if (!isText(name) || !isText(message)) return undefined;
  const parts = Array.isArray(errors)
    ? errors.slice(0, ERROR_PARTS).map((each) => readError(each, depth + 1, budget))
    : undefined;
  const because = readCause(cause, depth, budget);
  const primitives = readProperties(properties);
  return {
    name,
    message,
    ...((isText(code) || typeof code === 'number') && { code }),
    // A stack is cut where it is made; a peer that did not cut it loses it, not the error.
    ...(isText(stack) && { stack }),
    ...(because && { cause: because }),
    ...(parts && { errors: parts.filter((part) => part !== undefined) }),
    ...(primitives && { properties: primitives }),
  };
}

function readCause(cause: unknown, depth: number, budget: Budget): PlainCause | undefined {
  if (typeof cause !== 'object' || cause === null) return undefined;
  const { error, text } = cause as Record<string, unknown>;
  if (isText(text)) return { text };
  const read = readError(error, depth + 1, budget);
  return read && { error: read };
}

function readProperties(properties: unknown): PlainError['properties'] {
  if (typeof properties !== 'object' || properties === null) return undefined;
  const primitives = Object.entries(properties)
    .slice(0, 100)
    .filter(
      ([, value]) =>
        isText(value) || typeof value === 'number' || typeof value === 'boolean' || value === null,
    );
  return Object.fromEntries(primitives) as Record<string, string | number | boolean | null>;
}
