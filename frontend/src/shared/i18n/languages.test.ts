import { expect, test } from 'vitest';

import en from './en.json';
import fr from './fr.json';

type Tree = { [key: string]: string | Tree };

const flatten = (tree: Tree, prefix = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[prefix + key, value] as [string, string]] : flatten(value, `${prefix}${key}.`),
  );

// French has a plural form for millions that English lacks.
const english = new Map(flatten(en));
const french = new Map(flatten(fr).filter(([key]) => !key.endsWith('_many')));

test('both languages say the same things', () => {
  expect([...french.keys()].sort()).toEqual([...english.keys()].sort());
});

test('translations fill in what the originals fill in', () => {
  const slots = (text: string | undefined) => [...new Set(text?.match(/\{\{\w+\}\}/g) ?? [])].sort();
  const differing = [...english].filter(
    ([key, text]) => !key.endsWith('_one') && `${slots(text)}` !== `${slots(french.get(key))}`,
  );
  expect(differing).toEqual([]);
});
