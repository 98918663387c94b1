import tseslint from 'typescript-eslint'

const clockOnly = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Time is passed in: use a Clock.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time is passed in: use a Clock.',
  },
  {
    selector: "MemberExpression[object.name='Math'][property.name='random']",
    message: 'Chance is passed in: use a Random.',
  },
]
const certificatesAreVerified = [
  {
    selector: "Property[key.name='rejectUnauthorized'] > Literal[value=false]",
    message: 'Certificates are always verified: trust a CA instead.',
  },
]

export default tseslint.config(
  {
    ignores: [
      'node_modules',
      'src/client/generated',
      'src/practice-tenant/corpus',
      'tests/data',
      '**/*.js',
      '**/*.cjs',
    ],
  },
  {
    files: ['**/*.ts'],
    languageOptions: { parser: tseslint.parser, parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': tseslint.plugin },
    linterOptions: { reportUnusedDisableDirectives: true },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      'no-restricted-syntax': ['error', ...certificatesAreVerified],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/base/**', 'src/**/*.test.ts', 'src/*/tests/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...clockOnly,
        ...certificatesAreVerified,
        {
          selector: "MemberExpression[object.name='process'][property.name='exit']",
          message: 'Only the CLI ends the process.',
        },
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
      ],
    },
  },
  {
    files: ['src/cli/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', ...clockOnly, ...certificatesAreVerified] },
  },
)
