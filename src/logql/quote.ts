/** A value as a LogQL string literal. */
export function quote(value: string): string {
  return `"${escapeString(value)}"`;
}

/** The inside of a double-quoted literal that means the value. */
export function escapeString(value: string): string {
  return value
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t');
}

const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };

/** The value that a literal means, quotes included in what is given. */
export function unquote(literal: string): string {
  const inner = literal.slice(1, literal.endsWith(literal[0]) && literal.length > 1 ? -1 : undefined);
  if (literal[0] === '`') {
    return inner;
  }
  return inner.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g,
    (_, x, u, U, octal, char) => {
      const hex = x ?? u ?? U;
      if (hex) {
        return String.fromCodePoint(parseInt(hex, 16));
      }
      return octal ? String.fromCodePoint(parseInt(octal, 8)) : (ESCAPES[char] ?? char);
    }
  );
}

/** A text as an RE2 expression that matches just it. */
export function escapeRegex(value: string): string {
  return value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
