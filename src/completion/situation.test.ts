import { situationAt } from './situation';

/** `^` marks the cursor. */
function at(marked: string) {
  const offset = marked.indexOf('^');
  return situationAt(marked.replace('^', ''), offset);
}

it.each([
  ['^', { kind: 'start' }],
  ['su^', { kind: 'expression' }],
  ['sum by (^) (rate({a="b"} | json [5m]))', { kind: 'grouping', log: '{a="b"} | json' }],
  ['sum(^)', { kind: 'expression' }],
  ['{^', { kind: 'labelName', others: [] }],
  ['{ap^}', { kind: 'labelName' }],
  ['{a="b", ^}', { kind: 'labelName', others: [{ label: 'a', op: '=', value: 'b' }] }],
  ['{a="b" ^}', { kind: 'nothing' }],
  ['{a=^}', { kind: 'labelValue', label: 'a', quoted: false, regex: false, others: [] }],
  ['{a="^"}', { kind: 'labelValue', label: 'a', quoted: true }],
  ['{a=~"x^', { kind: 'labelValue', label: 'a', quoted: true, regex: true }],
  ['{a="^", c="d"}', { kind: 'labelValue', label: 'a', others: [{ label: 'c', op: '=', value: 'd' }] }],
  ['{a="b"} ^', { kind: 'pipeline', log: '{a="b"}', inRange: false }],
  ['{a="b"}^', { kind: 'pipeline' }],
  ['{a="b"} | ^', { kind: 'stage', log: '{a="b"}' }],
  ['{a="b"} |= "x" | js^', { kind: 'stage', log: '{a="b"} |= "x"' }],
  ['{a="b"} |= "x^', { kind: 'nothing' }],
  ['{a="b"} |= ^', { kind: 'nothing' }],
  ['{a="b"} |= "x" ^', { kind: 'pipeline', log: '{a="b"} |= "x"' }],
  ['{a="b"} | json | ^', { kind: 'stage', log: '{a="b"} | json' }],
  ['{a="b"} | json | level=^', { kind: 'fieldValue', label: 'level', quoted: false, log: '{a="b"} | json' }],
  ['{a="b"} | json | level="^"', { kind: 'fieldValue', label: 'level', quoted: true }],
  ['{a="b"} | json | x="y" and ^', { kind: 'field', log: '{a="b"} | json' }],
  ['{a="b"} | json | status >= 500 ^', { kind: 'pipeline' }],
  ['{a="b"} | logfmt | unwrap ^', { kind: 'field', log: '{a="b"} | logfmt' }],
  ['{a="b"} | logfmt | unwrap duration(^', { kind: 'expression' }],
  ['{a="b"} | json | drop a, ^', { kind: 'field' }],
  ['{a="b"} | line_format "^"', { kind: 'nothing' }],
  ['rate({a="b"} ^', { kind: 'pipeline', inRange: true }],
  ['rate({a="b"}[^', { kind: 'duration' }],
  ['rate({a="b"}[5m]) ^', { kind: 'expression' }],
  ['rate({a="b"}[5m]) / rate({^', { kind: 'labelName' }],
  ['{a="}"} | ^', { kind: 'stage' }],
])('%s', (marked, expected) => {
  expect(at(marked)).toMatchObject(expected);
});
