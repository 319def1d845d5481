import { createHash } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildCorpus } from './corpus.js';
import { extractFeatures, type NgramOptions } from './features.js';
import { logOdds, type Model, probability } from './logistic-regression.js';
import { complete } from './steps.js';

/** A model together with what is needed to apply it to a mail. */
export interface SpamFilter {
  readonly model: Model;
  readonly ngrams: NgramOptions;
  /** Bytes of a mail's text that count, as in training. */
  readonly maxMailBytes: number;
}

/** Where a model was saved. */
export interface SavedModel {
  readonly path: string;
  readonly byteLength: number;
  /** SHA-256 of the file, lower-case hex: what `sha256sum` prints. */
  readonly digest: string;
}

const FORMAT = 'spam-sweep-model/1';

/**
 * Writes the file `<name>-<first digits of its digest>.model`. A file is there whole or not at all.
 * @param directory - created if need be.
 */
export async function saveFilter(filter: SpamFilter, directory: string, name: string): Promise<SavedModel> {
  const bytes = encodeFilter(filter);
  const digest = createHash('sha256').update(bytes).digest('hex');
  const path = join(directory, `${name}-${digest.slice(0, 12)}.model`);
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}.tmp`;
  await writeFile(unfinished, bytes);
  await rename(unfinished, path);
  return { path, byteLength: bytes.length, digest };
}

/** One line of JSON, then the weights as little-endian 32-bit floats. */
export function encodeFilter({ model, ngrams, maxMailBytes }: SpamFilter): Uint8Array {
  const { minLength, maxLength, bucketBits } = ngrams;
  const header = JSON.stringify({
    format: FORMAT,
    minLength,
    maxLength,
    bucketBits,
    maxMailBytes,
    bias: model.bias,
  });
  const start = Buffer.from(`${header}\n`);
  const bytes = new Uint8Array(start.length + model.weights.length * 4);
  bytes.set(start);
  const view = new DataView(bytes.buffer, start.length);
  model.weights.forEach((weight, column) => view.setFloat32(column * 4, weight, true));
  return bytes;
}

/**
 * Reads what {@link encodeFilter} wrote.
 * @throws Error when the bytes are something else, or cut short.
 */
export function decodeFilter(bytes: Uint8Array): SpamFilter {
  const end = bytes.indexOf(0x0a);
  const header: unknown = end < 0 ? undefined : parseJson(Buffer.from(bytes.subarray(0, end)).toString());
  if (!isHeader(header)) throw new Error(`These bytes are not a model of the format ${FORMAT}.`);
  const { minLength, maxLength, bucketBits, maxMailBytes, bias } = header;
  const weights = new Float32Array(2 ** bucketBits);
  const view = new DataView(bytes.buffer, bytes.byteOffset + end + 1, bytes.length - end - 1);
  if (view.byteLength !== weights.byteLength) {
    throw new Error(
      `The model should have ${weights.byteLength} bytes of weights and has ${view.byteLength}.`,
    );
  }
  for (let column = 0; column < weights.length; column++) weights[column] = view.getFloat32(column * 4, true);
  return { model: { weights, bias }, ngrams: { minLength, maxLength, bucketBits }, maxMailBytes };
}

/**
 * How likely a mail is spam, 0 to 1.
 * @param mail - the whole mail, headers first; they are stripped, as in training.
 */
export function spamProbability({ model, ngrams, maxMailBytes }: SpamFilter, mail: string): number {
  const corpus = complete(buildCorpus([{ group: 'unknown', text: mail }], { every: 1, maxMailBytes }));
  return probability(logOdds(model, complete(extractFeatures(corpus, ngrams)), 0));
}

interface Header extends NgramOptions {
  readonly format: string;
  readonly maxMailBytes: number;
  readonly bias: number;
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null || !('format' in value) || value.format !== FORMAT)
    return false;
  const fields: Readonly<Record<string, unknown>> = { ...value };
  return ['minLength', 'maxLength', 'bucketBits', 'maxMailBytes', 'bias'].every(
    (name) => typeof fields[name] === 'number',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
