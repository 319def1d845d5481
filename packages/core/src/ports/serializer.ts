/**
 * Carries instances of a class. Register it with the plugin `serializer()`.
 * @public
 */
export interface Serializer<T = unknown, Plain = unknown> {
  /** Stable name on the wire and in stored results, such as `news/Model`. 1 to 200 characters. */
  readonly key: string;
  /** Whether this serializer carries the value. Asked only for objects that the codec does not know itself. */
  claims(value: object): value is T & object;
  /** What to carry instead: any encodable value, other claimed instances included. */
  serialize(value: T): Plain;
  /**
   * The inverse. `plain` is the caller's own, and may come from a stranger: check it. Keep the arrays and objects in it rather
   * than copies: they may stand elsewhere in the value too, and what a copy holds stands in two places then. A value whose stream
   * stands in two can't be encoded again (`VALUE_NOT_ENCODABLE`), since a stream is read once.
   */
  deserialize(plain: Plain): T;
}
