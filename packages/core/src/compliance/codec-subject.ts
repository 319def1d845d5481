import type { Codec, CodecCapabilities } from '../ports/codec.js';
import type { Serializer } from '../ports/serializer.js';
import type { ComplianceCase, ComplianceGroup, ComplianceSubject } from './kit.js';

/** The codec that is judged. @public */
export interface CodecSubject extends ComplianceSubject {
  /** What the codec declares: decides which cases there are, and one of them compares it with the codec. */
  readonly capabilities: CodecCapabilities;
  /**
   * The definition that its digests follow: `routine-engine/digest/1` is that of `docs/digest.md`, and is held against its golden
   * vectors. Leave it out for a definition of the codec's own.
   */
  readonly digests?: 'routine-engine/digest/1';
  /** Makes a codec that asks these serializers in their order. */
  create(serializers: readonly Serializer[]): Codec;
}

/** What a codec can do beyond the minimum: decides which cases there are. @public */
export interface CodecAbilities extends CodecCapabilities {
  /** Whether its digests are those of `docs/digest.md`. */
  readonly goldenDigests: boolean;
  /** Whether it has `unfinishedDigestNode`. */
  readonly unfinishedNodes: boolean;
}

/** What one case of the kit for codecs gets. @public */
export interface CodecGiven {
  readonly can: CodecAbilities;
  /** A codec without serializers. */
  readonly codec: Codec;
  /** Makes another codec. */
  readonly create: (serializers: readonly Serializer[]) => Codec;
}

export type CodecCase = ComplianceCase<CodecGiven, CodecAbilities>;
export type CodecGroup = ComplianceGroup<CodecGiven, CodecAbilities>;

export const needsReferences = (can: CodecAbilities): string | undefined =>
  can.references ? undefined : 'the codec carries no shared references';

export const needsOutOfBand = (can: CodecAbilities): string | undefined =>
  can.outOfBand ? undefined : 'the codec carries binary parts in the head';
