import { configTests } from './config.mjs';
import { exploreTests } from './explore.mjs';

export const tests = [...exploreTests, ...configTests];
