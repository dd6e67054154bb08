import { readdirSync } from 'node:fs';

import js from '@eslint/js';
import jsxA11y from 'eslint-plugin-jsx-a11y';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const features = readdirSync(new URL('./src/features', import.meta.url));

/** Imports go one way: shared → features → app, and no feature knows another. */
function forbid(files, patterns) {
  const rule = patterns.map(([group, message]) => ({ group: [group], message }));
  return { files: [files], rules: { 'no-restricted-imports': ['error', { patterns: rule }] } };
}

const upwards = ['../*', 'Leave a folder by its full path (@/…).'];
const app = ['@/app/*', 'Only app itself imports app.'];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/shared/api/schema.d.ts'] },
  js.configs.recommended,
  tseslint.configs.strict,
  reactHooks.configs.flat.recommended,
  jsxA11y.flatConfigs.recommended,
  { files: ['*.js'], languageOptions: { globals: { URL: 'readonly' } } },
  {
    rules: {
      'max-lines': ['error', { max: 250 }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  {
    // On the pages where there is one thing to do, its first field has the focus.
    rules: { 'jsx-a11y/no-autofocus': 'off' },
  },
  forbid('src/app/**', [upwards]),
  forbid('src/shared/**', [upwards, app, ['@/features/*', 'shared knows no feature.']]),
  ...features.map((own) =>
    forbid(`src/features/${own}/**`, [
      upwards,
      app,
      ...features
        .filter((other) => other !== own)
        .map((other) => [`@/features/${other}/*`, 'Features do not import one another: compose them in app.']),
    ]),
  ),
);
