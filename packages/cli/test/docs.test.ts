import { readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { emptyDir, routine, startService, RunningCommand } from './support/command.js';

it('does what docs/cli.md shows', async () => {
  const page = await readFile(new URL('../../../docs/cli.md', import.meta.url), 'utf8');
  const [, sweep] = /```ts file=sweep\.ts\n(.*?)```/s.exec(page) ?? [];
  const cwd = await emptyDir();
  await writeFile(join(cwd, 'sweep.ts'), sweep ?? '');
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(cwd, 'node_modules'));
  const shown = (name: string): string[] => {
    const line = page.split('\n').find((each) => each.startsWith(`npx routine ${name}`)) ?? '';
    return line
      .replace(/ *[&#].*$/, '')
      .split(' ')
      .slice(2);
  };
  const alone = await routine(shown('run sweep.ts --upTo 10'), { cwd });
  expect(JSON.parse(alone.stdout)).toEqual({ x: 3 });
  const { url } = await startService({ cwd });
  const worker = new RunningCommand([...shown('worker sweep.ts'), '--url', url], { cwd });
  await worker.prints('stderr', /takes runs, 2 at once/);
  const clustered = await routine([...shown('run sweep.ts --upTo 10 --url').slice(0, -1), url], { cwd });
  expect(JSON.parse(clustered.stdout)).toEqual({ x: 3 });
});
