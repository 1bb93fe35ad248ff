import { t } from '../i18n';

// Functions, because the language of the texts is not known when the module loads.

/** A word of the language with what it does, for completion and explanation. */
export interface Word {
  name: string;
  doc: string;
  /** Text to insert when it is not the name; `$0` marks where the cursor goes. */
  insert?: string;
}

export const stages = (): Word[] => [
  { name: 'json', doc: t('word.json', 'Extract the fields of a JSON object from the line') },
  { name: 'logfmt', doc: t('word.logfmt', 'Extract key=value pairs from the line') },
  {
    name: 'pattern',
    doc: t('word.pattern', 'Extract fields by a template such as <ip> - <_> "<method>"'),
    insert: 'pattern "$0"',
  },
  {
    name: 'regexp',
    doc: t('word.regexp', 'Extract fields by the named groups of a regular expression'),
    insert: 'regexp "$0"',
  },
  { name: 'unpack', doc: t('word.unpack', 'Unpack labels that an agent packed into the line') },
  { name: 'line_format', doc: t('word.line_format', 'Rewrite the line by a template'), insert: 'line_format "{{$0}}"' },
  { name: 'label_format', doc: t('word.label_format', 'Rename or rewrite labels'), insert: 'label_format $0' },
  { name: 'decolorize', doc: t('word.decolorize', 'Remove ANSI colour codes from the line') },
  { name: 'drop', doc: t('word.drop', 'Remove labels'), insert: 'drop $0' },
  { name: 'keep', doc: t('word.keep', 'Keep only these labels'), insert: 'keep $0' },
];

export const unwrap = (): Word => ({
  name: 'unwrap',
  doc: t('word.unwrap', 'Use a field as the value of each entry'),
  insert: 'unwrap $0',
});

export const lineFilters = (): Word[] => [
  { name: '|=', doc: t('word.contains', 'Keep the lines that contain a text'), insert: '|= "$0"' },
  { name: '!=', doc: t('word.contains-not', 'Keep the lines that do not contain a text'), insert: '!= "$0"' },
  { name: '|~', doc: t('word.matches', 'Keep the lines that match a regular expression'), insert: '|~ "$0"' },
  {
    name: '!~',
    doc: t('word.matches-not', 'Keep the lines that do not match a regular expression'),
    insert: '!~ "$0"',
  },
  {
    name: '|>',
    doc: t('word.pattern-matches', 'Keep the lines that match a pattern with <_> for any text'),
    insert: '|> "$0"',
  },
  { name: '!>', doc: t('word.pattern-matches-not', 'Keep the lines that do not match a pattern'), insert: '!> "$0"' },
];

export const rangeFunctions = (): Word[] =>
  [
    { name: 'rate', doc: t('word.rate', 'Entries per second') },
    { name: 'count_over_time', doc: t('word.count_over_time', 'Entries in the range') },
    { name: 'bytes_rate', doc: t('word.bytes_rate', 'Bytes per second') },
    { name: 'bytes_over_time', doc: t('word.bytes_over_time', 'Bytes in the range') },
    { name: 'absent_over_time', doc: t('word.absent_over_time', '1 when the range holds no entry') },
    { name: 'sum_over_time', doc: t('word.sum_over_time', 'Sum of the unwrapped values') },
    { name: 'avg_over_time', doc: t('word.avg_over_time', 'Average of the unwrapped values') },
    { name: 'min_over_time', doc: t('word.min_over_time', 'Least of the unwrapped values') },
    { name: 'max_over_time', doc: t('word.max_over_time', 'Greatest of the unwrapped values') },
    { name: 'first_over_time', doc: t('word.first_over_time', 'First of the unwrapped values') },
    { name: 'last_over_time', doc: t('word.last_over_time', 'Last of the unwrapped values') },
    { name: 'stddev_over_time', doc: t('word.stddev_over_time', 'Standard deviation of the unwrapped values') },
    { name: 'stdvar_over_time', doc: t('word.stdvar_over_time', 'Variance of the unwrapped values') },
    { name: 'quantile_over_time', doc: t('word.quantile_over_time', 'Quantile of the unwrapped values') },
    { name: 'rate_counter', doc: t('word.rate_counter', 'Per-second rate of unwrapped values that only grow') },
  ].map((word) => ({
    ...word,
    insert: word.name === 'quantile_over_time' ? `${word.name}(0.95, {$0}[$__auto])` : `${word.name}({$0}[$__auto])`,
  }));

export const aggregations = (): Word[] =>
  [
    { name: 'sum', doc: t('word.sum', 'Sum over series') },
    { name: 'avg', doc: t('word.avg', 'Average over series') },
    { name: 'min', doc: t('word.min', 'Least over series') },
    { name: 'max', doc: t('word.max', 'Greatest over series') },
    { name: 'count', doc: t('word.count', 'Number of series') },
    { name: 'stddev', doc: t('word.stddev', 'Standard deviation over series') },
    { name: 'stdvar', doc: t('word.stdvar', 'Variance over series') },
    { name: 'topk', doc: t('word.topk', 'The k greatest series'), insert: 'topk(10, $0)' },
    { name: 'bottomk', doc: t('word.bottomk', 'The k least series'), insert: 'bottomk(10, $0)' },
    { name: 'sort', doc: t('word.sort', 'Series by value, ascending'), insert: 'sort($0)' },
    { name: 'sort_desc', doc: t('word.sort_desc', 'Series by value, descending'), insert: 'sort_desc($0)' },
  ].map((word) => ({ ...word, insert: word.insert ?? `${word.name}($0)` }));

export const groupings = (): Word[] => [
  { name: 'by', doc: t('word.by', 'Keep these labels'), insert: 'by ($0)' },
  { name: 'without', doc: t('word.without', 'Keep all labels but these'), insert: 'without ($0)' },
];

export const durations = (): Word[] => [
  { name: '$__auto', doc: t('word.auto', "The step of the query: fits the panel's width") },
  { name: '$__interval', doc: t('word.interval', 'The interval of the panel') },
  { name: '$__rate_interval', doc: t('word.rate-interval', 'The step, but no less than a few seconds') },
  { name: '$__range', doc: t('word.range', 'The whole time range') },
  ...['1m', '5m', '10m', '30m', '1h', '1d'].map((name) => ({ name, doc: '' })),
];
