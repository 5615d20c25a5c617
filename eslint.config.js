import tseslint from 'typescript-eslint'

const clockAndChance = {
  'no-restricted-globals': [
    'error',
    ...[
      'setTimeout',
      'setInterval',
      'setImmediate',
      'process',
      'fetch',
      'crypto',
      'performance',
      'console',
    ].map((name) => ({ name, message: 'This folder is pure: hand the clock, chance and the world in.' })),
  ],
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Pure: take `now` as an argument.' },
    { object: 'Math', property: 'random', message: 'Pure: take a Random as an argument.' },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: "NewExpression[callee.name='Date'][arguments.length=0]",
      message: 'Pure: take `now` as an argument.',
    },
  ],
}

export default tseslint.config(
  { ignores: ['node_modules/', 'coverage/', 'web/dist/'] },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', { ignoreVoid: false }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: [
      'src/model/**/*.ts',
      'src/manager/{orchestrator,scheduler,allocator}/**/*.ts',
      'src/agent/{network,ingress}/render/**/*.ts',
      'src/api/*/convert/**/*.ts',
    ],
    ignores: ['**/*.test.ts', '**/testing/**'],
    rules: clockAndChance,
  },
  {
    files: ['**/*.test.ts', '**/*-suite.ts', 'test/**/*.ts'],
    rules: {
      // node:test's `test()` returns a promise that the runner itself awaits.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          ignoreVoid: false,
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
      'max-lines': 'off',
    },
  },
)
