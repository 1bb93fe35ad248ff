import { configTests } from './config.mjs';
import { editorTests } from './editor.mjs';
import { exploreTests } from './explore.mjs';
import { lineTests } from './lines.mjs';
import { speedTests } from './speed.mjs';

export const tests = [...exploreTests, ...lineTests, ...editorTests, ...configTests, ...speedTests];
