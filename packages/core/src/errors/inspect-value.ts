import { inspect } from 'node:util';

const LONGEST = 200;

/** A short text that shows any value. Never throws, whatever the value does when it is looked at. */
export function inspectValue(value: unknown): string {
  let text: string;
  try {
    text = inspect(value, {
      depth: 1,
      maxArrayLength: 5,
      maxStringLength: 100,
      breakLength: Infinity,
      compact: true,
      customInspect: false,
    });
  } catch {
    // A getter such as Symbol.toStringTag threw: what is left to say is its type.
    text = `[${typeof value} that cannot be shown]`;
  }
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text;
}
