import { createHash } from 'node:crypto';
import { Reference, referenceData, type ReferenceData } from '../../src/model/reference.js';
import type { StoredBlob } from '../../src/model/stored-blob.js';

/** What applications hold in place of a stored result. */
export class StoredValue extends Reference {
  readonly name: string;

  constructor(data: ReferenceData) {
    super(data);
    this.name = data.routineId;
  }

  get data(): ReferenceData {
    return referenceData(this) as ReferenceData;
  }
}

/** A reference whose value has this node; the key follows from the node. */
export function referenceTo(node: Uint8Array, parts: Partial<ReferenceData> = {}): StoredValue {
  const key = createHash('sha256').update(node).digest('hex');
  return new StoredValue({
    ...{ key, store: 'mem:one', routineId: 'tname:test:make:1.0.0', byteLength: 70_000, node },
    ...parts,
  });
}

/** A blob whose chunks are all lent in the same memory, so that whoever keeps one sees it change. */
export class LentBlob implements StoredBlob {
  readonly byteLength: number;
  readonly digest: string;
  /** Chunks that were asked for, and readings that came to their end, early or not. */
  readonly counts = { opened: 0, chunks: 0, closed: 0 };
  readonly #bytes: Uint8Array;
  readonly #chunkBytes: number;

  constructor(bytes: Uint8Array, chunkBytes: number) {
    this.byteLength = bytes.byteLength;
    this.digest = createHash('sha256').update(bytes).digest('hex');
    this.#bytes = bytes;
    this.#chunkBytes = chunkBytes;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const memory = new Uint8Array(this.#chunkBytes);
    this.counts.opened += 1;
    try {
      for (let offset = 0; offset < this.byteLength; offset += this.#chunkBytes) {
        const piece = this.#bytes.subarray(offset, offset + this.#chunkBytes);
        memory.set(piece);
        this.counts.chunks += 1;
        yield memory.subarray(0, piece.byteLength);
        memory.fill(0xee);
      }
    } finally {
      this.counts.closed += 1;
    }
  }
}

/** The bytes 0, 1, 2 and so on. */
export function countingBytes(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index);
}
