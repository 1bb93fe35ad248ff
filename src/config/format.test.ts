import { formatAgo, formatBytes, formatCount, formatRatio } from './format';

it('writes sizes for people', () => {
  expect(formatBytes(512)).toBe('512 B');
  expect(formatBytes(1.5 * 1024 * 1024)).toBe('1.5 MiB');
  expect(formatCount(32000)).toBe('32.0 K');
  expect(formatRatio(1000, 250)).toBe('4.0×');
  expect(formatRatio(0, 0)).toBe('');
});

it('knows times that are none', () => {
  expect(formatAgo(undefined)).toBe('–');
  expect(formatAgo('0001-01-01T00:00:00Z')).toBe('–');
  expect(formatAgo(new Date().toISOString())).toMatch(/second/);
});
