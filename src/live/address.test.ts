import { createHash } from 'crypto';

import { canonicalJson, tailPath } from './address';

const expr = '{app="é"} |= "<x>"';

it('is the base64url SHA-256 of the request, then the attempt', () => {
  const hash = createHash('sha256').update(canonicalJson({ expr })).digest('base64url');
  expect(tailPath({ expr }, 3)).toBe(`tail/${hash}/3`);
});

it('fits into a channel name', () => {
  const path = tailPath({ expr: expr.repeat(1000) }, 12345);
  expect(path).toMatch(/^[A-z0-9_\-/=.]*$/);
  expect(`ds/${'u'.repeat(40)}/${path}`.length).toBeLessThanOrEqual(160);
});

it('differs for other content', () => {
  expect(tailPath({ expr }, 0)).not.toBe(tailPath({ expr: `${expr} ` }, 0));
});

it('writes what is hashed without blanks and escapes', () => {
  expect(canonicalJson({ expr: '{a="<b>"}' })).toBe('{"expr":"{a=\\"<b>\\"}"}');
  expect(canonicalJson({ expr: 'x', scope: 'Viewer' })).toBe('{"expr":"x","scope":"Viewer"}');
});
