/** Something that knows its place in the one heap that it may be in. */
export interface HeapItem {
  /** -1 while it is in none. */
  heapIndex: number;
}

/** A binary heap that gives up any of its items in logarithmic time. */
export class IndexedHeap<Item extends HeapItem> {
  readonly #items: Item[] = [];
  readonly #precedes: (a: Item, b: Item) => boolean;

  /** @param precedes - a strict order; of equals any may be first. */
  constructor(precedes: (a: Item, b: Item) => boolean) {
    this.#precedes = precedes;
  }

  get size(): number {
    return this.#items.length;
  }

  /** The item that no other precedes. */
  get top(): Item | undefined {
    return this.#items[0];
  }

  /** In no order. */
  get items(): readonly Item[] {
    return this.#items;
  }

  add(item: Item): void {
    this.#put(item, this.#items.length);
    this.#rise(item);
  }

  remove(item: Item): void {
    const index = item.heapIndex;
    const last = this.#items.pop();
    item.heapIndex = -1;
    if (!last || last === item) return;
    this.#put(last, index);
    this.update(last);
  }

  /** To be called when what the order of an item depends on has changed. */
  update(item: Item): void {
    const before = item.heapIndex;
    this.#rise(item);
    if (item.heapIndex === before) this.#sink(item);
  }

  #rise(item: Item): void {
    for (let index = item.heapIndex; index > 0;) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#items[parentIndex];
      if (!parent || !this.#precedes(item, parent)) return;
      this.#put(parent, index);
      this.#put(item, parentIndex);
      index = parentIndex;
    }
  }

  #sink(item: Item): void {
    for (let index = item.heapIndex; ;) {
      const child = this.#firstChildOf(index);
      if (!child || !this.#precedes(child, item)) return;
      const childIndex = child.heapIndex;
      this.#put(child, index);
      this.#put(item, childIndex);
      index = childIndex;
    }
  }

  #firstChildOf(index: number): Item | undefined {
    const left = this.#items[2 * index + 1];
    const right = this.#items[2 * index + 2];
    return left && right && this.#precedes(right, left) ? right : left;
  }

  #put(item: Item, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}
