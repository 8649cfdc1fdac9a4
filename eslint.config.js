import neostandard from 'neostandard'
import tseslint from 'typescript-eslint'

const ignores = ['**/dist/**', '**/.tap/**', '**/data/**', '**/node_modules/**']

export default [
  ...neostandard({ ts: true, ignores }),
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
