/** Where a node lacks the SHA-256 of a part of the value, 32 bytes. Plain data. @public */
export interface NodeGap {
  /** Number of bytes before it. */
  readonly at: number;
  /** Which part of the encoded value: 0 is the head, then the buffers. */
  readonly part: number;
}

/**
 * What stands for a value in canonical digests, but for hashes of large parts that somebody makes anyway: who stores them.
 * Plain data.
 * @public
 */
export interface UnfinishedNode {
  /** With zeros in the gaps. */
  readonly bytes: Uint8Array;
  /** Empty when nothing is missing. */
  readonly gaps: readonly NodeGap[];
}

/**
 * What stands for the value.
 * @param digestOf - SHA-256 of a part, 64 lower-case hex digits.
 */
export function finishedNode(
  { bytes, gaps }: UnfinishedNode,
  digestOf: (part: number) => string,
): Uint8Array {
  if (gaps.length === 0) return bytes;
  const finished = Uint8Array.from(bytes);
  for (const { at, part } of gaps) finished.set(Buffer.from(digestOf(part), 'hex'), at);
  return finished;
}
