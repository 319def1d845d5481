import { types } from 'node:util';
import { ERRORS, type ErrorCode } from './codes.js';
import { RoutineEngineError } from './routine-engine-error.js';

const BUILT_IN: ReadonlyMap<string, new (message?: string) => Error> = new Map([
  ['Error', Error],
  ['TypeError', TypeError],
  ['RangeError', RangeError],
  ['SyntaxError', SyntaxError],
  ['ReferenceError', ReferenceError],
  ['EvalError', EvalError],
  ['URIError', URIError],
]);

/** Whether a value is an error of any realm; DOMException counts. Never throws. */
export function isError(value: unknown): value is Error {
  try {
    return types.isNativeError(value) || value instanceof Error;
  } catch {
    // A proxy may throw when asked for its prototype; whatever it is, it is no error we can read.
    return false;
  }
}

/** Reads a property of a value that may have hostile getters: `undefined` when reading throws. */
export function readProperty(value: object, key: string): unknown {
  try {
    return (value as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/**
 * Name of an error's class: its `name`, or its constructor's name where a class never set one and so inherits
 * `Error`.
 */
export function errorClassName(error: Error): string {
  const name = readProperty(error, 'name');
  if (typeof name === 'string' && name !== '' && name !== 'Error') return name;
  const constructor = readProperty(error, 'constructor');
  const given = typeof constructor === 'function' ? readProperty(constructor, 'name') : undefined;
  return typeof given === 'string' && given !== '' ? given : 'Error';
}

/**
 * A new error of the named class: one of the language, a {@link RoutineEngineError} when `code` is one of its
 * codes, else an Error that bears the name.
 */
export function newErrorOfClass(name: string, message: string, code?: unknown): Error {
  if (name === 'AggregateError') return new AggregateError([], message);
  if (name === 'RoutineEngineError' && isErrorCode(code)) return new RoutineEngineError(code, message);
  const Class = BUILT_IN.get(name);
  if (Class) return new Class(message);
  const error = new Error(message);
  defineHidden(error, 'name', name);
  return error;
}

/** Defines an own property that is neither printed nor carried as data, as the language does for `message`. */
export function defineHidden(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
