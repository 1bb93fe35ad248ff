import { escapeRegex, quote, unquote } from './quote';

describe('quote', () => {
  it.each(['', 'plain', 'with "quotes"', 'back\\slash', 'tab\tnewline\n', 'é 漢 😀', 'ret\rurn'])(
    'round-trips %j',
    (text) => {
      expect(unquote(quote(text))).toBe(text);
    }
  );
});

describe('unquote', () => {
  it.each([
    ['"A\\u00e9\\x41\\101"', 'AéAA'],
    ['`a\\d"`', 'a\\d"'],
    ['"open', 'open'],
    ['"', ''],
  ])('%s', (literal, value) => {
    expect(unquote(literal)).toBe(value);
  });
});

it('escapeRegex makes a text that matches itself only', () => {
  const text = 'a.b*c[d](e){f}^g$h|i\\j+k?';
  expect(new RegExp(`^${escapeRegex(text)}$`).test(text)).toBe(true);
  expect(new RegExp(`^${escapeRegex('a.b')}$`).test('axb')).toBe(false);
});
