// What a client does once it is connected; the same for every library.

export async function journey(client) {
  const { RECIPIENT, SUBJECT, TERM } = process.env;
  const call = async (name, args = {}) => {
    const result = await client.callTool({ name, arguments: args });
    const text = result.content.map(block => block.text).join('');
    if (result.isError) throw new Error(`${name}: ${text}`);
    const value = JSON.parse(text);
    if (JSON.stringify(value) !== JSON.stringify(result.structuredContent)) throw new Error(`${name}: text and structure differ`);
    return value;
  };
  const tools = (await client.listTools()).tools.map(tool => tool.name);
  const { accounts } = await call('list_accounts');
  const account_id = accounts[0].id;
  const { folders } = await call('list_folders', { account_id, counts: true });
  const list = await call('list_messages', { account_id, limit: 50 });
  const message = await call('get_message', { account_id, id: list.messages[0].id });
  const found = await call('search_messages', { account_id, subject: TERM });
  const ids = list.messages.slice(0, 2).map(m => m.id);
  const read = await call('mark_read', { account_id, ids });
  const unread = await call('mark_unread', { account_id, ids });
  const sent = await call('send_message', { account_id, to: [RECIPIENT], subject: SUBJECT, body_text: 'Sent by a real client.\n' });
  const again = await call('send_message', { account_id, to: [RECIPIENT], subject: SUBJECT, body_text: 'Sent by a real client.\n' });

  const refused = async promise => {
    try {
      const result = await promise;
      return result.isError ? JSON.parse(result.content[0].text).error.code : 'accepted';
    } catch (error) {
      return String(error.code ?? error.message);
    }
  };
  return {
    tools,
    accounts: accounts.length,
    folders: folders.map(folder => folder.role ?? folder.path),
    listed: list.messages.length,
    total: list.total,
    body: message.body,
    found: found.total,
    marked: [read.done.length, unread.done.length],
    sent,
    repeated: again.repeated && again.message_id === sent.message_id,
    refused: {
      unknown_tool: await refused(client.callTool({ name: 'no_such_tool', arguments: {} })),
      wrong_type: await refused(client.callTool({ name: 'list_messages', arguments: { account_id, limit: 'many' } })),
      unknown_account: await refused(client.callTool({ name: 'list_messages', arguments: { account_id: 'acc_nobody' } })),
      folder_injection: await refused(client.callTool({ name: 'list_messages', arguments: { account_id, folder: 'INBOX"\r\nA1 DELETE INBOX' } })),
      search_injection: await refused(client.callTool({ name: 'search_messages', arguments: { account_id, subject: 'x\r\nA1 LOGOUT' } })),
      subject_injection: await refused(client.callTool({ name: 'send_message', arguments: { account_id, to: [RECIPIENT], subject: 'x\r\nBcc: evil@example.com', body_text: 'x' } })),
    },
  };
}

export function provider(redirectUrl) {
  const kept = {};
  return {
    kept,
    redirectUrl,
    clientMetadata: {
      client_name: 'End-to-end test',
      redirect_uris: [redirectUrl],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: client => { kept.client = client; },
    tokens: () => kept.tokens,
    saveTokens: tokens => { kept.tokens = tokens; },
    redirectToAuthorization: url => { kept.authorizationUrl = url.href; },
    saveCodeVerifier: verifier => { kept.verifier = verifier; },
    codeVerifier: () => kept.verifier,
  };
}

export async function run(Client, Transport, options, finish) {
  const url = new URL(process.env.MCP_URL);
  const auth = provider('http://127.0.0.1:41999/callback');
  const first = new Client({ name: 'e2e', version: '1.0.0' }, options);
  let transport = new Transport(url, { authProvider: auth });
  let refused = false;
  try {
    await first.connect(transport);
  } catch (error) {
    if (!auth.kept.authorizationUrl) throw error;
    refused = true;
  }
  const { allow } = await import('./person.mjs');
  const callback = await allow(auth.kept.authorizationUrl, { email: process.env.EMAIL, password: process.env.PASSWORD });
  await finish(transport, new URL(callback).searchParams);
  const client = new Client({ name: 'e2e', version: '1.0.0' }, options);
  transport = new Transport(url, { authProvider: auth });
  await client.connect(transport);
  const result = await journey(client);
  await client.close();
  const { access_token, refresh_token } = auth.kept.tokens;
  console.log(JSON.stringify({ refused_without_token: refused, ...result, tokens: { access_token, refresh_token, code: new URL(callback).searchParams.get('code') }, client_id: auth.kept.client.client_id }));
}
