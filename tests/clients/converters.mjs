// Runs a list of tools (MCP tools/list, in the file named) through npm @ai-sdk/mcp, over a transport that goes nowhere.
import { createMCPClient } from '@ai-sdk/mcp';
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

const { tools } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const results = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'list', version: '0' } },
  'tools/list': { tools },
};
const transport = {
  async start() {},
  async close() {},
  async send(message) {
    if (message.id === undefined) return;
    const result = results[message.method];
    const answer = result ? { result } : { error: { code: -32601, message: 'Method not found' } };
    queueMicrotask(() => this.onmessage?.({ jsonrpc: '2.0', id: message.id, ...answer }));
  },
};
const client = await createMCPClient({ transport });
const made = await client.tools();
const problems = [];
for (const { name, description, inputSchema } of tools) {
  const schema = await made[name]?.inputSchema?.jsonSchema;
  if (!schema) { problems.push(`@ai-sdk/mcp: ${name} is lost`); continue; }
  if (made[name].description !== description) problems.push(`@ai-sdk/mcp: ${name} has another description`);
  for (const member of ['type', 'properties']) {
    if (!isDeepStrictEqual(schema[member], inputSchema[member])) problems.push(`@ai-sdk/mcp: ${name}: ${member} became ${JSON.stringify(schema[member])}`);
  }
  if (!isDeepStrictEqual(schema.required ?? [], inputSchema.required ?? [])) problems.push(`@ai-sdk/mcp: ${name}: required became ${schema.required}`);
}
await client.close();
console.log(JSON.stringify({ tools: tools.length, problems }, null, 1));
process.exit(problems.length ? 1 : 0);
