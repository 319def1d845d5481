import { Observable, type Subscriber } from 'rxjs';
import type { OpenPipe } from '../../src/compliance/message-pipe-subject.ts';
import type { MessagePipe } from '../../src/ports/message-pipe.ts';
import { ChannelPipe } from './channel-pipe.ts';
import { LocalPort } from './local-port.ts';

/** A pipe that does everything as another one does, until somebody breaks it. */
class Wrapped implements MessagePipe {
  readonly sound: MessagePipe;
  readonly peer: string;
  readonly capabilities: MessagePipe['capabilities'];
  closed: Promise<Error | undefined>;
  messages$: Observable<Uint8Array>;

  constructor(sound: MessagePipe) {
    this.sound = sound;
    this.peer = sound.peer;
    this.capabilities = sound.capabilities;
    this.closed = sound.closed;
    this.messages$ = sound.messages$;
  }

  send(message: Uint8Array, _released?: () => void): boolean {
    return this.sound.send(message);
  }

  drained(): Promise<void> {
    return this.sound.drained();
  }

  pause(): void {
    this.sound.pause();
  }

  resume(): void {
    this.sound.resume();
  }

  close(reason?: string): void {
    this.sound.close(reason);
  }

  /** Changes what is delivered. */
  protected deliver(change: (message: Uint8Array, subscriber: Subscriber<Uint8Array>) => void): void {
    const { messages$ } = this.sound;
    this.messages$ = new Observable((subscriber) =>
      messages$.subscribe({
        next: (message) => change(message, subscriber),
        complete: () => subscriber.complete(),
      }),
    );
  }
}

class SendsWholeMemory extends Wrapped {
  override send({ buffer }: Uint8Array): boolean {
    return this.sound.send(new Uint8Array(buffer));
  }
}

class CutsAt64KiB extends Wrapped {
  override send(message: Uint8Array): boolean {
    return this.sound.send(message.byteLength <= 131_072 ? message.subarray(0, 65_536) : message);
  }
}

class SwapsBytes extends Wrapped {
  override send(message: Uint8Array): boolean {
    const isSwapped = message.byteLength === 32_768;
    return this.sound.send(isSwapped ? Buffer.from(message).swap16() : message);
  }
}

/** Hears in one memory, again and again. */
class SharesMemory extends Wrapped {
  readonly #memory = new Uint8Array(2_000);

  constructor(sound: MessagePipe) {
    super(sound);
    this.deliver((message, subscriber) => {
      if (message.byteLength !== 1_000) return subscriber.next(message);
      const at = this.#at;
      this.#at = (at + 500) % 1_000;
      this.#memory.set(message, at);
      subscriber.next(this.#memory.subarray(at, at + 1_000));
    });
  }

  #at = 0;
}

class ReleasesTooEarly extends Wrapped {
  override send(message: Uint8Array, released?: () => void): boolean {
    released?.();
    return this.sound.send(message);
  }
}

class NeverPauses extends Wrapped {
  override pause(): void {}
}

class NeverDrains extends Wrapped {
  override drained(): Promise<void> {
    let isOver = false;
    const drained = this.sound.drained();
    void drained.then(
      () => (isOver = true),
      () => undefined,
    );
    return new Promise((resolve, reject) => {
      drained.catch(reject);
      queueMicrotask(() => queueMicrotask(() => isOver && resolve()));
    });
  }
}

class DropsLast extends Wrapped {
  #held: Uint8Array | undefined;
  #isClosed = false;

  override send(message: Uint8Array): boolean {
    if (this.#isClosed) return this.sound.send(message);
    this.#flush();
    this.#held = message;
    setImmediate(() => this.#flush());
    return true;
  }

  override close(reason?: string): void {
    this.#isClosed = true;
    this.#held = undefined;
    this.sound.close(reason);
  }

  #flush(): void {
    const held = this.#held;
    this.#held = undefined;
    try {
      if (held) this.sound.send(held);
    } catch {
      this.#isClosed = true;
    }
  }
}

class RefusesLongReasons extends Wrapped {
  override close(reason = ''): void {
    if (Buffer.byteLength(reason) > 123) throw new RangeError('The reason is too long');
    this.sound.close(reason);
  }
}

class HidesWhatBroke extends Wrapped {
  constructor(sound: MessagePipe) {
    super(sound);
    this.closed = sound.closed.then(() => undefined);
  }
}

/** Never tells that its peer crashed; a close in good order it does. */
class KeepsCrash extends Wrapped {
  constructor(sound: MessagePipe) {
    super(sound);
    this.closed = sound.closed.then((error) => (error ? new Promise(() => undefined) : undefined));
    const { messages$ } = sound;
    this.messages$ = new Observable((subscriber) =>
      messages$.subscribe({
        next: (message) => subscriber.next(message),
        complete: () => void sound.closed.then((error) => error ?? subscriber.complete()),
      }),
    );
  }
}

class KeepsTimer extends Wrapped {
  readonly timer = setInterval(() => undefined, 60_000).unref();
}

export function wrapped(
  wrap: (end: MessagePipe) => MessagePipe,
): () => OpenPipe & { readonly cut: () => void } {
  return () => {
    const [here, there] = LocalPort.pair().map((port) => new ChannelPipe(port));
    if (!here || !there) throw new TypeError('A pipe has two ends');
    return { here: wrap(here), there: wrap(there), cut: () => here.cut() };
  };
}

/** Each with what is wrong about it, and the ids of exactly the cases that it fails. */
export const BROKEN_PIPES: readonly (readonly [
  string,
  () => OpenPipe & { readonly cut: () => void },
  readonly string[],
])[] = [
  [
    'sends the memory around a view',
    wrapped((end) => new SendsWholeMemory(end)),
    ['message-pipe/framing/views'],
  ],
  [
    'cuts messages at 64 KiB',
    wrapped((end) => new CutsAt64KiB(end)),
    ['message-pipe/framing/around-lengths'],
  ],
  [
    'swaps the order of bytes',
    wrapped((end) => new SwapsBytes(end)),
    ['message-pipe/framing/around-lengths'],
  ],
  [
    'hears in memory that it uses again',
    wrapped((end) => new SharesMemory(end)),
    [
      'message-pipe/memory/released-when-unused',
      'message-pipe/memory/belongs-to-subscriber',
      'message-pipe/memory/no-two-share',
      'message-pipe/backpressure/pause-from-within',
      'message-pipe/backpressure/pauses-under-load',
      'message-pipe/backpressure/other-way-goes-on',
    ],
  ],
  [
    'releases bytes before it has sent them',
    wrapped((end) => new ReleasesTooEarly(end)),
    ['message-pipe/memory/released-when-unused'],
  ],
  [
    'never pauses',
    wrapped((end) => new NeverPauses(end)),
    [
      'message-pipe/backpressure/says-full',
      'message-pipe/backpressure/says-full-of-short-messages',
      'message-pipe/backpressure/drains',
      'message-pipe/backpressure/wakes-all',
      'message-pipe/backpressure/pause-holds-back',
      'message-pipe/backpressure/other-way-goes-on',
      'message-pipe/close/completes-after-pause',
    ],
  ],
  [
    'never tells of room',
    wrapped((end) => new NeverDrains(end)),
    [
      'message-pipe/ordering/keeps-order-both-ways',
      'message-pipe/ordering/long-and-short',
      'message-pipe/memory/released-when-unused',
      'message-pipe/memory/recycled',
      'message-pipe/backpressure/drains',
      'message-pipe/backpressure/wakes-all',
      'message-pipe/backpressure/pauses-under-load',
    ],
  ],
  [
    'drops the last message before it closes',
    wrapped((end) => new DropsLast(end)),
    [
      'message-pipe/ordering/keeps-order',
      'message-pipe/memory/recycled-after-close',
      'message-pipe/backpressure/says-full',
      'message-pipe/backpressure/says-full-of-short-messages',
      'message-pipe/backpressure/drains',
      'message-pipe/backpressure/takes-one-more',
      'message-pipe/backpressure/wakes-all',
      'message-pipe/backpressure/pause-holds-back',
      'message-pipe/backpressure/other-way-goes-on',
      'message-pipe/close/delivers-before',
      'message-pipe/close/delivers-long-before',
      'message-pipe/close/refuses-to-send',
      'message-pipe/close/completes-late-subscriber',
      'message-pipe/close/completes-after-pause',
      'message-pipe/loss/refuses-to-send',
    ],
  ],
  [
    'throws for a long reason',
    wrapped((end) => new RefusesLongReasons(end)),
    ['message-pipe/close/any-reason'],
  ],
  [
    'hides what broke it',
    wrapped((end) => new HidesWhatBroke(end)),
    ['message-pipe/loss/tells-what-broke', 'message-pipe/loss/refuses-to-send'],
  ],
  [
    'never tells that its peer crashed',
    wrapped((end) => new KeepsCrash(end)),
    [
      'message-pipe/loss/tells-what-broke',
      'message-pipe/loss/refuses-to-send',
      'message-pipe/loss/no-gaps',
      'message-pipe/leaks/lost',
    ],
  ],
  [
    'keeps a timer',
    wrapped((end) => new KeepsTimer(end)),
    ['message-pipe/leaks/closed', 'message-pipe/leaks/full', 'message-pipe/leaks/lost'],
  ],
];
