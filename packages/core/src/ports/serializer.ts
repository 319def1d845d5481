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
  /** The inverse. `plain` is the caller's own, and may come from a stranger: check it. */
  deserialize(plain: Plain): T;
}
