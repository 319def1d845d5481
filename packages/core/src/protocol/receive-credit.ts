/** A grant smaller than this part of a stream's share waits, so that credit costs few frames. */
const WORTHWHILE = 1 / 4;

/** The accounts of one incoming body, in bytes. */
export class StreamCredit {
  /** Not arrived. */
  missingBytes: number;
  /** Came unasked. */
  earlyBytes = 0;
  /** Asked for and not arrived: what the sender may still send. */
  askedBytes = 0;
  /** Arrived as asked for and not taken. */
  bufferedBytes = 0;
  /** Whether somebody reads it and more is to come. */
  isReading = false;
  /** Part of the budget that it holds. */
  heldBytes = 0;

  constructor(byteLength: number) {
    this.missingBytes = byteLength;
  }
}

/**
 * Decides how much to ask of which body, so that all that is asked for and buffered stays within one budget, whatever
 * the number of readers. Bookkeeping only: whoever uses it sends the credit.
 */
export class ReceiveCredit {
  readonly #streamWindowBytes: number;
  readonly #budgetBytes: number;
  readonly #chunkBytes: number;
  #heldBytes = 0;
  #readers = 0;

  /**
   * @param streamWindowBytes - most bytes to ask of one body ahead of its reader.
   * @param budgetBytes - most bytes to ask of all bodies together.
   * @param chunkBytes - what a reader with nothing at all gets beyond the budget, so that the slowness of others never
   *   stops it.
   */
  constructor(streamWindowBytes: number, budgetBytes: number, chunkBytes: number) {
    this.#streamWindowBytes = streamWindowBytes;
    this.#budgetBytes = budgetBytes;
    this.#chunkBytes = chunkBytes;
  }

  /** Somebody begins to read; nothing is asked for that has come already. */
  begin(stream: StreamCredit): void {
    if (stream.isReading || stream.missingBytes === 0) return;
    stream.isReading = true;
    this.#readers += 1;
  }

  /** Bytes have arrived, which were checked to be allowed. */
  arrived(stream: StreamCredit, bytes: number, isEarly: boolean): void {
    stream.missingBytes -= bytes;
    if (isEarly) {
      stream.earlyBytes += bytes;
      return;
    }
    stream.askedBytes -= bytes;
    stream.bufferedBytes += bytes;
  }

  /** Bytes that were asked for were taken or dropped. */
  taken(stream: StreamCredit, bytes: number): void {
    stream.bufferedBytes -= bytes;
    this.#hold(stream);
  }

  /** No more bytes will be kept of it; those asked for may still come. */
  finish(stream: StreamCredit): void {
    if (stream.isReading) this.#readers -= 1;
    stream.isReading = false;
    this.#hold(stream);
  }

  /**
   * How much to ask for now.
   * @param isStarving - whether the reader waits and nothing is buffered.
   * @returns 0 when there is nothing to ask for, or not yet.
   */
  ask(stream: StreamCredit, isStarving: boolean): number {
    if (!stream.isReading) return 0;
    const due = stream.missingBytes - stream.askedBytes;
    const share = this.#share();
    const room = Math.min(share - stream.heldBytes, this.#budgetBytes - this.#heldBytes);
    let bytes = Math.min(room, due);
    if (isStarving && stream.askedBytes === 0) bytes = Math.max(bytes, Math.min(this.#chunkBytes, due));
    else if (bytes < due && bytes < share * WORTHWHILE) return 0;
    if (bytes <= 0) return 0;
    stream.askedBytes += bytes;
    this.#hold(stream);
    return bytes;
  }

  #share(): number {
    const fair = Math.floor(this.#budgetBytes / Math.max(1, this.#readers));
    return Math.min(this.#streamWindowBytes, Math.max(this.#chunkBytes, fair));
  }

  /** Brings the budget up to date: a body that nobody reads any more holds only what is buffered of it. */
  #hold(stream: StreamCredit): void {
    const held = stream.bufferedBytes + (stream.isReading ? stream.askedBytes : 0);
    this.#heldBytes += held - stream.heldBytes;
    stream.heldBytes = held;
  }
}

/** What came unasked on all bodies together, and when to tell the sender that it was taken. */
export class EarlyCredit {
  readonly #windowBytes: number;
  /** Came, and the sender was not told that it was taken. */
  #outstandingBytes = 0;
  /** Taken, and the sender not told yet. */
  #takenBytes = 0;

  /** @param windowBytes - what the sender was told at the start. */
  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  /** Counts bytes that came. @returns whether the sender kept to the window. */
  arrived(bytes: number): boolean {
    this.#outstandingBytes += bytes;
    return this.#outstandingBytes <= this.#windowBytes;
  }

  /** Counts bytes that were taken. @returns the credit to send now; 0 for none yet. */
  taken(bytes: number): number {
    this.#takenBytes += bytes;
    if (this.#takenBytes < this.#windowBytes * WORTHWHILE) return 0;
    const credit = this.#takenBytes;
    this.#takenBytes = 0;
    this.#outstandingBytes -= credit;
    return credit;
  }
}
