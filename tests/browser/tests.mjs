import { configTests } from './config.mjs';
import { editorTests } from './editor.mjs';
import { exploreTests } from './explore.mjs';
import { lineTests } from './lines.mjs';

export const tests = [...exploreTests, ...lineTests, ...editorTests, ...configTests];
