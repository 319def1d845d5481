import { MOST_INPUTS, type RunInput } from '../model/run-input.js';
import type { FieldReader } from './fields.js';

/** The inputs that a directive names. @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`. */
export function readInputs(fields: FieldReader, name: string): RunInput[] {
  const read = (value: unknown): RunInput => {
    const named = fields.item(name, value);
    return { digest: named.sha256('digest'), byteLength: named.count('byteLength') };
  };
  return fields.list(name, read, MOST_INPUTS);
}
