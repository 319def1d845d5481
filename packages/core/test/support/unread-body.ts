import type { Body } from '../../src/model/body.js';

/** A body that streams and whose sender waits: it only tells when it is given up. */
export class UnreadBody implements Body {
  readonly byteLength = 300_000;
  readonly sizes = [300_000];
  isGivenUp = false;

  chunks(): AsyncIterable<Uint8Array> {
    const iterator: AsyncIterator<Uint8Array> = {
      next: () => new Promise(() => undefined),
      return: () => {
        this.isGivenUp = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }
}
