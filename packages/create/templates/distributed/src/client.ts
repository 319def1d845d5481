import { readFile } from 'node:fs/promises';
import { openClient } from './nodes.js';
import { countAll } from './routines.js';
import { RESULTS, URL_OF_SERVICE } from './settings.js';

const files = process.argv.slice(2);
const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
const lifecycle = await openClient({ url: URL_OF_SERVICE, results: RESULTS });
try {
  console.log(`${await countAll(texts)} words in ${files.length} files`);
} finally {
  await lifecycle.shutdown();
}
