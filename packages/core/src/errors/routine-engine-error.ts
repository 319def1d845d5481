import { ERRORS, type ErrorCode } from './codes.js';

const BRAND = Symbol.for('@routine-engine/error');

/**
 * The one error class of this project. Branch on `code`, never on `message`.
 * `instanceof` also holds for an error made by a second installed copy of this package.
 * @public
 */
export class RoutineEngineError extends Error {
  /** Stable code; {@link ERRORS} says when each happens. */
  readonly code: ErrorCode;
  /** Whether the same call may succeed when it is simply made again. */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = ERRORS[code].retry;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }
}
// On the prototype, as built-in errors have it: an own `name` would be printed and carried as a property.
Object.defineProperty(RoutineEngineError.prototype, 'name', {
  value: 'RoutineEngineError',
  writable: true,
  configurable: true,
});
