import type { Observable } from 'rxjs';

/** What a pipe can do beyond the minimum. @public */
export interface MessagePipeCapabilities {
  /**
   * Largest message in bytes that it takes, at least 1,024; `Infinity` when there is no limit. The multiplexer never
   * sends more than this, nor more than `LIMITS.chunkBytes`, and refuses longer messages that come in.
   */
  readonly largestMessageBytes: number;
}

/**
 * The least that carries a connection: whole binary messages, in order, each once, both ways. `multiplex` makes a
 * {@link Connection} of it, with streams, flow control and everything else.
 *
 * It is open when it is handed over. It may lose messages only by closing.
 * @public
 */
export interface MessagePipe {
  /** For logs and errors, such as the address of the peer. */
  readonly peer: string;
  readonly capabilities: MessagePipeCapabilities;
  /**
   * Sends one message of 1 to `largestMessageBytes` bytes, which is always taken.
   *
   * The bytes may be a view into larger memory that others read as well. The caller does not change them before
   * `released` is called; the pipe may keep them until then, and neither writes to them nor transfers them away.
   * @param released - to be called when the pipe has no more use for the bytes, at most once: then their memory is used
   *   again, in place of new memory for each message. A pipe that can't tell, or hands the very bytes on, never calls it.
   * @returns whether there is room for more. After `false` the caller waits for `drained` before the next, except that
   *   one more message may follow at once.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED` once the pipe is closed, by either side.
   */
  send(message: Uint8Array, released?: () => void): boolean;
  /**
   * Resolves when there is room again; at once when there is.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED` when it closes before.
   */
  drained(): Promise<void>;
  /**
   * Each message of the peer, in order. Buffered until the first subscription; one subscriber. Once the pipe is closed
   * it completes, after the last message that had arrived; never errors.
   *
   * The bytes belong to the subscriber: the pipe doesn't touch them again, unless they are given back to `recycle`.
   */
  readonly messages$: Observable<Uint8Array>;
  /**
   * Takes back a message that `messages$` gave, all of it, whose bytes nobody reads any more: the pipe may use their memory
   * for another message, which spares the garbage collector a large body. Most messages are never given back; none is
   * twice, but some are after the pipe has closed. A pipe that has no use for the memory leaves this out.
   * @param message - the same bytes, perhaps as another view of the same memory.
   */
  recycle?(message: Uint8Array): void;
  /**
   * Asks for no more messages for now, so that the peer's `send` turns `false` in the end. Messages that have arrived
   * already may still come; what does not come, and the completion, comes after `resume`, also when the pipe has
   * closed meanwhile. A second call does nothing.
   */
  pause(): void;
  /** Ends a pause; does nothing without one. */
  resume(): void;
  /**
   * Resolves once, when the pipe is closed: with `undefined` when either side called `close`, else with what broke it.
   * Never rejects. Messages that arrived before may still be on their way to the subscriber of `messages$`.
   */
  readonly closed: Promise<Error | undefined>;
  /**
   * Closes it for both sides. What was sent before still goes out, unless the link is broken. A second call does
   * nothing.
   * @param reason - for logs of the peer, at most 100 characters; a pipe that can't carry it drops it.
   */
  close(reason?: string): void;
}
