import React, { useCallback, useEffect, useMemo, useState } from 'react';
import {
  CoreApp,
  DataQuery,
  DataQueryRequest,
  DataSourceApi,
  LoadingState,
  SupplementaryQueryType,
  TimeRange,
  dateMath,
  dateTime,
  makeTimeRange,
} from '@grafana/data';
import { Alert, Button, Spinner, Stack, TimeRangePicker } from '@grafana/ui';

import { linkedLine } from './address';
import { Chart } from './Chart';
import { Details } from './Details';
import { LEVEL_COLORS, Row, isLogFrame, normaliseLevel, rowsOf, seriesOf } from './frames';
import { LogList } from './LogList';
import { MetricTable } from './MetricTable';
import { AnyPlugin } from './plugin';
import { makeRequest } from './request';
import { isRunning, useRequest } from './useRequest';

const PALETTE = [
  '#73bf69',
  '#f2cc0c',
  '#8ab8ff',
  '#ff780a',
  '#f2495c',
  '#5794f2',
  '#b877d9',
  '#705da0',
  '#37872d',
  '#fade2a',
];

interface VolumeSupport {
  getSupplementaryRequest?: (type: SupplementaryQueryType, request: DataQueryRequest) => DataQueryRequest | undefined;
}

const params = new URLSearchParams(location.search);
const initialRange = () => rangeOf(params.get('from') ?? 'now-6h', params.get('to') ?? 'now');

export function Explore({ plugin, datasource }: { plugin: AnyPlugin; datasource: DataSourceApi }) {
  const QueryEditor = plugin.components.QueryEditor!;
  const [query, setQuery] = useState<DataQuery>(() => ({
    ...datasource.getDefaultQuery?.(CoreApp.Explore),
    ...(params.get('expr') && { expr: params.get('expr') }),
    refId: 'A',
  }));
  const [range, setRange] = useState<TimeRange>(initialRange);
  const [live, setLive] = useState(false);
  const [selected, setSelected] = useState<Row>();
  const main = useRequest(datasource);
  const volume = useRequest(datasource);

  const runQuery = useCallback(
    (next: DataQuery = query, over: TimeRange = range) => {
      const fresh = rangeOf(over.raw.from, over.raw.to);
      setRange(fresh);
      setLive(false);
      const request = makeRequest([next], fresh);
      main.run(request);
      volume.run((datasource as VolumeSupport).getSupplementaryRequest?.(SupplementaryQueryType.LogsVolume, request));
    },
    [query, range, datasource, main, volume]
  );
  const toggleLive = () => {
    if (live) {
      main.stop();
    } else {
      volume.run();
      main.run(makeRequest([query], range, { liveStreaming: true }));
    }
    setLive(!live);
  };
  useEffect(() => {
    if (params.get('expr')) {
      runQuery();
    }
    // Only once, for a page that was opened with a query.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);

  const { frames } = main.result;
  const rows = useMemo(() => {
    const all = rowsOf(frames);
    return live ? all.sort((a, b) => a.time - b.time).slice(-100) : all;
  }, [frames, live]);
  // Opened by a link to a line: it is chosen once it is there.
  const [linked, setLinked] = useState(linkedLine);
  const target = linked && rows.find(({ id }) => id === linked);
  if (target) {
    setLinked(undefined);
    setSelected(target);
  }
  const series = useMemo(() => seriesOf(frames.filter((frame) => !isLogFrame(frame))), [frames]);
  const levels = useMemo(() => seriesOf(volume.result.frames), [volume.result.frames]);
  const [from, to] = [range.from.valueOf(), range.to.valueOf()];
  const notices = frames.flatMap((frame) => frame.meta?.notices ?? []);

  return (
    <Stack direction="column" gap={1}>
      <Stack direction="row" gap={1} justifyContent="flex-end" alignItems="center">
        {isRunning(main.result) && <Spinner inline />}
        <TimeRangePicker
          value={range}
          timeZone="browser"
          onChange={(next) => {
            setRange(next);
            runQuery(query, next);
          }}
          onChangeTimeZone={() => undefined}
          onMoveBackward={() => runQuery(query, shift(range, -0.5))}
          onMoveForward={() => runQuery(query, shift(range, 0.5))}
          onZoom={() => runQuery(query, zoomOut(range))}
        />
        <Button icon={live ? 'pause' : 'play'} variant="secondary" onClick={toggleLive} data-testid="live">
          {live ? 'Stop' : 'Live'}
        </Button>
        {isRunning(main.result) && !live ? (
          <Button icon="times" variant="destructive" onClick={main.stop} data-testid="cancel">
            Cancel
          </Button>
        ) : (
          <Button icon="sync" onClick={() => runQuery()} data-testid="run">
            Run query
          </Button>
        )}
      </Stack>
      <div data-testid="query-editor">
        <QueryEditor
          datasource={datasource}
          query={query}
          onChange={setQuery}
          onRunQuery={() => {
            // The state of this render is older than a change made in the same event.
            setQuery((latest) => {
              setTimeout(() => runQuery(latest));
              return latest;
            });
          }}
          range={range}
          app={CoreApp.Explore}
          data={{ state: main.result.state, series: frames, timeRange: range }}
          queries={[query]}
          history={[]}
        />
      </div>
      {main.result.errors.map((message) => (
        <Alert key={message} severity="error" title={message} data-testid="query-error" />
      ))}
      {notices.map(({ text }) => (
        <Alert key={text} severity="info" title={text} data-testid="query-notice" />
      ))}
      {levels.length > 0 && (
        <Chart
          testId="histogram"
          kind="bars"
          series={levels}
          from={from}
          to={to}
          colorOf={(one) => LEVEL_COLORS[normaliseLevel(one.labels.level ?? one.labels.detected_level ?? one.name)]}
        />
      )}
      {series.length > 0 && (
        <div>
          <Chart
            testId="graph"
            kind="lines"
            height={260}
            series={series}
            from={from}
            to={to}
            colorOf={(_, index) => PALETTE[index % PALETTE.length]}
          />
          <MetricTable series={series} />
        </div>
      )}
      {(rows.length > 0 || live) && (
        <>
          <div data-testid="result-summary">
            {rows.length} lines{live ? ', live' : main.result.tookMs && ` in ${Math.round(main.result.tookMs)} ms`}
          </div>
          <Stack direction="row" gap={1}>
            <LogList rows={rows} selected={selected} onSelect={setSelected} follow={live} />
            {selected && !live && (
              <Details
                row={selected}
                datasource={datasource}
                query={query}
                onClose={() => setSelected(undefined)}
                onQuery={(next) => {
                  setQuery(next);
                  runQuery(next);
                }}
              />
            )}
          </Stack>
        </>
      )}
      {main.result.state === LoadingState.Done && !rows.length && !series.length && !main.result.errors.length && (
        <p data-testid="no-data">Nothing matched in this time range.</p>
      )}
    </Stack>
  );
}

function rangeOf(from: TimeRange['raw']['from'], to: TimeRange['raw']['to']): TimeRange {
  // Epoch milliseconds in the address come as text.
  const parse = (text: typeof from, up: boolean) =>
    typeof text === 'string' && /^\d+$/.test(text) ? dateTime(Number(text)) : (dateMath.parse(text, up) ?? dateTime());
  return { from: parse(from, false), to: parse(to, true), raw: { from, to } };
}

function shift(range: TimeRange, share: number): TimeRange {
  const span = range.to.diff(range.from) * share;
  return makeTimeRange(dateTime(range.from.valueOf() + span), dateTime(range.to.valueOf() + span));
}

function zoomOut(range: TimeRange): TimeRange {
  const half = range.to.diff(range.from) / 2;
  return makeTimeRange(dateTime(range.from.valueOf() - half), dateTime(range.to.valueOf() + half));
}
