import { DataFrameJSON, DataQueryResponse, LoadingState, StreamingDataFrame } from '@grafana/data';
import { GrafanaLiveSrv, LiveDataStreamOptions } from '@grafana/runtime';
import { NEVER, Observable, of } from 'rxjs';

/** Grafana Live in short: one websocket per channel, its frames gathered into one that grows. */
export function createLiveSrv(): GrafanaLiveSrv {
  const service: Partial<GrafanaLiveSrv> = {
    getConnectionState: () => of(true),
    getStream: () => NEVER,
    getDataStream: stream,
  };
  return service as GrafanaLiveSrv;
}

function stream({ addr, key, buffer }: LiveDataStreamOptions): Observable<DataQueryResponse> {
  return new Observable((observer) => {
    const url = new URL(`/api/live/ds/${addr.stream}/${addr.path}`, location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    url.searchParams.set('data', JSON.stringify(addr.data));
    const socket = new WebSocket(url);
    let frame: StreamingDataFrame | undefined;

    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data) as DataFrameJSON & { error?: string };
      if (message.error) {
        observer.error(new Error(message.error));
        return;
      }
      if (frame) {
        frame.push(message);
      } else {
        frame = StreamingDataFrame.fromDataFrameJSON(message, buffer);
      }
      observer.next({ key, state: LoadingState.Streaming, data: [frame] });
    };
    socket.onclose = ({ code, reason }) => observer.error(new Error(reason || `The live channel was closed (${code})`));
    return () => {
      socket.onclose = null;
      socket.close();
    };
  });
}
