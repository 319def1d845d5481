import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

const DOUBLE = fileURLToPath(new URL('../../packages/store-s3/test/serve-double.ts', import.meta.url));

/**
 * The server that `ROUTINE_TEST_S3_ENDPOINT`, `ROUTINE_TEST_S3_ACCESS_KEY` and `ROUTINE_TEST_S3_SECRET_KEY` name, or a process
 * with the double that the tests use.
 */
export class S3Server implements AsyncDisposable {
  readonly client: S3Client;
  readonly #double: ChildProcess | undefined;

  private constructor(
    readonly name: string,
    readonly endpoint: string,
    readonly bucket: string,
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
    double?: ChildProcess,
  ) {
    this.#double = double;
    this.client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
  }

  static async start(): Promise<S3Server> {
    const {
      ROUTINE_TEST_S3_ENDPOINT: endpoint,
      ROUTINE_TEST_S3_ACCESS_KEY: accessKeyId = '',
      ROUTINE_TEST_S3_SECRET_KEY: secretAccessKey = '',
    } = process.env;
    if (endpoint === undefined) return S3Server.#startDouble();
    const bucket = `routine-bench-${Date.now()}`;
    const server = new S3Server(endpoint, endpoint, bucket, { accessKeyId, secretAccessKey });
    await server.client.send(new CreateBucketCommand({ Bucket: bucket }));
    return server;
  }

  static async #startDouble(): Promise<S3Server> {
    const double = spawn(process.execPath, ['--import', 'tsx', DOUBLE], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface(double.stdout), 'line')) as [string];
    const [endpoint = '', bucket = '', accessKeyId = '', secretAccessKey = ''] = JSON.parse(line) as string[];
    return new S3Server('the double', endpoint, bucket, { accessKeyId, secretAccessKey }, double);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    if (!this.#double) return;
    this.#double.stdin?.end();
    await once(this.#double, 'exit');
  }
}
