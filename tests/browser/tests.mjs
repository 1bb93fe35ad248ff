import { configTests } from './config.mjs';
import { dashboardTests } from './dashboards.mjs';
import { editorTests } from './editor.mjs';
import { engineTests } from './engine.mjs';
import { exploreTests } from './explore.mjs';
import { lineTests } from './lines.mjs';
import { speedTests } from './speed.mjs';

export const tests = [
  ...exploreTests,
  ...lineTests,
  ...editorTests,
  ...dashboardTests,
  ...configTests,
  ...engineTests,
  ...speedTests,
];
