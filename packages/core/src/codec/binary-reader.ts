import { ARRAY_BUFFER, BINARY_KINDS, type BinaryKind } from './binary-kinds.js';
import { isCount } from './is-count.js';
import { malformed } from './refusals.js';

type Binary = ArrayBuffer | ArrayBufferView;

/**
 * Gives out the buffers of one encoded value in the order of the walk. Each byte is used once, but for ranges that
 * values share, so that bytes from a stranger cannot make memory out of nothing.
 */
export class BinaryReader {
  readonly #buffers: readonly Uint8Array[];
  readonly #copy: boolean;
  readonly #shared = new Map<number, ArrayBuffer>();
  #next = 0;
  #small: Uint8Array | undefined;
  #smallUsed = 0;

  /** @param copy - gives every value memory of its own. */
  constructor(buffers: readonly Uint8Array[], copy: boolean) {
    this.#buffers = buffers;
    this.#copy = copy;
  }

  /** A value that is all of the next buffer: a view of it where alignment allows. */
  bytes(code: unknown): Binary {
    const kind = kindOfCode(code);
    const bytes = this.#take();
    checkRange(kind, 0, bytes.byteLength, bytes.byteLength);
    if (this.#copy || kind === ARRAY_BUFFER || bytes.byteOffset % kind.elementBytes !== 0) {
      return kind.make(this.#memoryOf(bytes), 0, bytes.byteLength);
    }
    const { buffer } = bytes;
    if (!(buffer instanceof ArrayBuffer)) return kind.make(copyOf(bytes), 0, bytes.byteLength);
    return kind.make(buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next value out of the buffer of small ones; always a copy. */
  smallBytes(code: unknown, byteLength: unknown): Binary {
    const kind = kindOfCode(code);
    this.#small ??= this.#buffers.at(-1);
    if (!this.#small) throw malformed('small values without a buffer');
    checkRange(kind, 0, byteLength, this.#small.byteLength - this.#smallUsed);
    const bytes = this.#small.subarray(this.#smallUsed, this.#smallUsed + byteLength);
    this.#smallUsed += byteLength;
    return kind.make(copyOf(bytes), 0, byteLength);
  }

  /** A range of a buffer that several values share. */
  sharedBytes(code: unknown, part: unknown, byteOffset: unknown, byteLength: unknown): Binary {
    const kind = kindOfCode(code);
    if (typeof part !== 'number') throw malformed('a shared buffer without its number');
    let memory = this.#shared.get(part);
    if (!memory) {
      if (part !== this.#next) throw malformed(`there is no shared buffer ${part}`);
      memory = this.#memoryOf(this.#take());
      this.#shared.set(part, memory);
    }
    checkRange(kind, byteOffset, byteLength, memory.byteLength);
    if (kind === ARRAY_BUFFER && byteLength !== memory.byteLength) throw malformed('part of an ArrayBuffer');
    return kind.make(memory, byteOffset as number, byteLength);
  }

  /** Refuses buffers that no value asked for. */
  finish(): void {
    const used = this.#next + (this.#small ? 1 : 0);
    if (used !== this.#buffers.length) throw malformed(`${this.#buffers.length} buffers instead of ${used}`);
    if (this.#small && this.#smallUsed !== this.#small.byteLength)
      throw malformed('bytes behind the small values');
  }

  #take(): Uint8Array {
    const bytes = this.#buffers[this.#next];
    if (!bytes) throw malformed(`there is no buffer ${this.#next}`);
    this.#next += 1;
    return bytes;
  }

  /** An ArrayBuffer of exactly these bytes. */
  #memoryOf(bytes: Uint8Array): ArrayBuffer {
    const { buffer } = bytes;
    const whole = buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
    return whole && !this.#copy ? buffer : copyOf(bytes);
  }
}

/**
 * The kind that has the code.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED`.
 */
export function kindOfCode(code: unknown): BinaryKind {
  const kind = typeof code === 'number' ? BINARY_KINDS[code] : undefined;
  if (!kind) throw malformed('an unknown kind of binary value');
  return kind;
}

function checkRange(
  kind: BinaryKind,
  byteOffset: unknown,
  byteLength: unknown,
  available: number,
): asserts byteLength is number {
  const inside = isCount(byteOffset) && isCount(byteLength) && byteOffset + byteLength <= available;
  if (!inside) throw malformed('a binary value beyond its buffer');
  if (byteOffset % kind.elementBytes !== 0 || byteLength % kind.elementBytes !== 0) {
    throw malformed(`a ${kind.name} of ${byteLength} bytes at ${byteOffset}`);
  }
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy.buffer;
}
