import { openService, shutdownOnSignals } from './nodes.js';
import { PORT, URL_OF_SERVICE } from './settings.js';

shutdownOnSignals(await openService(PORT));
console.log(`The service listens at ${URL_OF_SERVICE}`);
