import { defineHidden, errorClassName, isError, newErrorOfClass, readProperty } from './error-class.js';
import { ERROR_LIMITS } from './error-limits.js';
import { inspectValue } from './inspect-value.js';
import type { PlainCause, PlainError } from './plain-error.js';
import { RoutineEngineError } from './routine-engine-error.js';

type PlainProperty = string | number | boolean | null;

/** Own properties that are carried by a field of their own, or that must not be set from data. */
const RESERVED: ReadonlySet<string> = new Set([
  '__proto__',
  'constructor',
  'prototype',
  'stack',
  'message',
  'name',
  'cause',
  'errors',
  'code',
]);
const HANDOVER = '    --- called from';
const LONGEST_KEY = 200;

/** What the conversion of one error has used up, over all its causes and parts. */
interface Progress {
  readonly ancestors: Set<unknown>;
  parts: number;
}

/**
 * An error as plain data: class name, message, code, stack, causes, parts and own primitive properties, each
 * bounded by {@link ERROR_LIMITS}. Never throws, whatever the value's getters do.
 *
 * @param error - what was thrown. A value that is no Error becomes a {@link RoutineEngineError}
 *   `ROUTINE_THREW_NON_ERROR` whose message shows it.
 * @public
 */
export function toPlainError(error: unknown): PlainError {
  return toPlain(error, { ancestors: new Set(), parts: 0 });
}

/**
 * The inverse of {@link toPlainError}: an error of the same class where the class is one of the language or
 * RoutineEngineError, else an Error that bears the class's name.
 *
 * @param plain - may come from another node: its properties never reach a prototype.
 * @param options - `where` names the place that hands the error on, such as a routine id. The stack is the remote
 *   one, then a line that says `called from` with it, then the local one.
 * @public
 */
export function fromPlainError(plain: PlainError, options?: { where?: string }): Error {
  const error = fromPlain(plain);
  defineHidden(error, 'stack', bothStacks(plain, localFrames(), options?.where));
  return error;
}

function toPlain(thrown: unknown, progress: Progress): PlainError {
  const error = isError(thrown)
    ? thrown
    : new RoutineEngineError(
        'ROUTINE_THREW_NON_ERROR',
        `A value that is no Error was thrown: ${inspectValue(thrown)}`,
      );
  const code = readProperty(error, 'code');
  const stack = readProperty(error, 'stack');
  progress.ancestors.add(error);
  const cause = causeOf(error, progress);
  const errors = partsOf(error, progress);
  progress.ancestors.delete(error);
  const properties = propertiesOf(error);
  return {
    name: cut(errorClassName(error), LONGEST_KEY),
    message: cut(messageOf(error)),
    ...(typeof code === 'string' && { code: cut(code) }),
    ...(typeof code === 'number' && { code }),
    ...(typeof stack === 'string' && { stack: cut(stack) }),
    ...(cause && { cause }),
    ...(errors && { errors }),
    ...(properties && { properties }),
  };
}

function messageOf(error: Error): string {
  const message = readProperty(error, 'message');
  if (typeof message === 'string') return message;
  return message === undefined ? '' : inspectValue(message);
}

function causeOf(error: Error, progress: Progress): PlainCause | undefined {
  const cause = readProperty(error, 'cause');
  if (cause === undefined) return undefined;
  // A string stays as it is: quoted, it would grow with every hop.
  if (!isError(cause)) return { text: typeof cause === 'string' ? cut(cause) : inspectValue(cause) };
  if (progress.ancestors.has(cause)) return { text: `[circular] ${cut(messageOf(cause), LONGEST_KEY)}` };
  if (progress.ancestors.size > ERROR_LIMITS.causes) return undefined;
  return { error: toPlain(cause, progress) };
}

function partsOf(error: Error, progress: Progress): PlainError[] | undefined {
  const parts = readProperty(error, 'errors');
  if (!Array.isArray(parts) || progress.ancestors.size > ERROR_LIMITS.causes) return undefined;
  const plain: PlainError[] = [];
  for (let index = 0; index < parts.length && progress.parts < ERROR_LIMITS.parts; index += 1) {
    const part = readProperty(parts, String(index));
    if (progress.ancestors.has(part)) continue;
    progress.parts += 1;
    plain.push(toPlain(part, progress));
  }
  return plain;
}

function propertiesOf(error: Error): Record<string, PlainProperty> | undefined {
  const properties: Record<string, PlainProperty> = {};
  let count = 0;
  for (const key of ownKeys(error)) {
    if (count >= ERROR_LIMITS.properties) break;
    if (RESERVED.has(key) || key.length > LONGEST_KEY) continue;
    const value = readProperty(error, key);
    if (!isPlainProperty(value)) continue;
    properties[key] = typeof value === 'string' ? cut(value) : value;
    count += 1;
  }
  return count > 0 ? properties : undefined;
}

function ownKeys(error: Error): string[] {
  try {
    return Object.keys(error);
  } catch {
    // Only a hostile proxy gets here; an error without properties is still an error.
    return [];
  }
}

function isPlainProperty(value: unknown): value is PlainProperty {
  if (typeof value === 'number') return Number.isFinite(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}

function fromPlain(plain: PlainError): Error {
  const error = newErrorOfClass(plain.name, plain.message, plain.code);
  // Its constructor has set code and retryable, and both are read-only.
  const own = error instanceof RoutineEngineError;
  if (plain.cause)
    defineHidden(error, 'cause', 'error' in plain.cause ? fromPlain(plain.cause.error) : plain.cause.text);
  if (plain.errors) defineHidden(error, 'errors', plain.errors.map(fromPlain));
  if (plain.code !== undefined && !own) defineShown(error, 'code', plain.code);
  for (const [key, value] of Object.entries(plain.properties ?? {})) {
    if (RESERVED.has(key) || (own && key === 'retryable')) continue;
    defineShown(error, key, value);
  }
  // A cause was not thrown here: the stack of this conversion would only mislead.
  defineHidden(error, 'stack', plain.stack ?? headline(plain));
  return error;
}

function defineShown(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: true });
}

function bothStacks(plain: PlainError, local: string, where: string | undefined): string {
  const remote = plain.stack ?? headline(plain);
  if (remote.split(HANDOVER).length > ERROR_LIMITS.handovers) return cut(remote);
  return cut(`${remote}\n${HANDOVER}${where ? ` ${where}` : ''} ---\n${local}`);
}

function headline(plain: PlainError): string {
  return plain.message === '' ? plain.name : `${plain.name}: ${plain.message}`;
}

function localFrames(): string {
  const here: { stack?: string } = {};
  Error.captureStackTrace(here, fromPlainError);
  const stack = here.stack ?? '';
  return stack.slice(stack.indexOf('\n') + 1);
}

/** A text of at most that length; the end of a longer one is left out, and it says so. */
export function cut(text: string, longest: number = ERROR_LIMITS.textLength): string {
  if (text.length <= longest) return text;
  const mark = '... [cut]';
  return text.slice(0, longest - mark.length) + mark;
}
