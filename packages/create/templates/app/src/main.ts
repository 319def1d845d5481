import { readFile } from 'node:fs/promises';
import { Lifecycle } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { countAll } from './routines.js';

const files = process.argv.slice(2);
const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));

// Each worker has a thread of its own, which loads the module that defines the routines.
const lifecycle = await Lifecycle.init({
  project: 'words',
  plugins: [
    fsStore({ dir: 'results' }),
    embeddedCluster({ workers: 2, modules: [new URL('./routines.js', import.meta.url)] }),
  ],
});
lifecycle.events$.subscribe((event) => {
  if (event.type === 'run.cached') console.error(`${event.routineId} was remembered`);
});
try {
  console.log(`${await countAll(texts)} words in ${files.length} files`);
} finally {
  await lifecycle.shutdown();
}
