import { MsgpackrCodec } from '../codec/msgpackr-codec.js';
import type { Codec } from '../ports/codec.js';
import type { Serializer } from '../ports/serializer.js';
import type { ComplianceKit } from './kit.js';
import { type CaseOptions, registerCompliance } from './register.js';
import type { ComplianceRunner } from './runner.js';
import { claimCases, hostilePlainCases, instanceCases } from './serializer-cases.js';
import type { SerializerGiven, SerializerSubject } from './serializer-subject.js';

/** What a `Serializer` has to do, as data. @public */
export const serializerKit: ComplianceKit<SerializerSubject, object, SerializerGiven> = {
  name: 'serializer',
  title: 'a serializer',
  version: '1.0.0',
  groups: [
    { name: 'claims', title: 'claims what is its own', cases: claimCases },
    { name: 'instances', title: 'carries instances', cases: instanceCases },
    { name: 'hostile', title: 'checks what strangers send', cases: hostilePlainCases },
  ],
  capabilitiesOf: () => ({}),
  prepare: (subject) => {
    const { serializer, others = [] } = subject;
    const plain = (instance: object): unknown => (subject.plain ? subject.plain(instance) : instance);
    const create = (serializers: readonly Serializer[]): Codec => {
      const all = [...serializers, ...others];
      return subject.createCodec?.(all) ?? new MsgpackrCodec({ serializers: all });
    };
    return {
      serializer,
      samples: () => subject.samples(),
      plain,
      codec: create([serializer as Serializer]),
      create,
    };
  },
};

/**
 * Proves that a `Serializer` keeps its promises, together with a codec.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest';
 * serializerCompliance({ describe, it }, { serializer: models, samples: () => [new Model('a'), new Model('b')] });
 * ```
 * @public
 */
export function serializerCompliance<T extends object>(
  runner: ComplianceRunner,
  subject: SerializerSubject<T>,
  options?: CaseOptions,
): void {
  registerCompliance(serializerKit, runner, subject as SerializerSubject, options);
}
