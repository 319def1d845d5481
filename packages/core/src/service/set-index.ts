const NONE: ReadonlySet<never> = new Set();

/** Sets of items by what they have in common. A set that becomes empty is forgotten. */
export class SetIndex<Key, Item> {
  readonly #sets = new Map<Key, Set<Item>>();

  [Symbol.iterator](): IterableIterator<[Key, ReadonlySet<Item>]> {
    return this.#sets[Symbol.iterator]();
  }

  get(key: Key): ReadonlySet<Item> {
    return this.#sets.get(key) ?? NONE;
  }

  add(key: Key, item: Item): void {
    const set = this.#sets.get(key);
    if (set) set.add(item);
    else this.#sets.set(key, new Set([item]));
  }

  remove(key: Key, item: Item): void {
    const set = this.#sets.get(key);
    set?.delete(item);
    if (set?.size === 0) this.#sets.delete(key);
  }

  clear(): void {
    this.#sets.clear();
  }
}
