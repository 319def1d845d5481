/**
 * An error as plain data, as it crosses threads and networks. Bounded in size and depth by whoever makes it.
 * @public
 */
export interface PlainError {
  /** Class name, such as `TypeError` or the name of a user's class. */
  readonly name: string;
  readonly message: string;
  /** The error's `code`, when it has one that is a string or number. */
  readonly code?: string | number;
  /** Stack as it was where the error was thrown. */
  readonly stack?: string;
  readonly cause?: PlainCause;
  /** The parts of an AggregateError. */
  readonly errors?: readonly PlainError[];
  /** Own properties that are strings, finite numbers, booleans or null; others are left out. */
  readonly properties?: Readonly<Record<string, string | number | boolean | null>>;
}

/** A cause is an error, or the text of a value that is none. @public */
export type PlainCause = { readonly error: PlainError } | { readonly text: string };
