import assert from 'node:assert/strict';
import { binaryCases } from './codec-binary.js';
import { digestCases } from './codec-digests.js';
import { errorCases } from './codec-errors.js';
import { hostileCases } from './codec-hostile.js';
import { ownershipCases } from './codec-ownership.js';
import { referenceCases } from './codec-references.js';
import { refusalCases } from './codec-refusals.js';
import { streamCases } from './codec-streams.js';
import type { CodecAbilities, CodecCase, CodecGiven, CodecGroup, CodecSubject } from './codec-subject.js';
import { valueCases } from './codec-values.js';
import type { ComplianceKit } from './kit.js';
import { type CaseOptions, registerCompliance } from './register.js';
import type { ComplianceRunner } from './runner.js';

const declarationCases: readonly CodecCase[] = [
  {
    id: 'codec/declarations/declared',
    title: 'declares the capabilities by which it is tested, and a name that nodes can compare',
    promise: 'codec-mismatch-refused',
    run: async ({ codec, create, can }) => {
      const { references, outOfBand, unfinishedNodes } = can;
      assert.deepEqual({ ...codec.capabilities }, { references, outOfBand });
      assert.equal(codec.unfinishedDigestNode !== undefined, unfinishedNodes);
      assert.match(codec.name, /^[a-z][a-z0-9-]*$/);
      assert.equal(create([]).name, codec.name);
    },
  },
];

const groups: readonly CodecGroup[] = [
  { name: 'declarations', title: 'is what it declares', cases: declarationCases },
  { name: 'values', title: 'carries values', cases: valueCases },
  { name: 'errors', title: 'carries errors', cases: errorCases },
  { name: 'references', title: 'carries references', cases: referenceCases },
  { name: 'binary', title: 'carries bytes', cases: binaryCases },
  { name: 'ownership', title: 'leaves to each what is his', cases: ownershipCases },
  { name: 'digests', title: 'digests', cases: digestCases },
  { name: 'streams', title: 'carries streams', cases: streamCases },
  { name: 'refusals', title: 'refuses what it cannot carry', cases: refusalCases },
  { name: 'hostile', title: 'bounds hostile bytes', cases: hostileCases },
];

/** What a `Codec` has to do, as data: over 90 cases. @public */
export const codecKit: ComplianceKit<CodecSubject, CodecAbilities, CodecGiven> = {
  name: 'codec',
  title: 'a codec',
  version: '1.0.0',
  groups,
  capabilitiesOf: abilitiesOf,
  prepare: (subject) => ({
    can: abilitiesOf(subject),
    codec: subject.create([]),
    create: (serializers) => subject.create(serializers),
  }),
};

/**
 * Proves that a `Codec` keeps its promises: over 90 cases.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest';
 * codecCompliance({ describe, it }, {
 *   capabilities: { references: true, outOfBand: true },
 *   create: (serializers) => new MyCodec({ serializers }),
 * });
 * ```
 * @public
 */
export function codecCompliance(
  runner: ComplianceRunner,
  subject: CodecSubject,
  options?: CaseOptions,
): void {
  registerCompliance(codecKit, runner, subject, options);
}

function abilitiesOf(subject: CodecSubject): CodecAbilities {
  const { references, outOfBand } = subject.capabilities;
  return {
    references,
    outOfBand,
    goldenDigests: subject.digests === 'routine-engine/digest/1',
    unfinishedNodes: subject.create([]).unfinishedDigestNode !== undefined,
  };
}
