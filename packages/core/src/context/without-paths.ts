import { RoutineEngineError } from '../errors/routine-engine-error.js';

/** `args` stands for the list itself: the first step is an index. */
const PATH = /^args(?:\.[A-Za-z_$][\w$]*|\[(?:\d+|"(?:[^"\\]|\\.)*")\])+$/;
const STEP = /\.([A-Za-z_$][\w$]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/g;

/**
 * The steps of a path such as `args[1].logger` or `args[0]["any key"]`.
 * @throws {@link RoutineEngineError} `OPTION_INVALID`.
 */
export function stepsOf(path: string): readonly (string | number)[] {
  if (!PATH.test(path)) {
    throw new RoutineEngineError(
      'OPTION_INVALID',
      `${JSON.stringify(path)} is no path of an argument: it must be such as args[0] or args[1].logger`,
    );
  }
  return [...path.matchAll(STEP)].map(([, name, index, quoted]) => {
    if (index !== undefined) return Number(index);
    return quoted === undefined ? (name ?? '') : (JSON.parse(quoted) as string);
  });
}

/**
 * The same arguments without the parts at some paths: what is on the way is copied, the rest is shared. Whether an argument
 * at the end is left out or was never given makes no difference.
 */
export function withoutPaths(args: readonly unknown[], paths: readonly string[]): readonly unknown[] {
  let left: unknown = args;
  const whole = new Set<number>();
  for (const steps of paths.map(stepsOf)) {
    left = without(left, steps);
    if (steps.length === 1) whole.add(Number(steps[0]));
  }
  let { length } = args;
  while (whole.has(length - 1)) length -= 1;
  return (left as readonly unknown[]).slice(0, length);
}

function without(value: unknown, [step, ...rest]: readonly (string | number)[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
    return value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [...(value as readonly unknown[])];
    copy[Number(step)] = rest.length === 0 ? undefined : without(copy[Number(step)], rest);
    return copy;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const { [step]: part, ...others } = value as Record<string | number, unknown>;
  return rest.length === 0 ? others : { ...others, [step]: without(part, rest) };
}
