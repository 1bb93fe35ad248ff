// Snapshots and dates must not depend on where the tests run.
process.env.TZ = 'UTC';

const base = require('./.config/jest.config');
const { grafanaESModules, nodeModulesToTransform } = require('./.config/jest/utils');
const [[, swc]] = Object.entries(base.transform);

module.exports = {
  ...base,
  // Some dependencies ship .mjs, which the scaffold's pattern leaves untransformed.
  transform: { '^.+\\.m?[tj]sx?$': swc },
  transformIgnorePatterns: [
    nodeModulesToTransform([...grafanaESModules, '@grafana/monaco-logql', '@marcbachmann/cel-js']),
  ],
};
