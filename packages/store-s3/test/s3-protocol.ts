import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';

/** What the double answers in place of what was asked for. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** How far the time of a request may be from that of the server. */
const MOST_SKEW_MS = 15 * 60 * 1000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

export const md5 = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: Uint8Array | string, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest();

export function escaped(text: string): string {
  return text.replaceAll(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function unescaped(text: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replaceAll(/&(?:#(\d+)|(\w+));/g, (_, code: string | undefined, name: string | undefined) =>
    code === undefined ? (named[name ?? ''] ?? '') : String.fromCodePoint(Number(code)),
  );
}

/** Checks the signature of a request, as strictly as S3 does. */
export function authenticate(
  request: IncomingMessage,
  url: URL,
  keys: Readonly<Record<string, string>>,
  now: number | undefined,
): void {
  const [, id = '', day = '', region = '', signed = '', signature = ''] =
    AUTHORIZATION.exec(request.headers.authorization ?? '') ?? [];
  if (!id) throw new Refusal(403, 'AccessDenied');
  const secret = keys[id];
  if (secret === undefined) throw new Refusal(403, 'InvalidAccessKeyId');
  const header = (name: string): string => String(request.headers[name] ?? '').trim();
  const query = url.search.slice(1).split('&').filter(Boolean);
  const canonical = [
    request.method,
    url.pathname,
    query
      .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
      .toSorted()
      .join('&'),
    ...signed.split(';').map((name) => `${name}:${header(name)}`),
    '',
    signed,
    header('x-amz-content-sha256'),
  ].join('\n');
  const date = header('x-amz-date');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 's3'), 'aws4_request');
  if (!timingSafeEqual(hmac(key, text), Buffer.from(signature, 'hex')))
    throw new Refusal(403, 'SignatureDoesNotMatch');
  const iso = date.replace(/(....)(..)(..T..)(..)(..Z)/, '$1-$2-$3:$4:$5');
  if (now !== undefined && Math.abs(Date.parse(iso) - now) > MOST_SKEW_MS)
    throw new Refusal(403, 'RequestTimeTooSkewed');
}

/** The body of a request, checked against everything that the request says of it. */
export async function bodyOfRequest(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const raw = Buffer.concat(chunks);
  const header = (name: string): string | undefined => request.headers[name] as string | undefined;
  const hash = header('x-amz-content-sha256') ?? '';
  const isChunked = hash.startsWith('STREAMING-');
  if (!isChunked && hash !== 'UNSIGNED-PAYLOAD' && hash !== sha256(raw))
    throw new Refusal(400, 'XAmzContentSHA256Mismatch');
  const { body, trailers } = isChunked ? unchunked(raw) : { body: raw, trailers: new Map<string, string>() };
  const crc = header('x-amz-checksum-crc32') ?? trailers.get('x-amz-checksum-crc32');
  if (crc !== undefined && crc !== crcOf(body)) throw new Refusal(400, 'BadDigest');
  return body;
}

function crcOf(bytes: Uint8Array): string {
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(bytes));
  return crc.toString('base64');
}

function unchunked(raw: Buffer): { body: Buffer; trailers: Map<string, string> } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = raw.indexOf('\r\n', at);
    const size = Number.parseInt(raw.toString('latin1', at, end), 16);
    if (end < 0 || Number.isNaN(size)) throw new Refusal(400, 'IncompleteBody');
    at = end + 2;
    if (size === 0) break;
    parts.push(raw.subarray(at, at + size));
    at += size + 2;
  }
  const lines = raw.toString('latin1', at).split('\r\n').filter(Boolean);
  const trailers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { body: Buffer.concat(parts), trailers: new Map(trailers) };
}
