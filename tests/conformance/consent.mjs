// Runs the `authorization` scenarios: registers a client for the suite's callback, starts the suite (its arguments
// follow the port) and visits the authorization URL that it prints, as a person who signs in and allows.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { allow } from './person.mjs';

const { ISSUER, EMAIL, PASSWORD } = process.env;
const [suite, port] = process.argv.slice(2);
const redirect = `http://127.0.0.1:${port}/callback`;
const registered = await fetch(`${ISSUER}/oauth/register`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ client_name: 'Conformance', redirect_uris: [redirect], token_endpoint_auth_method: 'none' }),
});
if (registered.status !== 201) throw new Error(`registration: ${registered.status} ${await registered.text()}`);
const { client_id } = await registered.json();
const run = spawn(process.execPath, [
  suite, 'authorization', '--url', ISSUER, '--client-id', client_id, '--resource', `${ISSUER}/mcp`, '-p', port,
], { stdio: ['ignore', 'pipe', 'inherit'] });
createInterface({ input: run.stdout }).on('line', async line => {
  console.log(line);
  if (!line.startsWith(`${ISSUER}/`)) return;
  try {
    await fetch(await allow(line.trim(), { email: EMAIL, password: PASSWORD }));
  } catch (error) {
    console.error(error);
    run.kill();
  }
});
run.on('exit', code => { process.exitCode = code ?? 1; });
