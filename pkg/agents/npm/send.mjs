// node send.mjs CLIENT URL TOKEN FILE: logs every line of FILE through an npm client. Prints only what goes wrong.
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import winston from 'winston';
import LokiTransport from 'winston-loki';

const [client, url, token, file] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8').replace(/\n$/, '').split('\n');
const headers = { Authorization: `Bearer ${token}` };

async function sendPino() {
  const transport = pino.transport({
    target: 'pino-loki',
    options: {
      host: url,
      endpoint: `${new URL(url).pathname.replace(/\/$/, '')}/loki/api/v1/push`,
      headers,
      labels: { agent: client },
      logFormat: '{msg}',
      batching: { interval: 1, maxBufferSize: 0 },
    },
  });
  const logger = pino(transport);
  for (const line of lines) {
    logger.info(line);
  }
  const alive = setInterval(() => {}, 1000); // the transport's worker does not keep the process alive
  await new Promise((resolve) => {
    transport.on('close', resolve);
    transport.end();
  });
  clearInterval(alive);
}

async function sendWinston(json) {
  const loki = new LokiTransport({
    host: url,
    headers,
    labels: { agent: client },
    json,
    interval: 1,
    format: winston.format.printf((info) => info.message),
    onConnectionError: (error) => console.error(error),
  });
  const logger = winston.createLogger({ transports: [loki] });
  for (const [i, line] of lines.entries()) {
    logger.info(line);
    if (i % 1000 === 0) {
      await setImmediate();
    }
  }
  await new Promise((resolve) => {
    logger.on('finish', resolve);
    logger.end();
  });
  await loki.flush();
  await loki.close();
}

if (client === 'pino-loki') {
  await sendPino();
} else {
  await sendWinston(client !== 'winston-loki-protobuf');
}
