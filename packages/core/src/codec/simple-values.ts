import { LIMITS } from '../model/limits.js';
import { hasEnumerableSymbol, hasNamedProperties } from './own-properties.js';
import { isCarriedExactly } from './well-formed.js';

/** Up to this many containers a list is searched faster than a Set. */
const LISTED = 12;

/**
 * Whether msgpackr carries a value exactly as it stands: null, booleans, numbers but -0, well-formed strings, dense
 * arrays and plain objects without special keys, none of them met twice. Most arguments are of that kind, and need no
 * tree of their own. Refuses nothing: what is not simple is looked at again by the encode walk.
 */
export function isSimple(value: unknown): boolean {
  const met = idle ?? new Met();
  idle = undefined;
  const simple = isSimplePart(value, 0, met);
  met.clear();
  idle = met;
  return simple;
}

/** The containers met so far in one value. */
class Met {
  readonly #list: (object | undefined)[] = Array.from({ length: LISTED }, () => undefined);
  #listed = 0;
  #all: Set<object> | undefined;

  /** Adds a container; false when it had been met before. */
  add(container: object): boolean {
    if (this.#all) {
      const { size } = this.#all;
      return this.#all.add(container).size !== size;
    }
    const list = this.#list;
    const listed = this.#listed;
    for (let index = 0; index < listed; index += 1) {
      if (list[index] === container) return false;
    }
    if (listed === LISTED) {
      this.#all = new Set(list as object[]).add(container);
      return true;
    }
    list[listed] = container;
    this.#listed = listed + 1;
    return true;
  }

  /** Lets go of them: nothing of a value may stay alive here. */
  clear(): void {
    for (let index = 0; index < this.#listed; index += 1) this.#list[index] = undefined;
    this.#listed = 0;
    this.#all = undefined;
  }
}

/** Kept for the next value, since making one takes a tenth of a small walk. Absent while a walk uses it. */
let idle: Met | undefined = new Met();

function isSimplePart(value: unknown, depth: number, met: Met): boolean {
  if (typeof value === 'number') return value !== 0 || !Object.is(value, -0);
  if (typeof value === 'string') return isCarriedExactly(value);
  if (typeof value === 'boolean' || value === null) return true;
  if (typeof value !== 'object' || depth === LIMITS.valueDepth || !met.add(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return isSimpleObject(value as Record<string, unknown>, depth + 1, met);
  return prototype === Array.prototype && Array.isArray(value) && isSimpleArray(value, depth + 1, met);
}

function isSimpleArray(array: readonly unknown[], depth: number, met: Met): boolean {
  const { length } = array;
  for (let index = 0; index < length; index += 1) {
    // A hole reads as undefined, which is not simple.
    if (!isSimplePart(array[index], depth, met)) return false;
  }
  // Symbols are not looked for here: it would take a tenth of the time of a small call, and nobody puts them on arrays.
  return !hasNamedProperties(array);
}

function isSimpleObject(object: Record<string, unknown>, depth: number, met: Met): boolean {
  for (const key in object) {
    // msgpackr looks at `constructor`, and renames `__proto__`.
    if (key === '__proto__' || key === 'constructor' || !isCarriedExactly(key)) return false;
    if (!isSimplePart(object[key], depth, met)) return false;
  }
  return !hasEnumerableSymbol(object);
}
