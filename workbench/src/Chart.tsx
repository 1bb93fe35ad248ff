import React, { useState } from 'react';
import { dateTimeFormat, getValueFormat } from '@grafana/data';
import { useTheme2 } from '@grafana/ui';
import { css } from '@emotion/css';

import { Series } from './frames';

interface Props {
  series: Series[];
  from: number;
  to: number;
  kind: 'bars' | 'lines';
  colorOf: (series: Series, index: number) => string;
  height?: number;
  testId: string;
}

const WIDTH = 1200;
const LEFT = 56;
const BOTTOM = 20;
const format = getValueFormat('short');

/** Stacked bars or lines over time, drawn as SVG. */
export function Chart({ series, from, to, kind, colorOf, height = 140, testId }: Props) {
  const theme = useTheme2();
  const [hidden, setHidden] = useState<Set<string>>(new Set());
  const shown = series.filter(({ name }) => !hidden.has(name));
  const top = Math.max(1e-9, kind === 'bars' ? highestStack(shown) : highest(shown));
  const x = (time: number) => LEFT + ((time - from) / Math.max(1, to - from)) * (WIDTH - LEFT);
  const y = (value: number) => (height - BOTTOM) * (1 - value / (top * 1.05));
  const toggle = (name: string) =>
    setHidden((before) => {
      const next = new Set(before);
      if (!next.delete(name)) {
        next.add(name);
      }
      return next;
    });

  return (
    <div data-testid={testId}>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} className={styles.svg} role="img" aria-label={`${series.length} series`}>
        {[0, 0.5, 1].map((share) => {
          const { text, suffix } = format(top * share);
          return (
            <g key={share}>
              <line x1={LEFT} x2={WIDTH} y1={y(top * share)} y2={y(top * share)} stroke={theme.colors.border.weak} />
              <text
                x={LEFT - 6}
                y={y(top * share) + 4}
                textAnchor="end"
                fontSize={11}
                fill={theme.colors.text.secondary}
              >
                {text}
                {suffix}
              </text>
            </g>
          );
        })}
        {[0, 0.25, 0.5, 0.75].map((share) => (
          <text
            key={share}
            x={x(from + (to - from) * share)}
            y={height - 4}
            fontSize={11}
            fill={theme.colors.text.secondary}
          >
            {dateTimeFormat(from + (to - from) * share, { format: to - from > 86400000 ? 'MM-DD HH:mm' : 'HH:mm:ss' })}
          </text>
        ))}
        {kind === 'bars' ? bars(shown, series, x, y, colorOf) : lines(shown, series, x, y, colorOf)}
      </svg>
      <div className={styles.legend}>
        {series.slice(0, 40).map((one, index) => (
          <button
            key={one.name}
            className={styles.item}
            aria-pressed={!hidden.has(one.name)}
            onClick={() => toggle(one.name)}
          >
            <span className={styles.swatch} style={{ background: colorOf(one, index) }} />
            <span style={{ opacity: hidden.has(one.name) ? 0.4 : 1 }}>{one.name}</span>
          </button>
        ))}
      </div>
    </div>
  );
}

type Scale = (value: number) => number;

function bars(shown: Series[], all: Series[], x: Scale, y: Scale, colorOf: Props['colorOf']) {
  const base = new Map<number, number>();
  const times = [...new Set(shown.flatMap((one) => one.times))].sort((a, b) => a - b);
  const step = Math.min(...times.slice(1).map((time, i) => time - times[i]), 3_600_000);
  const width = Math.max(1, Math.min(40, x(step) - x(0)) * 0.9);
  return shown.flatMap((one) =>
    one.times.map((time, i) => {
      const value = one.values[i] ?? 0;
      const below = base.get(time) ?? 0;
      base.set(time, below + value);
      return value ? (
        <rect
          key={`${one.name}-${time}`}
          x={Math.max(LEFT, x(time))}
          y={y(below + value)}
          width={Math.max(0.5, x(time) + width - Math.max(LEFT, x(time)))}
          height={Math.max(0.5, y(below) - y(below + value))}
          fill={colorOf(one, all.indexOf(one))}
        >
          <title>{`${dateTimeFormat(time)} ${one.name}: ${value}`}</title>
        </rect>
      ) : null;
    })
  );
}

function lines(shown: Series[], all: Series[], x: Scale, y: Scale, colorOf: Props['colorOf']) {
  return shown.map((one) => {
    const path = one.times
      .map((time, i) =>
        one.values[i] === null
          ? ''
          : `${i && one.values[i - 1] !== null ? 'L' : 'M'}${x(time).toFixed(1)} ${y(one.values[i]!).toFixed(1)}`
      )
      .join('');
    const color = colorOf(one, all.indexOf(one));
    return (
      <path key={one.name} d={path} fill="none" stroke={color} strokeWidth={1.5} vectorEffect="non-scaling-stroke" />
    );
  });
}

function highest(series: Series[]): number {
  return series.reduce((most, one) => one.values.reduce<number>((m, v) => Math.max(m, v ?? 0), most), 0);
}

function highestStack(series: Series[]): number {
  const sums = new Map<number, number>();
  for (const one of series) {
    one.times.forEach((time, i) => sums.set(time, (sums.get(time) ?? 0) + (one.values[i] ?? 0)));
  }
  return [...sums.values()].reduce((most, value) => Math.max(most, value), 0);
}

const styles = {
  svg: css({ width: '100%', display: 'block' }),
  legend: css({ display: 'flex', flexWrap: 'wrap', gap: '2px 14px', paddingLeft: 48, fontSize: 12 }),
  item: css({
    background: 'none',
    border: 0,
    padding: 0,
    color: 'inherit',
    display: 'flex',
    alignItems: 'center',
    gap: 6,
  }),
  swatch: css({ width: 12, height: 4, borderRadius: 2 }),
};
