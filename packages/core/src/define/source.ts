import { createHash } from 'node:crypto';

/** Hash of the source of functions, 64 lower-case hex digits. */
export function sourceHashOf(...functions: readonly ((...args: never[]) => unknown)[]): string {
  const hash = createHash('sha256');
  for (const each of functions) hash.update(Function.prototype.toString.call(each));
  return hash.digest('hex');
}

/** Where a function of `define` was called: the first frame below it. */
export function placeOf(definer: (...args: never[]) => unknown): string | undefined {
  const where: { stack?: string } = {};
  Error.captureStackTrace(where, definer);
  const [, frame] = where.stack?.split('\n') ?? [];
  return frame
    ?.trim()
    .replace(/^at (?:.*\()?/, '')
    .replace(/\)$/, '');
}
