// npm @modelcontextprotocol/sdk 1.x
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { run } from './journey.mjs';

await run(Client, StreamableHTTPClientTransport, {}, (transport, parameters) => transport.finishAuth(parameters.get('code')));
