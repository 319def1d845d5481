/** Whether an object has an enumerable property whose key is a symbol. Such properties cannot be carried. */
export function hasEnumerableSymbol(object: object): boolean {
  const symbols = Object.getOwnPropertySymbols(object);
  // Nearly no object has any, and then not even a closure should be made.
  return symbols.length === 0 ? false : hasEnumerable(object, symbols);
}

function hasEnumerable(object: object, keys: readonly PropertyKey[]): boolean {
  return keys.some((key) => Object.prototype.propertyIsEnumerable.call(object, key));
}

/**
 * Whether an array without holes has enumerable properties beside its items, as the result of `RegExp.exec` has.
 * Asking for values is the one cheap way: to list keys makes a string of each index.
 */
export function hasNamedProperties(array: readonly unknown[]): boolean {
  return Object.values(array).length !== array.length;
}

/** An enumerable property of an array beside its items, if it has one. Slow: lists all keys. */
export function namedPropertyOf(array: readonly unknown[]): string | undefined {
  // Indices come first, in ascending order.
  const last = Object.keys(array).at(-1);
  return last === undefined || isIndex(last, array.length) ? undefined : last;
}

function isIndex(key: string, length: number): boolean {
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && index < length && String(index) === key;
}
