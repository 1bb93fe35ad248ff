// Snapshots and dates must not depend on where the tests run.
process.env.TZ = 'UTC';

const base = require('./.config/jest.config');
const { grafanaESModules, nodeModulesToTransform } = require('./.config/jest/utils');
const [[, swc]] = Object.entries(base.transform);

module.exports = {
  ...base,
  // Component tests click through long forms; a busy machine takes its time.
  testTimeout: 30_000,
  // Some dependencies ship .mjs, which the scaffold's pattern leaves untransformed.
  transform: { '^.+\\.m?[tj]sx?$': swc },
  transformIgnorePatterns: [
    nodeModulesToTransform([...grafanaESModules, '@grafana/monaco-logql', '@marcbachmann/cel-js']),
  ],
};
