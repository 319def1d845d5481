import { describe, expect, it } from 'vitest';
import { Fifo } from '../../src/protocol/fifo.js';
import { Inbox } from '../../src/protocol/inbox.js';

describe('the inbox', () => {
  it('hands over what was kept before what comes just after the subscription', async () => {
    const inbox = new Inbox(1_000, () => undefined);
    const heard: unknown[] = [];
    inbox.push({ header: { n: 1 } }, 10);
    inbox.inbound$.subscribe({
      next: ({ header }) => heard.push(header['n']),
      complete: () => heard.push('end'),
    });
    inbox.push({ header: { n: 2 } }, 10);
    inbox.complete();
    inbox.push({ header: { n: 3 } }, 10);
    expect(heard).toEqual([]);
    await Promise.resolve();
    expect(heard).toEqual([1, 2, 'end']);
  });

  it('says once when it is crowded, and once when it has room again', async () => {
    const crowded: boolean[] = [];
    const inbox = new Inbox(1_000, (isCrowded) => crowded.push(isCrowded));
    for (let n = 0; n < 10; n += 1) inbox.push({ header: { n } }, 100);
    expect(crowded).toEqual([true]);
    inbox.inbound$.subscribe();
    await Promise.resolve();
    expect(crowded).toEqual([true, false]);
  });
});

describe('a queue', () => {
  it('gives items back in order, also while it grows', () => {
    const queue = new Fifo<number>();
    const taken: (number | undefined)[] = [];
    for (let n = 0; n < 1_000; n += 1) {
      queue.push(2 * n);
      queue.push(2 * n + 1);
      taken.push(queue.shift());
    }
    expect([queue.length, queue.last]).toEqual([1_000, 1_999]);
    while (queue.length > 0) taken.push(queue.shift());
    expect(taken).toEqual(Array.from({ length: 2_000 }, (_, n) => n));
    expect([queue.shift(), queue.last]).toEqual([undefined, undefined]);
  });
});
