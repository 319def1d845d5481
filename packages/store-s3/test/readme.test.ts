import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERRORS } from '@routine-engine/core/adapter';
import { expect, it } from 'vitest';
import { encodeEntry } from '../src/entry-format.ts';
import { digestOf, namesIn, openStore, readDigest, startServer } from './place.ts';
import { ACCESS_KEY, SECRET_KEY } from './s3-double.ts';

const readme = fs.readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const source = (name: string): string => fs.readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8');
const sources = fs.readdirSync(new URL('../src', import.meta.url)).filter((name) => name.endsWith('.ts'));

/** The lines of a program, run as it stands but for its types. */
async function outputOf(program: string, env: NodeJS.ProcessEnv): Promise<string> {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const options = ['--no-warnings', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, options, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await new Promise((resolve) => child.once('close', resolve));
  return output;
}

it('the example in the README runs, and keeps its result', async () => {
  const server = await startServer();
  const [, program = ''] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const output = await outputOf(program.replace(': number', ''), {
    NODE_OPTIONS: '',
    AWS_ENDPOINT_URL_S3: server.endpoint,
    AWS_ACCESS_KEY_ID: ACCESS_KEY,
    AWS_SECRET_ACCESS_KEY: SECRET_KEY,
  });
  expect(output).toBe('144\n');
  expect(namesIn(server)).toEqual([expect.stringMatching(/^docs\/results\/[0-9a-f]{64}$/)]);
});

it('the example entry in the README is what the store writes and reads', async () => {
  const lines = readme.matchAll(/^[0-9a-f]{8}: ((?:[0-9a-f]{2} )+)/gm);
  const entry = Buffer.from([...lines].map(([, bytes = '']) => bytes.replaceAll(' ', '')).join(''), 'hex');
  const content = Buffer.from('test');
  const key = digestOf(content);
  const id = '0b5a2e4c-1e7d-4a9f-a213-c5d7e9f1a2b0';
  const header = encodeEntry({ kind: 'blob', key, id, inline: true, byteLength: 4, digest: key });
  expect(Buffer.concat([header, content]).toString('hex')).toBe(entry.toString('hex'));
  const server = await startServer();
  server.set(`blobs/${key}`, entry);
  expect(await readDigest(await openStore(server).store.blobs.get(key))).toBe(key);
});

it('the README names every option', () => {
  const members = [...source('s3-options.ts').matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
  const named = [...readme.matchAll(/^\| `([\w.]+)` *\|(?:[^|]*\|){3}$/gm)].map(([, name = '']) =>
    name.replace('timeouts.', ''),
  );
  expect(new Set(named)).toEqual(new Set(members));
});

it('the README names every code that the sources throw, and no code that there is not', () => {
  const codes = /RoutineEngineError\(\s*'(\w+)'|[?:] '(STORE_\w+)'/g;
  const thrown = sources.flatMap((name) =>
    [...source(name).matchAll(codes)].map(([, code, chosen]) => code ?? chosen),
  );
  const named = [...readme.matchAll(/^\| `([A-Z_]+)` *\|/gm)].map(([, code]) => code);
  // That of the check of keys and digests, which core shares with every store.
  const shared = ['STORE_KEY_INVALID'];
  expect(new Set(named)).toEqual(new Set([...thrown, ...shared]));
  for (const code of named) expect(Object.keys(ERRORS)).toContain(code);
});
