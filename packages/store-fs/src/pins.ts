import type { ResultKey } from '@routine-engine/core/adapter';
import { close, createFile, isCode, rename, unlink } from './file-access.js';
import { type StorePlace, unlessMissing } from './store-place.js';
import { publish } from './write-result.js';

/**
 * Which results are to stay: an empty file beside that of the result, so that one look into a directory tells both, and
 * one sync has both outlast a power cut.
 */
export class Pins {
  readonly #place: StorePlace;

  constructor(place: StorePlace) {
    this.#place = place;
  }

  /** Pins a result, or no longer. @returns whether there is such a result. */
  async set(key: ResultKey, pinned: boolean): Promise<boolean> {
    const { layout } = this.#place;
    const doing = `${pinned ? 'pin' : 'unpin'} the result ${key}`;
    const [result, pin] = [layout.pathOf(key), layout.pinPathOf(key)];
    let there = await this.#place.isThere(doing, key, result);
    if (there && pinned) {
      await unlessMissing(doing, pin, makeEmpty(pin));
      // Again: who deleted it meanwhile may have looked for the pin too early.
      there = await this.#place.isThere(doing, key, result);
    } else if (there) {
      await this.#place.remove(doing, key, pin);
    }
    if (!there) await this.forget(key);
    await this.#place.syncNames(doing, pin);
    return there;
  }

  /** Removes the pin of a result that is about to be deleted. */
  async remove(key: ResultKey): Promise<void> {
    await this.#place.remove(`unpin the result ${key}`, key, this.#place.layout.pinPathOf(key));
  }

  /** Removes the pin of a result that is gone; not when there is a result again, since that one may have been pinned. */
  async forget(key: ResultKey): Promise<void> {
    const { layout } = this.#place;
    const doing = `forget that the result ${key} was pinned`;
    const pin = layout.pinPathOf(key);
    const aside = layout.newTemporary();
    // Moved away first, not removed after a look: so a pin that is made after the look is not touched.
    const moved = rename(pin, aside).then(() => true);
    if (!(await unlessMissing(doing, pin, moved))) return;
    try {
      const there = await this.#place.isThere(doing, key, layout.pathOf(key));
      if (there) await unlessMissing(doing, pin, publish(aside, pin));
    } finally {
      // What can't be removed now goes as other temporary files do.
      await Promise.allSettled([unlink(aside)]);
    }
    await this.#place.syncNames(doing, pin);
  }
}

async function makeEmpty(file: string): Promise<void> {
  try {
    await close(await createFile(file));
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  }
}
