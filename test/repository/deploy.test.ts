import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { complaintsOf, routineCommands, routineLines, type RoutineCommand } from './command-lines.js';
import { blocksOf, documents, read, root } from './documents.js';

let commands: ReadonlyMap<string, RoutineCommand>;
beforeAll(() => {
  commands = routineCommands();
});

const files = readdirSync(join(root, 'deploy'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
  .toSorted();
const manifests = files.filter((file) => file.endsWith('.yaml'));
const units = files.filter((file) => file.endsWith('.service'));

type Tree = { readonly [name: string]: unknown };

/** The documents of a file in YAML 1.1, which compose and Kubernetes read. */
function parsed(file: string): Tree[] {
  return parseAllDocuments(read(file), { version: '1.1', merge: true }).map((document) => {
    expect([...document.errors, ...document.warnings].map(String), file).toEqual([]);
    return document.toJS() as Tree;
  });
}

/** Every value that lies under a name, however deep. */
function under(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [
    ...(key === name ? [each] : []),
    ...under(each, name),
  ]);
}

const containersOf = (file: string): Tree[] => under(parsed(file), 'containers').flat() as Tree[];

describe.each(documents())('the command lines of %s', (document) => {
  it('have only commands and flags that there are', () => {
    const text = read(document);
    const scripts = blocksOf(document, text).filter(({ language }) => language === 'sh');
    const inline = [...text.matchAll(/`(routine [a-z][^`]*)`/g)].map(([, line = '']) => line);
    const lines = [...scripts.map((script) => script.text), ...inline].flatMap(routineLines);
    expect(lines.flatMap((words) => complaintsOf(words, commands))).toEqual([]);
  });
});

describe('command lines', () => {
  it('are found wherever a shell would see them', () => {
    const script =
      "npx routine service --port 0 & # routine none\nA=1 routine worker a.js \\\n  --slots 2 | tee x\n(node node_modules/@routine-engine/cli/dist/main.js run x --args '[1, 2]')\necho routine y";
    expect(routineLines(script)).toEqual([
      ['service', '--port', '0'],
      ['worker', 'a.js', '--slots', '2'],
      ['run', 'x', '--args', '[1, 2]'],
    ]);
  });

  it('are told wrong when a command or a flag is unknown', () => {
    const wrong = [['serve'], ['service', '--prot=1'], ['worker', '--port', '1']];
    expect(wrong.flatMap((words) => complaintsOf(words, commands))).toEqual([
      'no command serve',
      'routine service has no --prot',
      'routine worker has no --port',
    ]);
  });
});

describe('deploy/', () => {
  it('has no file that docs/deploy.md says nothing of', () => {
    const page = read('docs/deploy.md');
    for (const file of files) expect(page, file).toContain(file.split('/').slice(0, 2).join('/'));
    expect(files.length).toBeGreaterThan(7);
  });

  it.each(files)('%s names variables and commands that there are', (file) => {
    const text = read(file);
    const variables = new Set([...commands.values()].flatMap((command) => [...command.variables]));
    for (const [name] of text.matchAll(/\bROUTINE_[A-Z_]+\b/g))
      expect(variables, `${file}: ${name}`).toContain(name);
    expect(routineLines(text).flatMap((words) => complaintsOf(words, commands))).toEqual([]);
  });

  it.each(units)('%s starts a command of this repository', (file) => {
    const [, start = ''] = /^ExecStart=\/usr\/bin\/(.*)$/m.exec(read(file)) ?? [];
    const [words = []] = routineLines(start);
    expect(commands.has(words[0] ?? ''), start).toBe(true);
    expect(complaintsOf(words, commands)).toEqual([]);
  });

  it('starts the program that the package has', () => {
    const { bin } = JSON.parse(read('packages/cli/package.json')) as { bin: { routine: string } };
    const program = `node_modules/@routine-engine/cli/${bin.routine.slice(2)}`;
    for (const file of ['deploy/Dockerfile', ...units]) expect(read(file), file).toContain(program);
    expect(existsSync(join(root, 'packages/cli', bin.routine))).toBe(true);
  });

  it.each(manifests)('%s parses, and its containers start commands that there are', (file) => {
    const services = under(parsed(file), 'services').flatMap((each) => Object.values(each as Tree)) as Tree[];
    const started = [
      ...services.map(({ command }) => command as string[]),
      ...containersOf(file).map(({ args }) => args as string[]),
    ];
    expect(started.length).toBeGreaterThan(0);
    for (const words of started) {
      expect(commands.has(words[0] ?? ''), words.join(' ')).toBe(true);
      expect(complaintsOf(words, commands)).toEqual([]);
    }
  });

  it('runs containers without privileges, on file systems that they can not write', () => {
    const containers = manifests.flatMap(containersOf);
    expect(containers.length).toBeGreaterThan(1);
    for (const { securityContext } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    const [compose] = parsed('deploy/compose.yaml');
    for (const each of Object.values(compose?.['services'] as Tree))
      expect(each).toMatchObject({ read_only: true, user: '1000:1000', cap_drop: ['ALL'] });
    expect(read('deploy/Dockerfile')).toMatch(/^USER 1000:1000$/m);
  });

  it('probes what the service answers, at the port that it listens at', () => {
    const containers = containersOf('deploy/kubernetes/service.yaml');
    const probed = under(containers, 'httpGet') as { path: string; port: string }[];
    expect(new Set(probed.map(({ path }) => path))).toEqual(new Set(['/healthz', '/readyz']));
    const health = read('packages/cli/src/node/health.ts');
    for (const { path } of probed) expect(health).toContain(`'${path}'`);
    expect(under(containers, 'containerPort')).toEqual([7700]);
    expect(read('packages/cli/src/settings/table.ts')).toContain('const DEFAULT_PORT = 7_700;');
  });

  it('lets workers have longer to stop than their grace', () => {
    const seconds = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1]);
    const compose = parsed('deploy/compose.yaml')[0]?.['services'] as { worker: Tree };
    const graces = [
      [read('deploy/systemd/routine-worker.service'), /^TimeoutStopSec=(\d+)$/m],
      [read('deploy/kubernetes/worker.yaml'), /terminationGracePeriodSeconds: (\d+)/],
      [`${String(compose.worker['stop_grace_period'])}\n${read('deploy/compose.yaml')}`, /^(\d+)s$/m],
    ] as const;
    for (const [text, pattern] of graces) {
      const graceMs = seconds(text, /ROUTINE_GRACE_MS\W+(?:value\W+)?(\d+)/);
      expect(graceMs).toBeGreaterThan(0);
      expect(seconds(text, pattern) * 1_000).toBeGreaterThan(graceMs);
    }
  });
});
