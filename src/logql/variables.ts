/**
 * Dashboard variables (`$x`, `${x:csv}`, `[[x]]`) are no LogQL. The grammar can read a query that holds some when each
 * is replaced by a token of the same length that may stand at its place, so that positions stay true.
 */
const VARIABLE = /\$\{[^}]*\}|\$\w+|\[\[[^\]]*\]\]/g;

export function maskVariables(expr: string): string {
  let masked = '';
  for (const part of splitStrings(expr)) {
    masked += part.quote ? part.text : part.text.replace(VARIABLE, mask);
  }
  return masked;
}

function mask(variable: string, offset: number, text: string): string {
  // A range wants a duration; everywhere else a number is what most often fits.
  const inRange = /\[\s*$/.test(text.slice(0, offset));
  const digits = '1'.repeat(variable.length);
  return inRange && variable.length > 1 ? `${digits.slice(1)}s` : digits;
}

export interface TextPart {
  text: string;
  /** The quote when the part is a string literal (then the text includes both quotes). */
  quote?: '"' | '`';
  /** True for a literal that is read as a regular expression. */
  regex?: boolean;
}

/** Cuts a query into its string literals and what stands between them. Joined, the parts are the query. */
export function splitStrings(expr: string): TextPart[] {
  const parts: TextPart[] = [];
  const literal = /"(?:[^"\\]|\\[\s\S])*"?|`[^`]*`?/g;
  let from = 0;
  for (let match = literal.exec(expr); match; match = literal.exec(expr)) {
    const before = expr.slice(from, match.index);
    if (before) {
      parts.push({ text: before });
    }
    const quote = match[0][0] === '"' ? '"' : '`';
    parts.push({ text: match[0], quote, regex: isRegexPlace(expr.slice(0, match.index), parts) });
    from = match.index + match[0].length;
  }
  if (from < expr.length) {
    parts.push({ text: expr.slice(from) });
  }
  return parts;
}

function isRegexPlace(before: string, parts: TextPart[]): boolean {
  if (/([=!|]~|\bregexp)\s*$/i.test(before)) {
    return true;
  }
  // `|~ "a" or "b"`: the operator holds for the whole chain.
  const previous = parts[parts.length - 2];
  return /^\s*or\s*$/i.test(parts[parts.length - 1]?.text ?? '') && Boolean(previous?.regex);
}
