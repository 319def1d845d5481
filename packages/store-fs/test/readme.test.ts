import fs from 'node:fs';
import { bodyOf, ERRORS } from '@routine-engine/core/adapter';
import { expect, it } from 'vitest';
import { fileOf, KEY, METADATA, newDirectory, openStore } from './place.ts';

const readme = fs.readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const source = (name: string): string => fs.readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8');

it('the example file in the README is what the store writes', async () => {
  const dir = newDirectory();
  const { store } = openStore(dir);
  const body = bodyOf({ head: Buffer.from('head!'), buffers: [Buffer.from('twelve bytes')] });
  await store.put(KEY, { metadata: METADATA, body });
  const lines = readme.matchAll(/^[0-9a-f]{8}: ((?:[0-9a-f]{2} )+)/gm);
  const hex = [...lines].map(([, bytes = '']) => bytes.replaceAll(' ', '')).join('');
  expect(fs.readFileSync(fileOf(dir)).toString('hex')).toBe(hex);
});

it('the README names every option', () => {
  const [, members = ''] = /interface FsStoreOptions \{(.*?)^\}/ms.exec(source('fs-store-plugin.ts')) ?? [];
  const options = [...members.matchAll(/readonly (\w+)\??:/g)].map(([, name]) => name);
  const named = [...readme.matchAll(/^\| `(\w+)` *\|(?:[^|]*\|){3}$/gm)].map(([, name]) => name);
  expect(named).toEqual(options);
});

it('the README names every code that the sources throw, and no code that there is not', () => {
  const names = fs.readdirSync(new URL('../src', import.meta.url)).filter((name) => name.endsWith('.ts'));
  const thrown = names.flatMap((name) => [...source(name).matchAll(/RoutineEngineError\(\s*'(\w+)'/g)]);
  const named = [...readme.matchAll(/^\| `([A-Z_]+)` *\|/gm)].map(([, code]) => code);
  // That of the check of keys and digests, which core shares with every store.
  const shared = ['STORE_KEY_INVALID'];
  expect(new Set(named)).toEqual(new Set([...thrown.map(([, code]) => code), ...shared]));
  for (const code of named) expect(Object.keys(ERRORS)).toContain(code);
});
