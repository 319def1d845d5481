import { inspect } from 'node:util';

/** Where two values differ first, and what is there in each. */
export interface Difference {
  /** Such as `result.models[2].rate`. */
  readonly path: string;
  readonly one: string;
  readonly other: string;
}

type Parts = readonly (readonly [path: string, value: unknown])[];

/** The first part, in the order of the one, in which two values differ; `undefined` when they are equal. */
export function firstDifference(one: unknown, other: unknown, path: string): Difference | undefined {
  return compare(one, other, path, new Map());
}

/** @param under - pairs that are being compared: a cycle that is the same in both is no difference. */
function compare(
  one: unknown,
  other: unknown,
  path: string,
  under: Map<object, object>,
): Difference | undefined {
  if (Object.is(one, other)) return undefined;
  const different = { path, one: shown(one), other: shown(other) };
  if (!isObject(one) || !isObject(other)) return different;
  if (under.get(one) === other) return undefined;
  if (Object.getPrototypeOf(one)?.constructor?.name !== Object.getPrototypeOf(other)?.constructor?.name)
    return different;
  under.set(one, other);
  const [ones, others] = [partsOf(one, path), partsOf(other, path)];
  for (const [index, [at, part]] of ones.entries()) {
    const match = others[index];
    if (match?.[0] !== at) return { path: at, one: shown(part), other: 'nothing' };
    const found = compare(part, match[1], at, under);
    if (found) return found;
  }
  const more = others[ones.length];
  return more && { path: more[0], one: 'nothing', other: shown(more[1]) };
}

/** Everything that makes up a value, in an order that does not depend on how it was made. */
function partsOf(value: object, path: string): Parts {
  if (value instanceof Date) return [[path, value.getTime()]];
  if (value instanceof RegExp || value instanceof URL) return [[path, String(value)]];
  if (value instanceof Map)
    return [...value].flatMap(([key, item], index): Parts => {
      const at = `${path}.entry(${index})`;
      return [
        [`${at}.key`, key],
        [`${at}.value`, item],
      ];
    });
  if (value instanceof Set) return [...value].map((item, index) => [`${path}.item(${index})`, item] as const);
  if (value instanceof ArrayBuffer) return partsOf(new Uint8Array(value), path);
  const own = Object.keys(value).map((key) => [joined(path, key), value[key as keyof typeof value]] as const);
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  if (isList) return [...own, [`${path}.length`, (value as { length?: number }).length]];
  const named = own.toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (!(value instanceof Error)) return named;
  const { name, message, cause } = value;
  return [[`${path}.name`, name], [`${path}.message`, message], [`${path}.cause`, cause], ...named];
}

function joined(path: string, key: string): string {
  if (/^\d+$/.test(key)) return `${path}[${key}]`;
  return /^[\w$]+$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function shown(value: unknown): string {
  return inspect(value, { depth: 2, breakLength: Number.POSITIVE_INFINITY }).slice(0, 500);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
