import type { Codec } from '../ports/codec.js';
import type { Serializer } from '../ports/serializer.js';
import type { ComplianceCase, ComplianceSubject } from './kit.js';

/** The serializer that is judged. @public */
export interface SerializerSubject<T extends object = object> extends ComplianceSubject {
  readonly serializer: Serializer<T>;
  /** Makes instances anew that are all different: at least two, with everything that an instance may hold. */
  samples(): readonly T[];
  /** Serializers of what the samples hold besides. Default none. */
  readonly others?: readonly Serializer[];
  /**
   * What is compared to see whether an instance arrived equal, such as its fields. Default: the instances, by
   * `assert.deepStrictEqual`.
   */
  plain?(instance: NoInfer<T>): unknown;
  /** Makes the codec that asks the serializers. Default: that of this project. */
  createCodec?(serializers: readonly Serializer[]): Codec;
}

/** What one case of the kit for serializers gets. @public */
export interface SerializerGiven {
  readonly serializer: Serializer<object>;
  readonly samples: () => readonly object[];
  /** What stands for an instance where two are compared. */
  readonly plain: (instance: object) => unknown;
  /** Has the serializer, and the others that its samples take. */
  readonly codec: Codec;
  /** Makes a codec of these serializers and the others. */
  readonly create: (serializers: readonly Serializer[]) => Codec;
}

export type SerializerCase = ComplianceCase<SerializerGiven>;
