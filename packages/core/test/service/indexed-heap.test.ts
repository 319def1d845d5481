import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IndexedHeap } from '../../src/service/indexed-heap.js';

interface Item {
  value: number;
  heapIndex: number;
}
const item = (value: number): Item => ({ value, heapIndex: -1 });

describe('a heap that knows where its items are', () => {
  it('has the least on top, whatever is added, changed and removed', () => {
    const deeds = fc.array(
      fc.tuple(fc.constantFrom('add', 'add', 'change', 'remove', 'pop'), fc.nat(30), fc.nat()),
    );
    fc.assert(
      fc.property(deeds, (taken) => {
        const heap = new IndexedHeap<Item>((a, b) => a.value < b.value);
        const model: Item[] = [];
        for (const [deed, value, which] of taken) {
          const some = deed === 'pop' ? heap.top : model[which % Math.max(1, model.length)];
          if (deed === 'add') {
            const added = item(value);
            model.push(added);
            heap.add(added);
          } else if (some && deed === 'change') {
            some.value = value;
            heap.update(some);
          } else if (some) {
            heap.remove(some);
            model.splice(model.indexOf(some), 1);
          }
          expect(heap.items.map((each) => each.heapIndex)).toEqual(model.map((_, index) => index));
          expect(heap.top?.value).toBe(model.toSorted((a, b) => a.value - b.value)[0]?.value);
        }
      }),
    );
  });

  it('takes no more steps than the logarithm of its size', () => {
    let steps = 0;
    const heap = new IndexedHeap<Item>((a, b) => {
      steps += 1;
      return a.value < b.value;
    });
    const items = Array.from({ length: 100_000 }, (_, n) => item((n * 7_919) % 100_003));
    for (const each of items) heap.add(each);
    for (const each of items) heap.remove(each);
    expect(steps / items.length).toBeLessThan(3 * Math.log2(items.length));
  });
});
