// SPDX-License-Identifier: LGPL-2.1-or-later
// The rules for all JavaScript here, after noVNC's; npm run lint.
import js from "@eslint/js";
import globals from "globals";

export default [
  { ignores: ["build*/", "**/node_modules/"] },
  js.configs.recommended,
  {
    languageOptions: { ecmaVersion: 2022, sourceType: "module" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-unused-vars": ["error", { args: "none", caughtErrors: "none" }],
      "no-var": "error",
      "prefer-const": "error",
      "eqeqeq": ["error", "always", { null: "ignore" }],
      "no-useless-constructor": "error",
      "object-shorthand": ["error", "methods", { avoidQuotes: true }],
      "prefer-arrow-callback": "error",
      "func-style": ["error", "declaration", { allowArrowFunctions: true }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-shadow": "error",
      "no-throw-literal": "error",
      "no-fallthrough": "error",
      "default-case-last": "error",
      "no-promise-executor-return": "error",
      "require-atomic-updates": "off",
      "no-console": "error",
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 80],
      "brace-style": ["error", "1tbs", { allowSingleLine: true }],
      "curly": ["error", "multi-line"],
      "camelcase": "error",
      "comma-spacing": "error",
      "comma-style": "error",
      "func-call-spacing": "error",
      "key-spacing": "error",
      "keyword-spacing": "error",
      "semi": "error",
      "space-before-blocks": "error",
      "space-infix-ops": "error",
      "new-cap": "error",
    },
  },
  {
    files: ["web/**/*.js"],
    languageOptions: {
      globals: {
        ...globals.browser,
        ...globals.worker,
        MediaStreamTrackGenerator: "readonly",
      },
    },
    rules: {
      "no-restricted-syntax": ["error", {
        selector: "MemberExpression[property.name='innerHTML']",
        message: "Foreign text must not become markup: use textContent.",
      }],
    },
  },
  {
    // The one log function.
    files: ["web/log.js"],
    rules: { "no-console": "off" },
  },
  {
    // A whole `describe` is one function; page.evaluate runs in the page.
    files: ["tests/**/*.mjs", "tests/**/*.js"],
    languageOptions: {
      globals: { ...globals.node, ...globals.browser },
    },
    rules: { "no-console": "off", "max-lines-per-function": "off" },
  },
];
