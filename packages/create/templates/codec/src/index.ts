import { ADAPTER_API_VERSION, CODEC, MsgpackrCodec, provide, SERIALIZER } from '@routine-engine/core/adapter';
import type { EnginePlugin } from '@routine-engine/core/adapter';
import { GzipCodec } from './gzip-codec.js';

export { GzipCodec };

/** Encodes values as core does, and compresses what is long. All nodes of a cluster need it. */
export function gzipCodec(): EnginePlugin {
  return {
    name: '{{name}}',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(CODEC, (parts) => new GzipCodec(new MsgpackrCodec({ serializers: parts.all(SERIALIZER) }))),
    ],
  };
}
