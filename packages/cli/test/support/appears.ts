import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Resolves when a file has something in it, with what that is. */
export async function appears(dir: string, name: string): Promise<string> {
  const watcher = watch(dir);
  try {
    for (;;) {
      const changed = new Promise((resolve) => watcher.once('change', resolve));
      const text = await readFile(join(dir, name), 'utf8').catch(() => '');
      if (text !== '') return text;
      await changed;
    }
  } finally {
    watcher.close();
  }
}
