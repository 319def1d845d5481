import type { BlobPart } from '../model/stored-blob.js';
import { LAST_PART, type FieldReader } from './fields.js';

/** Parts of a value that lie in a store. @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`. */
export function readBlobs(fields: FieldReader): BlobPart[] {
  const parts = new Set<number>();
  return fields.list('blobs', (value) => {
    const blob = fields.item('blobs', value);
    const part = blob.count('part', LAST_PART);
    if (parts.has(part)) return fields.refuse('blobs', 'a list of different parts');
    parts.add(part);
    return { part, digest: blob.sha256('digest'), byteLength: blob.count('byteLength') };
  });
}
