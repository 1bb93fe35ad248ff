import { LabelMatcher, MatcherOp } from '../logql/tree';
import { unquote } from '../logql/quote';

/** What may stand at the cursor. */
export type Situation =
  | { kind: 'start' }
  | { kind: 'expression' }
  | { kind: 'labelName'; others: LabelMatcher[] }
  | { kind: 'labelValue'; label: string; others: LabelMatcher[]; quoted: boolean; regex: boolean }
  | { kind: 'pipeline'; log: string; inRange: boolean }
  | { kind: 'stage'; log: string }
  | { kind: 'field'; log: string }
  | { kind: 'fieldValue'; log: string; label: string; quoted: boolean }
  | { kind: 'grouping'; log: string }
  | { kind: 'duration' }
  | { kind: 'nothing' };

interface Open {
  bracket: '{' | '(' | '[';
  at: number;
}

interface Scan {
  open: Open[];
  /** Where the string begins that the cursor is in. */
  string?: number;
  /** Selectors that are complete, with the depth that they stand at. */
  selectors: Array<{ from: number; to: number; depth: number }>;
}

const GROUPING = /\b(by|without|on|ignoring|group_left|group_right)\s*$/i;
const MATCHER = /([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|`[^`]*`)/g;

/** Reads the text up to the cursor only, so that a query may be half written; the rest of its selector still counts. */
export function situationAt(text: string, offset: number): Situation {
  const before = text.slice(0, offset);
  const scan = scanTo(before);
  const innermost = scan.open[scan.open.length - 1];

  if (innermost?.bracket === '{') {
    return inSelector(text, before, innermost.at, scan.string);
  }
  if (innermost?.bracket === '[') {
    return { kind: 'duration' };
  }
  if (innermost?.bracket === '(' && scan.string === undefined && GROUPING.test(before.slice(0, innermost.at))) {
    return { kind: 'grouping', log: firstLog(text) };
  }
  const selector = [...scan.selectors].reverse().find(({ depth }) => depth === scan.open.length);
  if (!selector) {
    if (scan.string !== undefined) {
      return { kind: 'nothing' };
    }
    return before.trim() ? { kind: 'expression' } : { kind: 'start' };
  }
  return inPipeline(before, selector, scan.string, scan.open.length > 0);
}

function inSelector(text: string, before: string, open: number, string: number | undefined): Situation {
  const end = text.indexOf('}', before.length);
  const whole = text.slice(open + 1, end < 0 ? undefined : end);
  const until = string ?? before.length;
  const assignment = /([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*$/.exec(before.slice(open + 1, until));
  if (assignment) {
    const [, label, op] = assignment;
    const others = matchersIn(whole).filter((matcher) => matcher.label !== label);
    return { kind: 'labelValue', label, others, quoted: string !== undefined, regex: op.endsWith('~') };
  }
  if (string !== undefined) {
    return { kind: 'nothing' };
  }
  const atName = /(^|,)\s*\w*$/.test(before.slice(open + 1));
  return atName ? { kind: 'labelName', others: matchersIn(whole) } : { kind: 'nothing' };
}

function inPipeline(
  before: string,
  selector: { from: number; to: number },
  string: number | undefined,
  inRange: boolean
): Situation {
  const stages = before.slice(selector.to, string);
  const log = (until: string) => (before.slice(selector.from, selector.to) + until).trimEnd();
  const lastPipe = stages.lastIndexOf('|');
  const complete = log(lastPipe < 0 ? '' : stages.slice(0, lastPipe));
  const stage = lastPipe < 0 ? '' : stages.slice(lastPipe);

  const comparison = /^\|[^=~>].*?([A-Za-z_]\w*)\s*(=~|!~|!=|=)\s*$/s.exec(stage);
  if (comparison && !/^\|\s*(line_format|label_format|json|logfmt)\b/.test(stage)) {
    return { kind: 'fieldValue', log: complete, label: comparison[1], quoted: string !== undefined };
  }
  if (string !== undefined) {
    return { kind: 'nothing' };
  }
  if (/^\|\s*\w*$/.test(stage)) {
    return { kind: 'stage', log: complete };
  }
  if (/^\|\s*(unwrap\s+(\w+\()?|(drop|keep|label_format)\s+(.*,\s*)?|.*\b(and|or)\s+)\w*$/s.test(stage)) {
    return { kind: 'field', log: complete };
  }
  // A line filter or a comparison that still wants its operand.
  if (/(\|[=~>]|![=~>]|[=<>~])\s*\S*$/.test(stages) && !/["`]\s*$/.test(stages)) {
    return /[\w)]\s+$/.test(stages) ? { kind: 'pipeline', log: log(stages), inRange } : { kind: 'nothing' };
  }
  return /(^|\s|["`}])$/.test(before) ? { kind: 'pipeline', log: log(stages), inRange } : { kind: 'nothing' };
}

/** Brackets that are open at the end of the text, and whether it ends inside a string or a comment. */
function scanTo(text: string): Scan {
  const open: Open[] = [];
  const selectors: Scan['selectors'] = [];
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (char === '"' || char === '`') {
      const end = endOfString(text, i);
      if (end < 0) {
        return { open, selectors, string: i };
      }
      i = end;
    } else if (char === '#') {
      const end = text.indexOf('\n', i);
      i = end < 0 ? text.length : end;
    } else if (char === '{' || char === '(' || char === '[') {
      open.push({ bracket: char, at: i });
    } else if (char === '}' || char === ')' || char === ']') {
      const closed = open.pop();
      if (closed?.bracket === '{') {
        selectors.push({ from: closed.at, to: i + 1, depth: open.length });
      } else if (closed?.bracket === '(') {
        // What was selected inside is no pipeline to go on with.
        while (selectors.length && selectors[selectors.length - 1].from > closed.at) {
          selectors.pop();
        }
      }
    }
  }
  return { open, selectors };
}

function endOfString(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    if (text[i] === '\\' && text[from] === '"') {
      i++;
    } else if (text[i] === text[from]) {
      return i;
    }
  }
  return -1;
}

function matchersIn(text: string): LabelMatcher[] {
  return [...text.matchAll(MATCHER)].map(([, label, op, value]) => ({
    label,
    op: op as MatcherOp,
    value: unquote(value),
  }));
}

/** The first selector of the query with the stages behind it, as far as brackets tell. */
function firstLog(text: string): string {
  return (
    /\{(?:[^}"`]|"(?:[^"\\]|\\.)*"|`[^`]*`)*\}(?:\s*(?:\||!)(?:[^"`[\])]|"(?:[^"\\]|\\.)*"|`[^`]*`)*)?/s
      .exec(text)?.[0]
      .trim() ?? ''
  );
}
