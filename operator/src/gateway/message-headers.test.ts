import assert from 'node:assert/strict';
import { describe, it } from 'mocha';
import { type RequestHead, requestHeaders, responseHeaders } from './message-headers.ts';

const head = (change: Partial<RequestHead>): RequestHead => ({
  method: 'POST',
  headers: [],
  transferEncoding: undefined,
  remoteAddress: undefined,
  host: '10.0.0.1:8080',
  ...change,
});
const OURS = ['Via', '1.1 modelservice-gateway', 'Connection', 'close'];

describe('the headers of a forwarded message', () => {
  const requests: readonly { title: string; given: Partial<RequestHead>; expected: readonly string[] }[] = [
    {
      title: 'are the client’s own, repeated ones too, in their order and spelling',
      given: { headers: ['HOST', 'digits', 'X-A', '1', 'Content-Length', '3', 'x-a', '2'] },
      expected: ['HOST', 'digits', 'X-A', '1', 'Content-Length', '3', 'x-a', '2', ...OURS],
    },
    {
      title: 'have none of the connection’s, nor what its Connection header names',
      given: {
        headers: ['Host', 'd', 'Connection', 'Keep-Alive, X-Secret', 'Keep-Alive', '5', 'X-Secret', 's', 'TE', 'gzip'],
        method: 'GET',
      },
      expected: ['Host', 'd', ...OURS],
    },
    {
      title: 'keep the length and the host, whatever the Connection header names',
      given: { headers: ['Host', 'd', 'Connection', 'content-length, host', 'Content-Length', '3'] },
      expected: ['Host', 'd', 'Content-Length', '3', ...OURS],
    },
    {
      title: 'say that the body comes in chunks where it does, and keep what follows it',
      given: {
        headers: ['Host', 'd', 'Transfer-Encoding', 'chunked', 'Trailer', 'X-Sum'],
        transferEncoding: 'chunked',
        method: 'GET',
      },
      expected: ['Host', 'd', 'Trailer', 'X-Sum', ...OURS, 'Transfer-Encoding', 'chunked'],
    },
    {
      title: 'say that there is no body where there might be one',
      given: { headers: ['Host', 'd', 'Trailer', 'X-Sum'] },
      expected: ['Host', 'd', ...OURS, 'Content-Length', '0'],
    },
    {
      title: 'say for whom it is forwarded, after those before us',
      given: { method: 'GET', headers: ['Host', 'd', 'X-Forwarded-For', '10.1.1.1'], remoteAddress: '10.2.2.2' },
      expected: ['Host', 'd', 'X-Forwarded-For', '10.1.1.1, 10.2.2.2', ...OURS],
    },
    {
      title: 'name a client of IPv4 by its own address, also where one socket takes both kinds',
      given: { method: 'GET', headers: ['Host', 'd'], remoteAddress: '::ffff:10.2.2.2' },
      expected: ['Host', 'd', 'X-Forwarded-For', '10.2.2.2', ...OURS],
    },
    {
      title: 'name the pod where the client names no host',
      given: { method: 'GET' },
      expected: ['Host', '10.0.0.1:8080', ...OURS],
    },
  ];
  for (const { title, given, expected } of requests) {
    it(title, () => {
      assert.deepEqual(requestHeaders(head(given)), expected);
    });
  }

  it('end the connection with the answer', () => {
    const headers = ['Content-Type', 'text/plain', 'Connection', 'keep-alive', 'Transfer-Encoding', 'chunked'];
    assert.deepEqual(responseHeaders([...headers, 'Trailer', 'X-Sum'], true), [
      'Content-Type',
      'text/plain',
      'Trailer',
      'X-Sum',
      ...OURS,
    ]);
    assert.deepEqual(responseHeaders(['Trailer', 'X-Sum'], false), OURS);
  });
});
