import process from 'node:process';
import { defineConfig } from '@routine-engine/cli';
import { ADAPTER_API_VERSION, contribute, EVENT_FEED } from '@routine-engine/core/adapter';
import { note } from './journal.mjs';

const leaseMs = Number(process.env['CHAOS_LEASE_MS']);

/** Tells in the journal which results the directory has from here on. */
const journal = {
  name: 'journal of results',
  api: `^${ADAPTER_API_VERSION}`,
  parts: [
    contribute(Symbol.for('chaos/journal'), (parts) =>
      parts.get(EVENT_FEED).events$.subscribe((event) => {
        if (event.type === 'store.put' && event.store === 'fs')
          note({ type: 'kept', key: event.key, outcome: event.outcome });
      }),
    ),
  ],
};

export default defineConfig({
  plugins: [journal],
  modules: [new URL('./routines.mjs', import.meta.url)],
  // Workers are killed here for no fault of their runs.
  maxDeliveries: 1_000,
  heartbeat: { heartbeatMs: leaseMs / 5, suspectMs: leaseMs / 2, leaseMs },
});
