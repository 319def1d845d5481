import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticate, bodyOfRequest, escaped, md5, Refusal, unescaped } from './s3-protocol.ts';

export const ACCESS_KEY = 'test';
export const SECRET_KEY = 'test-secret';
export const BUCKET = 'results';

const LEAST_PART_BYTES = 5 * 1024 * 1024;

/** What goes wrong with one request. */
export type Fault =
  /** It is refused and not carried out. */
  | { readonly refuse: readonly [status: number, code: string] }
  /** The connection breaks; `lost`: after it was carried out, else before. */
  | { readonly reset: 'unseen' | 'lost' }
  /** It is never answered. */
  | { readonly silence: true }
  /** The body of the answer breaks off after so many bytes, or has a wrong bit there. */
  | { readonly cutAt: number }
  | { readonly flipAt: number };

/** A request as a test sees it. `name` is that of the object, without the bucket. */
export interface SeenRequest {
  readonly method: string;
  readonly name: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

export interface KeptObject {
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: number;
}

interface UploadInParts {
  readonly name: string;
  readonly initiatedAt: number;
  readonly parts: Map<number, KeptObject>;
}

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly xml?: string;
}

interface Call extends SeenRequest {
  readonly body: Buffer;
  readonly bucket: Map<string, KeptObject>;
}

/** An S3 in memory over HTTP on loopback: what the store needs of it, checked as strictly as S3 checks it. */
export class S3Double {
  readonly buckets = new Map([[BUCKET, new Map<string, KeptObject>()]]);
  readonly uploads = new Map<string, UploadInParts>();
  readonly requests: SeenRequest[] = [];
  /** What goes wrong with a request; nothing, when it gives none. A promise lets it wait. */
  interfere: (request: SeenRequest) => Fault | undefined | Promise<undefined> = () => undefined;
  /** How far the clock of the server is ahead of that of this machine, in milliseconds. */
  aheadMs = 0;
  /** Whether requests are refused whose time is not that of the server. */
  checksTime = false;
  /** Whether a put with `If-Match` needs the ETag without its quotes, as with some versions of Ceph. */
  comparesBare = false;
  /** Where it listens, such as `http://127.0.0.1:40123`. */
  endpoint = '';
  readonly #server: Server;

  static async start(): Promise<S3Double> {
    const double = new S3Double();
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
    double.endpoint = `http://127.0.0.1:${(double.#server.address() as AddressInfo).port}`;
    return double;
  }

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** The objects of {@link BUCKET}. */
  get objects(): Map<string, KeptObject> {
    return this.buckets.get(BUCKET) ?? new Map<string, KeptObject>();
  }

  /** Puts an object there as it is. */
  set(name: string, body: Buffer): void {
    this.objects.set(name, this.#keptOf(body));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get #now(): number {
    return Date.now() + this.aheadMs;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://s3');
    const [, bucketName = '', ...rest] = url.pathname.split('/');
    const name = rest.map(decodeURIComponent).join('/');
    const { method = '', headers } = request;
    const seen = { method, name, query: url.searchParams, headers };
    this.requests.push(seen);
    const fault = await this.interfere(seen);
    let answer: Answer;
    try {
      const body = await bodyOfRequest(request);
      if (fault && 'silence' in fault) return;
      if (fault && 'reset' in fault && fault.reset === 'unseen') return void request.socket.destroy();
      if (fault && 'refuse' in fault) throw new Refusal(...fault.refuse);
      authenticate(request, url, { [ACCESS_KEY]: SECRET_KEY }, this.checksTime ? this.#now : undefined);
      const bucket = this.buckets.get(bucketName);
      if (!bucket) throw new Refusal(404, 'NoSuchBucket');
      answer = this.#answer({ ...seen, body, bucket });
    } catch (error) {
      if (!(error instanceof Refusal)) return void request.socket.destroy();
      answer = refused(error);
    }
    if (fault && 'reset' in fault) return void request.socket.destroy();
    this.#send(response, answer, method, fault);
  }

  #send(response: ServerResponse, answer: Answer, method: string, fault: Fault | undefined): void {
    const { status = 200, xml } = answer;
    const body = answer.body ?? Buffer.from(xml === undefined ? '' : `<?xml version="1.0"?>${xml}`);
    response.writeHead(status, {
      date: new Date(this.#now).toUTCString(),
      'x-amz-request-id': '0',
      ...(xml !== undefined && { 'content-type': 'application/xml' }),
      ...answer.headers,
      ...(status !== 204 && { 'content-length': body.byteLength }),
    });
    if (fault && 'cutAt' in fault) {
      response.write(body.subarray(0, fault.cutAt), () => response.destroy());
      return;
    }
    const sent = Buffer.from(body);
    if (fault && 'flipAt' in fault) sent[fault.flipAt]! ^= 1;
    response.end(method === 'HEAD' ? undefined : sent);
  }

  #answer(call: Call): Answer {
    const { method, name, query } = call;
    if (name === '') {
      if (method === 'GET' && query.get('list-type') === '2') return this.#list(call);
      if (method === 'GET' && query.has('uploads')) return this.#listUploads(call);
      throw new Refusal(501, 'NotImplemented');
    }
    if (method === 'POST' && query.has('uploads')) return this.#createUpload(call);
    if (query.has('uploadId')) return this.#upload(call);
    if (method === 'PUT') return this.#put(call);
    if (method === 'GET') return this.#get(call);
    if (method === 'DELETE') {
      if (call.headers['if-match'] !== undefined) assertMatches(call);
      call.bucket.delete(name);
      return { status: 204 };
    }
    throw new Refusal(501, 'NotImplemented');
  }

  #put(call: Call): Answer {
    const wanted = call.headers['if-match'];
    if (this.comparesBare && wanted?.includes('"')) throw new Refusal(412, 'PreconditionFailed');
    assertMatches(call);
    const kept = this.#keptOf(call.body);
    call.bucket.set(call.name, kept);
    return { headers: { etag: kept.etag } };
  }

  #get(call: Call): Answer {
    const kept = call.bucket.get(call.name);
    if (!kept) throw new Refusal(404, 'NoSuchKey');
    assertMatches(call);
    const { body, etag, modifiedAt } = kept;
    const headers = { etag, 'last-modified': new Date(modifiedAt).toUTCString() };
    const [, first = '', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(call.headers.range ?? '') ?? [];
    if (first === '') return { headers, body };
    const from = Number(first);
    const to = last === '' ? body.byteLength - 1 : Math.min(Number(last), body.byteLength - 1);
    if (from > to) throw new Refusal(416, 'InvalidRange');
    const range = { ...headers, 'content-range': `bytes ${from}-${to}/${body.byteLength}` };
    return { status: 206, headers: range, body: body.subarray(from, to + 1) };
  }

  /** Pages of 20, so that every test of more than that needs several. */
  #list({ query, bucket }: Call): Answer {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? '';
    const all = [...bucket.keys()].filter((name) => name.startsWith(prefix) && name > after).toSorted();
    const page = all.slice(0, 20);
    const next = all.length > page.length ? escaped(page.at(-1) ?? '') : undefined;
    const token = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
    const contents = page.map((name) => `<Contents>${listed(name, bucket.get(name))}</Contents>`).join('');
    const truncated = `<IsTruncated>${next !== undefined}</IsTruncated>`;
    return { xml: `<ListBucketResult>${truncated}${token}${contents}</ListBucketResult>` };
  }

  #listUploads({ query }: Call): Answer {
    const prefix = query.get('prefix') ?? '';
    const all = [...this.uploads].filter(([, { name }]) => name.startsWith(prefix));
    const after = all.findIndex(([id]) => id === query.get('upload-id-marker')) + 1;
    const page = all.slice(after, after + 2);
    const uploads = page.map(([id, { name, initiatedAt }]) => {
      const initiated = `<Initiated>${new Date(initiatedAt).toISOString()}</Initiated>`;
      return `<Upload><Key>${escaped(name)}</Key><UploadId>${id}</UploadId>${initiated}</Upload>`;
    });
    const [lastId = '', last] = page.at(-1) ?? [];
    const next = `<NextKeyMarker>${escaped(last?.name ?? '')}</NextKeyMarker><NextUploadIdMarker>${lastId}</NextUploadIdMarker>`;
    const truncated = `<IsTruncated>${after + page.length < all.length}</IsTruncated>`;
    return {
      xml: `<ListMultipartUploadsResult>${truncated}${next}${uploads.join('')}</ListMultipartUploadsResult>`,
    };
  }

  #createUpload({ name }: Call): Answer {
    const id = randomUUID();
    this.uploads.set(id, { name, initiatedAt: this.#now, parts: new Map() });
    const xml = `<Key>${escaped(name)}</Key><UploadId>${id}</UploadId>`;
    return { xml: `<InitiateMultipartUploadResult>${xml}</InitiateMultipartUploadResult>` };
  }

  #upload(call: Call): Answer {
    const { method, query, body, bucket, name } = call;
    const id = query.get('uploadId') ?? '';
    const upload = this.uploads.get(id);
    if (upload?.name !== name) throw new Refusal(404, 'NoSuchUpload');
    const { parts } = upload;
    if (method === 'GET') return listParts(query, parts);
    if (method === 'PUT') {
      const kept = this.#keptOf(body);
      parts.set(Number(query.get('partNumber')), kept);
      return { headers: { etag: kept.etag } };
    }
    this.uploads.delete(id);
    if (method === 'DELETE') return { status: 204 };
    const wanted = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => {
      const number = Number(/<PartNumber>(\d+)</.exec(part)?.[1]);
      return { kept: parts.get(number), etag: unescaped(/<ETag>([^<]*)</.exec(part)?.[1] ?? '') };
    });
    const bodies = wanted.map(({ kept, etag }, at) => {
      if (kept?.etag !== etag) throw new Refusal(400, 'InvalidPart');
      const isSmall = at < wanted.length - 1 && kept.body.byteLength < LEAST_PART_BYTES;
      if (isSmall) throw new Refusal(400, 'EntityTooSmall');
      return kept.body;
    });
    // As Amazon has it: such an object is as old as its upload.
    bucket.set(name, { ...this.#keptOf(Buffer.concat(bodies)), modifiedAt: upload.initiatedAt });
    return { xml: `<CompleteMultipartUploadResult><Key>${name}</Key></CompleteMultipartUploadResult>` };
  }

  #keptOf(body: Buffer): KeptObject {
    return { body, etag: `"${md5(body)}"`, modifiedAt: this.#now };
  }
}

function listed(name: string, kept: KeptObject | undefined): string {
  const { body, etag = '', modifiedAt = 0 } = kept ?? {};
  const times = `<LastModified>${new Date(modifiedAt).toISOString()}</LastModified>`;
  return `<Key>${escaped(name)}</Key>${times}<ETag>${escaped(etag)}</ETag><Size>${body?.byteLength ?? 0}</Size>`;
}

/** Pages of two. */
function listParts(query: URLSearchParams, kept: ReadonlyMap<number, KeptObject>): Answer {
  const after = Number(query.get('part-number-marker') ?? 0);
  const all = [...kept].filter(([number]) => number > after).toSorted(([one], [other]) => one - other);
  const page = all.slice(0, 2);
  const parts = page.map(([number, { body, modifiedAt }]) => {
    const times = `<LastModified>${new Date(modifiedAt).toISOString()}</LastModified>`;
    return `<Part><PartNumber>${number}</PartNumber>${times}<Size>${body.byteLength}</Size></Part>`;
  });
  const next = `<NextPartNumberMarker>${page.at(-1)?.[0] ?? 0}</NextPartNumberMarker>`;
  const truncated = `<IsTruncated>${all.length > page.length}</IsTruncated>`;
  return { xml: `<ListPartsResult>${truncated}${next}${parts.join('')}</ListPartsResult>` };
}

function assertMatches({ headers, bucket, name }: Call): void {
  const kept = bucket.get(name);
  if (headers['if-none-match'] === '*' && kept) throw new Refusal(412, 'PreconditionFailed');
  const wanted = headers['if-match'];
  if (wanted === undefined || wanted.replaceAll('"', '') === kept?.etag.replaceAll('"', '')) return;
  throw kept ? new Refusal(412, 'PreconditionFailed') : new Refusal(404, 'NoSuchKey');
}

function refused({ status, code, message }: Refusal): Answer {
  return { status, xml: `<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>` };
}
