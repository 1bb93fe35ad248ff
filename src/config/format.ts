import { dateTimeFormatTimeAgo, getValueFormat } from '@grafana/data';

const iec = getValueFormat('bytes');
const short = getValueFormat('short');

/** `1.5 MiB` */
export function formatBytes(bytes: number): string {
  const { text, suffix } = iec(bytes, bytes < 1024 ? 0 : 1);
  return `${text}${suffix ?? ''}`;
}

/** `32.0 K` */
export function formatCount(count: number): string {
  const { text, suffix } = short(count, count < 1000 ? 0 : 1);
  return `${text}${suffix ?? ''}`;
}

/** How many times smaller the stored form is; empty when nothing is stored. */
export function formatRatio(rawBytes: number, bytes: number): string {
  return bytes > 0 && rawBytes > 0 ? `${(rawBytes / bytes).toFixed(1)}×` : '';
}

/** A time of the backend told as a distance from now; a dash when there is none. */
export function formatAgo(time?: string): string {
  return time && !time.startsWith('0001-') ? dateTimeFormatTimeAgo(time) : '–';
}
