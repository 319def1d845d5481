import { afterAll, describe, expect, it } from 'vitest';
import type { MemoryStore } from '../../src/cache/memory-store.ts';
import type { MsgpackrCodec } from '../../src/codec/msgpackr-codec.ts';
import { engineKit } from '../../src/compliance/engine.ts';
import { runCompliance } from '../../src/compliance/run-compliance.ts';
import { systemClock } from '../../src/lifecycle/platform/system-clock.ts';
import { ADAPTER_API_VERSION, type EnginePlugin, type Part, provide } from '../../src/ports/plugin.ts';
import { CLOCK, CODEC, RESULT_STORE } from '../../src/ports/tokens.ts';
import { brokenCodec } from './broken-codecs.ts';
import { brokenBy } from './broken-result-stores.ts';

const plugin = (part: Part): EnginePlugin => ({ name: 'broken', api: ADAPTER_API_VERSION, parts: [part] });
/** Of a case; of a whole kit more than the runner gives by default. */
const TIMEOUT_MS = 5_000;
const intervals: NodeJS.Timeout[] = [];
afterAll(() => intervals.forEach(clearInterval));

const BROKEN: readonly (readonly [what: string, ids: readonly string[], part: () => Part])[] = [
  [
    'has a store that forgets',
    ['engine/remembering/remembered', 'engine/remembering/refreshed'],
    () =>
      provide(RESULT_STORE, () =>
        brokenBy(() => ({ get: async () => undefined, put: async () => 'stored' })),
      ),
  ],
  [
    'has a store that gives the first result for everything',
    ['engine/values/results', 'engine/remembering/remembered', 'engine/trees/mapped'],
    () =>
      provide(RESULT_STORE, () =>
        brokenBy((sound: MemoryStore) => {
          let first: string | undefined;
          return {
            put: (key, ...rest) => sound.put((first ??= key), ...rest),
            get: async (key, ...rest) => sound.get(first ?? key, ...rest),
          };
        }),
      ),
  ],
  [
    'gives all callers one value',
    ['engine/values/own'],
    () =>
      provide(CODEC, () =>
        brokenCodec((sound: MsgpackrCodec) => {
          const given = new Map<string, unknown>();
          return {
            decode(encoded, options) {
              const value = sound.decode(encoded, options);
              if (!Array.isArray(value) || value.length !== 2) return value;
              const key = Buffer.from(encoded.head).toString('hex');
              if (!given.has(key)) given.set(key, value);
              return given.get(key);
            },
          };
        }),
      ),
  ],
  [
    'carries texts alone where errors are values',
    ['engine/values/kinds'],
    () =>
      provide(CODEC, () =>
        brokenCodec((sound: MsgpackrCodec) => ({
          decode(encoded, options) {
            const value = sound.decode(encoded, options);
            const inner = Array.isArray(value)
              ? (value[0] as { error?: unknown })
              : (value as { error?: unknown });
            if (inner?.error instanceof Error) inner.error = String(inner.error);
            return value;
          },
        })),
      ),
  ],
  [
    'has a clock whose timers never come',
    ['engine/errors/retried', 'engine/cancel/timed-out', 'engine/events/one-terminal'],
    () => provide(CLOCK, () => ({ ...systemClock, after: () => ({ cancel: () => {} }) })),
  ],
  [
    'leaves a timer behind each time',
    ['engine/lifecycles/leaks'],
    () => {
      intervals.push(setInterval(() => {}, 60_000));
      return provide(CLOCK, () => systemClock);
    },
  ],
];

describe('the kit for engines', () => {
  it.each(BROKEN)(
    'catches an engine that %s, by exactly these cases',
    async (_, ids, part) => {
      const { cases } = await runCompliance(
        engineKit,
        { plugins: () => [plugin(part())] },
        { timeoutMs: TIMEOUT_MS },
      );
      expect(cases.filter(({ outcome }) => outcome === 'failed').map(({ id }) => id)).toEqual(ids);
    },
    60_000,
  );
});
