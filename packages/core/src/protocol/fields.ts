import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { PlainCause, PlainError } from '../errors/plain-error.js';
import { isLabels, LABELS_WANTED, type Labels } from '../model/labels.js';
import { isBlobDigest } from '../model/stored-blob.js';

/** Longest ids of runs, sessions and questions, in UTF-16 units. */
export const ID_LENGTH = 64;
/** Longest names of nodes, and ids of routines. */
export const NAME_LENGTH = 500;
/** Length of digests in texts: 64 hex digits. */
export const DIGEST_LENGTH = 64;
/** Longest identities of stores. */
export const STORE_LENGTH = 2_000;
/** Most attempts at a run. */
export const ATTEMPTS = 1_000_000;
/** Highest number of a part of a value. */
export const LAST_PART = 1_000_000;
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
  readonly #of: string | FieldReader;
  readonly #name: string;
  readonly #header: Readonly<Record<string, unknown>>;

  /**
   * @param of - the type of the directive, or whose field is read.
   * @param name - that of the field. Put together with the rest only when it is refused: lists may be long.
   */
  constructor(of: string | FieldReader, header: Readonly<Record<string, unknown>>, name = '') {
    this.#of = of;
    this.#name = name;
    this.#header = ownOf(header);
  }

  /** What is read, for people. */
  get type(): string {
    return typeof this.#of === 'string' ? this.#of : `${this.#of.type} ${this.#name}`;
  }

  /** The fields themselves, of no other object than this: for those that are read by the million. */
  get header(): Readonly<Record<string, unknown>> {
    return this.#header;
  }

  text(name: string, longest?: number): string {
    return this.asText(name, this.#header[name], longest);
  }

  /** A value, which is that of the field, as a text. */
  asText(name: string, value: unknown, longest: number = TEXT_LENGTH): string {
    if (typeof value === 'string' && value.length <= longest) return value;
    return this.refuse(name, `a text of at most ${longest}`);
  }

  /** A SHA-256 as 64 lower-case hex digits. */
  sha256(name: string): string {
    const value = this.#header[name];
    return isBlobDigest(value) ? value : this.refuse(name, '64 lower-case hex digits');
  }

  /** Base64 of 1 to `most` bytes. */
  base64(name: string, most: number): string {
    const text = this.text(name, 4 * Math.ceil(most / 3));
    const isWhole = BASE64.test(text) && text !== '' && Buffer.byteLength(text, 'base64') <= most;
    return isWhole ? text : this.refuse(name, `base64 of 1 to ${most} bytes`);
  }

  count(name: string, most?: number): number {
    return this.asCount(name, this.#header[name], most);
  }

  /** A value, which is that of the field, as a count. */
  asCount(name: string, value: unknown, most: number = Number.MAX_SAFE_INTEGER): number {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
    return this.refuse(name, `a whole number from 0 to ${most}`);
  }

  /** A whole number from `-most` to `most`. */
  between(name: string, most: number): number {
    const value = this.#header[name];
    if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= most) return value;
    return this.refuse(name, `a whole number from -${most} to ${most}`);
  }

  labels(name: string): Labels {
    const value = this.#header[name];
    return isLabels(value) ? Object.fromEntries(Object.entries(value)) : this.refuse(name, LABELS_WANTED);
  }

  finite(name: string): number {
    const value = this.#header[name];
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
    const value = this.#header[name];
    return typeof value === 'boolean' ? value : this.refuse(name, 'true or false');
  }

  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.#header[name];
    const found = allowed.find((each) => each === value);
    return found ?? this.refuse(name, `one of ${allowed.join(', ')}`);
  }

  list<T>(name: string, read: (item: unknown) => T, longest: number = LIST_LENGTH): T[] {
    const value = this.#header[name];
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
    return this.item(name, this.#header[name]);
  }

  /** The fields of an item of a list. */
  item(name: string, value: unknown): FieldReader {
    if (typeof value !== 'object' || value === null) return this.refuse(name, 'made of fields');
    return new FieldReader(this, value as Record<string, unknown>, name);
  }

  /** Reads a field only when it is there. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.#header[name] === undefined ? undefined : read(name);
  }

  error(name: string): PlainError {
    return readError(this.#header[name], 0, { left: ERROR_PARTS }) ?? this.refuse(name, 'an error');
  }

  refuse(name: string, wanted: string): never {
    throw new RoutineEngineError(
      'PROTOCOL_MALFORMED',
      `A directive ${this.type} came whose ${name} is not ${wanted}`,
    );
  }
}

/** What is no property of its own is not there. A plain object inherits none of the fields, and is used as it is. */
function ownOf(header: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const prototype: unknown = Object.getPrototypeOf(header);
  return prototype === Object.prototype || prototype === null ? header : { ...header };
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
