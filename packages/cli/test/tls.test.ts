import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { emptyDir, routine, startService, startWorker } from './support/command.js';

/** Made for tests alone: an authority, and what it signed for `localhost` and for a node. */
const certificates = fileURLToPath(new URL('../../transport-ws/test/fixtures/', import.meta.url));
const file = (name: string): string => join(certificates, name);
const total = ['run', 'wfname:sum', '--args', '[{"upTo": 3}]', '--json', '--store', 'memory'];

it('a cluster that is open to other machines runs with a token and TLS, and keeps others out', async () => {
  const cwd = await emptyDir();
  await writeFile(join(cwd, 'token'), 'a-token-of-sufficient-length\n');
  const service = ['--host', '0.0.0.0', '--port', '0', '--token-file', 'token'];
  const pair = ['--tls-cert', file('service.crt'), '--tls-key', file('service.key')];
  const { url } = await startService({ cwd }, [...service, ...pair]);
  const address = url.replace('0.0.0.0', 'localhost');
  const trusted = ['--tls-ca', file('ca.crt')];
  await startWorker(address, [...trusted, '--token-file', 'token'], { cwd });
  const ask = (...flags: string[]) => routine([...total, '--url', address, ...flags], { cwd });
  expect(await ask(...trusted, '--token-file', 'token')).toMatchObject({ code: 0, stdout: '{"total":12}\n' });
  expect(await ask(...trusted)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('TRANSPORT_REFUSED'),
  });
  expect(await ask('--token-file', 'token')).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('TRANSPORT_UNREACHABLE'),
  });
});

it('certificates of nodes take the place of a token', async () => {
  const cwd = await emptyDir();
  const read = (name: string): string => `readFileSync(${JSON.stringify(file(name))})`;
  const configure = (name: string, config: string): Promise<void> =>
    writeFile(join(cwd, name), `import { readFileSync } from 'node:fs';\nexport default ${config};\n`);
  const own = `cert: ${read('service.crt')}, key: ${read('service.key')}`;
  await configure(
    'service.config.mjs',
    `{ host: '0.0.0.0', listener: { tls: { ${own}, ca: ${read('ca.crt')}, requestCert: true } } }`,
  );
  await configure(
    'node.config.mjs',
    `{ connection: { tls: { ca: ${read('ca.crt')}, cert: ${read('node.crt')}, key: ${read('node.key')} } } }`,
  );
  const { url } = await startService({ cwd }, ['--config', 'service.config.mjs', '--port', '0']);
  const address = url.replace('0.0.0.0', 'localhost');
  await startWorker(address, ['--config', 'node.config.mjs'], { cwd });
  const ask = (...flags: string[]) => routine([...total, '--url', address, ...flags], { cwd });
  expect(await ask('--config', 'node.config.mjs')).toMatchObject({ code: 0, stdout: '{"total":12}\n' });
  expect(await ask('--tls-ca', file('ca.crt'))).toMatchObject({ code: 3, stdout: '' });
});
