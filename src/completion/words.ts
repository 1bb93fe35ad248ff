/** A word of the language with what it does, for completion and explanation. */
export interface Word {
  name: string;
  doc: string;
  /** Text to insert when it is not the name; `$0` marks where the cursor goes. */
  insert?: string;
}

export const STAGES: Word[] = [
  { name: 'json', doc: 'Extract the fields of a JSON object from the line' },
  { name: 'logfmt', doc: 'Extract key=value pairs from the line' },
  { name: 'pattern', doc: 'Extract fields by a template such as <ip> - <_> "<method>"', insert: 'pattern "$0"' },
  { name: 'regexp', doc: 'Extract fields by the named groups of a regular expression', insert: 'regexp "$0"' },
  { name: 'unpack', doc: 'Unpack labels that an agent packed into the line' },
  { name: 'line_format', doc: 'Rewrite the line by a template', insert: 'line_format "{{$0}}"' },
  { name: 'label_format', doc: 'Rename or rewrite labels', insert: 'label_format $0' },
  { name: 'decolorize', doc: 'Remove ANSI colour codes from the line' },
  { name: 'drop', doc: 'Remove labels', insert: 'drop $0' },
  { name: 'keep', doc: 'Keep only these labels', insert: 'keep $0' },
];

export const UNWRAP: Word = { name: 'unwrap', doc: 'Use a field as the value of each entry', insert: 'unwrap $0' };

export const LINE_FILTERS: Word[] = [
  { name: '|=', doc: 'Lines that contain a text', insert: '|= "$0"' },
  { name: '!=', doc: 'Lines that do not contain a text', insert: '!= "$0"' },
  { name: '|~', doc: 'Lines that match a regular expression', insert: '|~ "$0"' },
  { name: '!~', doc: 'Lines that do not match a regular expression', insert: '!~ "$0"' },
  { name: '|>', doc: 'Lines that match a pattern with <_> for any text', insert: '|> "$0"' },
  { name: '!>', doc: 'Lines that do not match a pattern', insert: '!> "$0"' },
];

export const RANGE_FUNCTIONS: Word[] = [
  { name: 'rate', doc: 'Entries per second' },
  { name: 'count_over_time', doc: 'Entries in the range' },
  { name: 'bytes_rate', doc: 'Bytes per second' },
  { name: 'bytes_over_time', doc: 'Bytes in the range' },
  { name: 'absent_over_time', doc: '1 when the range holds no entry' },
  { name: 'sum_over_time', doc: 'Sum of the unwrapped values' },
  { name: 'avg_over_time', doc: 'Average of the unwrapped values' },
  { name: 'min_over_time', doc: 'Least of the unwrapped values' },
  { name: 'max_over_time', doc: 'Greatest of the unwrapped values' },
  { name: 'first_over_time', doc: 'First of the unwrapped values' },
  { name: 'last_over_time', doc: 'Last of the unwrapped values' },
  { name: 'stddev_over_time', doc: 'Standard deviation of the unwrapped values' },
  { name: 'stdvar_over_time', doc: 'Variance of the unwrapped values' },
  { name: 'quantile_over_time', doc: 'Quantile of the unwrapped values' },
  { name: 'rate_counter', doc: 'Per-second rate of unwrapped values that only grow' },
].map((word) => ({
  ...word,
  insert: word.name === 'quantile_over_time' ? `${word.name}(0.95, {$0}[$__auto])` : `${word.name}({$0}[$__auto])`,
}));

export const AGGREGATIONS: Word[] = [
  { name: 'sum', doc: 'Sum over series' },
  { name: 'avg', doc: 'Average over series' },
  { name: 'min', doc: 'Least over series' },
  { name: 'max', doc: 'Greatest over series' },
  { name: 'count', doc: 'Number of series' },
  { name: 'stddev', doc: 'Standard deviation over series' },
  { name: 'stdvar', doc: 'Variance over series' },
  { name: 'topk', doc: 'The k greatest series', insert: 'topk(10, $0)' },
  { name: 'bottomk', doc: 'The k least series', insert: 'bottomk(10, $0)' },
  { name: 'sort', doc: 'Series by value, ascending', insert: 'sort($0)' },
  { name: 'sort_desc', doc: 'Series by value, descending', insert: 'sort_desc($0)' },
].map((word) => ({ ...word, insert: word.insert ?? `${word.name}($0)` }));

export const GROUPINGS: Word[] = [
  { name: 'by', doc: 'Keep these labels', insert: 'by ($0)' },
  { name: 'without', doc: 'Keep all labels but these', insert: 'without ($0)' },
];

export const DURATIONS: Word[] = [
  { name: '$__auto', doc: "The step of the query: fits the panel's width" },
  { name: '$__interval', doc: 'The interval of the panel' },
  { name: '$__rate_interval', doc: 'The step, but no less than a few seconds' },
  { name: '$__range', doc: 'The whole time range' },
  ...['1m', '5m', '10m', '30m', '1h', '1d'].map((name) => ({ name, doc: '' })),
];
