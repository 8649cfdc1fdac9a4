import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const ignores = ['**/dist/**', '**/.tap/**', '**/data/**', '**/node_modules/**']

// eslint-suppressions.json counts what is wider or longer than this today, by file: a count may only fall.
const widthMax = 120
const linesMax = 350

export default [
  ...neostandard({ ts: true, ignores }),
  {
    files: ['**/*.{ts,tsx,mjs,js}'],
    rules: {
      '@stylistic/max-len': ['error', { code: widthMax, ignoreUrls: true, ignoreRegExpLiterals: true }],
      'max-lines': ['error', { max: linesMax }]
    }
  },
  ...tseslint.config({
    files: ['**/*.ts', '**/*.tsx'],
    plugins: { '@typescript-eslint': tseslint.plugin },
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    rules: {
      // A schema and the type made from it share a name; TypeScript finds real doubles.
      'no-redeclare': 'off',
      'react/jsx-handler-names': 'off',
      '@typescript-eslint/no-redeclare': 'off',
      'no-void': ['error', { allowAsStatement: true }],
      // tap waits for its subtests by itself.
      '@typescript-eslint/no-floating-promises': ['error', { allowForKnownSafeCalls: [{ from: 'package', package: '@tapjs/test', name: 'test' }, { from: 'package', package: 'tap', name: 'test' }] }],
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false, attributes: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': 'error'
    }
  })
]
