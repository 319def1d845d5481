/**
 * How much of an error is carried to another node. Beyond it, the rest is left out or cut, never refused.
 * @public
 */
export const ERROR_LIMITS = {
  /** Deepest chain of causes and parts below an error. */
  causes: 16,
  /** Longest message, stack or text property, in UTF-16 units. */
  textLength: 64 * 1024,
  /** Most parts of aggregate errors that are carried with one error, at all depths together. */
  parts: 100,
  /** Most own properties of one error. */
  properties: 50,
  /** Most places in one stack where an error was handed on to another node. */
  handovers: 8,
} as const;
