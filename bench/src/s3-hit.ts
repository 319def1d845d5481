import { createHash } from 'node:crypto';
import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Lifecycle } from '@routine-engine/core';
import { s3Store } from '@routine-engine/store-s3';
import { Packr } from 'msgpackr';
import { arrayOf, checkArray } from './large/pattern.js';
import { rememberedArray } from './large/routines.js';
import { expectEqual, measure } from './measure.js';
import { ratio, speedRatio, speeds, type Question } from './question.js';
import { rememberedNumber } from './routines.js';
import { S3Server } from './s3-server.js';

const MEBIBYTES = 64;
const BYTES = MEBIBYTES * 1024 * 1024;
const packr = new Packr({ useRecords: false });

async function lifecycleOn({ bucket, endpoint, credentials }: S3Server): Promise<Lifecycle> {
  const store = s3Store({ bucket, endpoint, credentials, prefix: 'bench' });
  return Lifecycle.init({ project: 'bench', plugins: [store] });
}

/** What the SDK gives of an object, whole. */
async function read({ client, bucket: Bucket }: S3Server, Key: string): Promise<Uint8Array> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
  return Body?.transformToByteArray() ?? new Uint8Array(0);
}

export const s3Hit: Question = {
  name: 'hit-s3',
  title: 'A remembered small result from an object store',
  async ask() {
    await using server = await S3Server.start();
    const lifecycle = await lifecycleOn(server);
    await rememberedNumber(7);
    const object = { Bucket: server.bucket, Key: 'raw', Body: packr.pack(7) };
    await server.client.send(new PutObjectCommand(object));
    const measured = await measure(
      [
        {
          name: 'routine engine',
          async run(times) {
            for (let at = 0; at < times; at += 1) expectEqual(await rememberedNumber(7), 7);
          },
        },
        {
          name: 'GetObject of the SDK + unpack',
          async run(times) {
            for (let at = 0; at < times; at += 1) expectEqual(packr.unpack(await read(server, 'raw')), 7);
          },
        },
      ],
      200,
    );
    await lifecycle.shutdown();
    return {
      measured,
      verdicts: [`Server: ${server.name}`, ratio(measured, 'GetObject of the SDK + unpack', 'none')],
    };
  },
};

export const largeHitS3: Question = {
  name: 'large-hit-s3',
  title: `A remembered result of ${MEBIBYTES} MiB from an object store`,
  isLong: true,
  async ask() {
    await using server = await S3Server.start();
    const lifecycle = await lifecycleOn(server);
    await rememberedArray(BYTES, 0);
    const bytes = new Uint8Array(arrayOf(BYTES, 0).buffer);
    const digest = createHash('sha256').update(bytes).digest('hex');
    await server.client.send(new PutObjectCommand({ Bucket: server.bucket, Key: 'raw', Body: bytes }));
    const raw = async (): Promise<Uint8Array> => {
      const got = await read(server, 'raw');
      checkArray(new Float32Array(got.buffer, got.byteOffset, BYTES / 4), BYTES, 0);
      return got;
    };
    const times = await measure(
      [
        { name: 'routine engine', run: async () => checkArray(await rememberedArray(BYTES, 0), BYTES, 0) },
        { name: 'GetObject of the SDK', run: async () => void (await raw()) },
        {
          name: 'GetObject of the SDK, then SHA-256',
          run: async () => {
            expectEqual(
              createHash('sha256')
                .update(await raw())
                .digest('hex'),
              digest,
            );
          },
        },
      ],
      1,
    );
    await lifecycle.shutdown();
    const measured = speeds(times, MEBIBYTES);
    return {
      measured,
      unit: 'MiB/s',
      verdicts: [
        `Server: ${server.name}`,
        speedRatio(measured, 'GetObject of the SDK', 'none: it checks nothing'),
        speedRatio(measured, 'GetObject of the SDK, then SHA-256', '>= 1.0'),
      ],
    };
  },
};
