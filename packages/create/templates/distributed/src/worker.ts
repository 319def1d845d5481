import { openWorker, shutdownOnSignals } from './nodes.js';
import { RESULTS, URL_OF_SERVICE } from './settings.js';

const name = process.argv[2] ?? `worker-${process.pid}`;
shutdownOnSignals(await openWorker(name, { url: URL_OF_SERVICE, results: RESULTS }));
console.log(`${name} takes runs`);
