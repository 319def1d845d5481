/** Makes ids, so that a simulation repeats them. @public */
export interface Ids {
  /** A UUIDv7 (RFC 9562): unique, and ordered by time of making within one process. */
  next(): string;
}
