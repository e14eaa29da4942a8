// A person with a browser: follows the authorization URL, signs in, ticks every account, allows sending.

const attribute = (tag, name) => {
  const found = tag.match(new RegExp(`\\b${name}="([^"]*)"`));
  return found ? found[1].replaceAll('&amp;', '&').replaceAll('&#x2F;', '/').replaceAll('&quot;', '"') : null;
};

function fields(html, action) {
  const form = [...html.matchAll(/<form[^>]*>[\s\S]*?<\/form>/g)].map(m => m[0]).find(f => attribute(f.match(/<form[^>]*>/)[0], 'action') === action);
  if (!form) throw new Error(`no form for ${action} in ${html.slice(0, 2000)}`);
  const body = new URLSearchParams();
  for (const [input] of form.matchAll(/<input[^>]*>/g)) {
    const name = attribute(input, 'name');
    const type = attribute(input, 'type') ?? 'text';
    const checkable = type === 'radio' || type === 'checkbox';
    if (name && (!checkable || / checked/.test(input))) body.append(name, attribute(input, 'value') ?? 'on');
  }
  const accounts = [...form.matchAll(/<input[^>]*name="account"[^>]*>/g)].map(([input]) => attribute(input, 'value'));
  return { body, accounts };
}

export async function allow(authorizationUrl, { email, password, level = 'send', decision = 'allow' }) {
  const origin = new URL(authorizationUrl).origin;
  const jar = new Map();
  const seen = [];
  async function visit(url, init = {}) {
    for (let hops = 0; hops < 10; hops++) {
      const headers = { ...init.headers, cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') };
      if (init.method === 'POST') Object.assign(headers, { origin, 'sec-fetch-site': 'same-origin' });
      const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
      for (const cookie of answer.headers.getSetCookie()) {
        const [pair] = cookie.split(';');
        const at = pair.indexOf('=');
        jar.set(pair.slice(0, at), pair.slice(at + 1));
      }
      seen.push(`${init.method ?? 'GET'} ${url} ${answer.status}`);
      const location = answer.headers.get('location');
      if (!location) return { url, html: await answer.text(), status: answer.status };
      const next = new URL(location, url);
      if (next.origin !== origin) return { url: next.href, outside: true };
      url = next.href;
      init = {};
    }
    throw new Error('too many redirects: ' + seen.join(' | '));
  }
  const post = (url, body) => visit(url, { method: 'POST', body });

  let page = await visit(authorizationUrl);
  if (page.html?.includes('action="/login"')) {
    const { body } = fields(page.html, '/login');
    body.set('email', email);
    body.set('password', password);
    page = await post(origin + '/login', body);
  }
  if (page.outside) return page.url;
  const { body, accounts } = fields(page.html, '/oauth/consent');
  body.delete('account');
  for (const account of accounts) {
    body.append('account', account);
    body.set(`level-${account}`, level);
  }
  body.set('at_once', 'yes');
  body.set('decision', decision);
  page = await post(origin + '/oauth/consent', body);
  if (!page.outside) throw new Error(`consent did not lead back to the client: ${seen.join(' | ')} ${page.html?.slice(0, 3000)}`);
  return page.url;
}
