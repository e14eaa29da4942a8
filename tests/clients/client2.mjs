// npm @modelcontextprotocol/client 2.x; argument: default or auto
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { run } from './journey.mjs';

const options = process.argv[2] === 'auto' ? { versionNegotiation: { mode: 'auto' } } : {};
await run(Client, StreamableHTTPClientTransport, options, (transport, parameters) => transport.finishAuth(parameters));
