// `npm run simulate -- --mutations`: breaks a copy of core, in one way at a time, and runs seeds until one of them notices.
import { fork } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MUTATIONS, outdated, type Mutation } from '../mutations.ts';
import type { Report } from './simulate.ts';

/** Longest time without news of a simulation, in milliseconds: one that never comes to its end has noticed, too. */
const HANG_MS = 60_000;

const { values: options } = parseArgs({
  options: { seeds: { type: 'string', default: '1000' }, only: { type: 'string', default: '' } },
});
const root = fileURLToPath(new URL('../../../../../', import.meta.url));

interface Noticed {
  readonly seed: number;
  readonly how: string;
}

const wanted = MUTATIONS.filter(({ name }) => name.includes(options.only));
const gone = outdated(wanted).map(({ name }) => name);
if (gone.length > 0) {
  console.error(`Outdated, since their texts do not stand in core exactly once:\n  ${gone.join('\n  ')}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'mutations-'));
const waiting = [...wanted.entries()];
const found = new Map<Mutation, Noticed | undefined>();
await Promise.all(Array.from({ length: availableParallelism() }, work));
rmSync(folder, { recursive: true, force: true });

const missed = wanted.filter((mutation) => !found.get(mutation));
console.log(
  `${wanted.length - missed.length} of ${wanted.length} mutations noticed within ${options.seeds} seeds`,
);
for (const { name } of missed) console.log(`not noticed: ${name}`);
process.exitCode = missed.length === 0 ? 0 : 1;

async function work(): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    const [index, mutation] = next;
    const noticed = await seedThatNotices(mutation, join(folder, String(index)));
    found.set(mutation, noticed);
    console.log(
      `${noticed ? `seed ${noticed.seed}` : 'never'}: ${mutation.name}${noticed ? `\n    ${noticed.how}` : ''}`,
    );
  }
}

/** A tree of modules in which core is broken, and all else is as it is. */
function breakCore({ file, text, replacement }: Mutation, place: string): void {
  const modules = join(place, 'node_modules');
  mkdirSync(join(modules, '@routine-engine'), { recursive: true });
  for (const each of readdirSync(join(root, 'node_modules'))) {
    if (each !== '@routine-engine' && !each.startsWith('.'))
      symlinkSync(join(root, 'node_modules', each), join(modules, each));
  }
  for (const each of ['core', 'transport-inproc']) {
    const copy = join(modules, '@routine-engine', each);
    for (const part of ['package.json', 'dist'])
      cpSync(join(root, 'packages', each, part), join(copy, part), { recursive: true });
  }
  cpSync(fileURLToPath(new URL('.', import.meta.url)), join(place, 'harness'), { recursive: true });
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
  const path = join(modules, '@routine-engine/core/dist', file);
  const source = readFileSync(path, 'utf8');
  writeFileSync(
    path,
    source.replace(text, () => replacement),
  );
}

function seedThatNotices(mutation: Mutation, place: string): Promise<Noticed | undefined> {
  breakCore(mutation, place);
  return new Promise((resolve) => {
    const child = fork(join(place, 'harness/main.ts'), ['--seeds', options.seeds, '--stop'], {
      cwd: root,
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    let seed = 1;
    let noticed: Noticed | undefined;
    let watchdog: NodeJS.Timeout | undefined;
    const heard = (): void => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => {
        noticed = { seed, how: 'It never came to its end' };
        child.kill('SIGKILL');
      }, HANG_MS);
    };
    heard();
    child.on('message', (report: Report) => {
      heard();
      const [how] = report.violations;
      if (how === undefined) seed = report.seed + 1;
      else noticed ??= { seed: report.seed, how };
    });
    child.once('exit', (code) => {
      clearTimeout(watchdog);
      rmSync(place, { recursive: true, force: true });
      resolve(code === 0 || noticed ? noticed : { seed, how: 'It ended the process' });
    });
  });
}
