import nodeModule from 'node:module';
import { register } from 'tsx/esm/api';
import { resolve } from './typescript-format.js';

/** Since Node 22.15; hooks that run in the thread they are registered in. */
const { registerHooks } = nodeModule as {
  readonly registerHooks?: (hooks: { resolve: typeof resolve }) => void;
};

// In every version of Node: the TypeScript that some of them load themselves is less, and a routine must be the same routine,
// with the same source, wherever it is loaded.
register();
if (registerHooks) registerHooks({ resolve });
else nodeModule.register('./typescript-format.js', import.meta.url);
