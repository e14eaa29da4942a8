"""A person with a browser: follows the authorization URL, signs in, ticks every account, allows sending."""

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser


class Form(HTMLParser):
    """Fields of the form with a given action, as a browser would submit them."""

    def __init__(self, action):
        super().__init__()
        self.action, self.inside, self.fields, self.accounts = action, False, [], []

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.inside = given.get("action") == self.action
        if not self.inside or tag != "input" or "name" not in given:
            return
        if given["name"] == "account":
            self.accounts.append(given["value"])
        elif given.get("type") not in ("radio", "checkbox") or "checked" in given:
            self.fields.append((given["name"], given.get("value") or ""))

    def handle_endtag(self, tag):
        if tag == "form":
            self.inside = False


class Outside(Exception):
    """A redirect that leaves the server: the answer to the client."""


class OwnOrigin(urllib.request.HTTPRedirectHandler):
    def __init__(self, origin):
        self.origin = origin

    def redirect_request(self, request, file, code, message, headers, url):
        if not url.startswith(self.origin + "/"):
            raise Outside(url)
        return urllib.request.Request(url)


def allow(authorization_url, email, password):
    parts = urllib.parse.urlsplit(authorization_url)
    origin = f"{parts.scheme}://{parts.netloc}"
    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar, OwnOrigin(origin))

    def post(path, fields):
        body = urllib.parse.urlencode(fields).encode()
        request = urllib.request.Request(origin + path, body, {"Origin": origin, "Sec-Fetch-Site": "same-origin"})
        return browser.open(request, timeout=30).read().decode()

    try:
        page = browser.open(authorization_url, timeout=30).read().decode()
        login = Form("/login")
        login.feed(page)
        if login.fields:
            fields = {**dict(login.fields), "email": email, "password": password}
            page = post("/login", fields)
        consent = Form("/oauth/consent")
        consent.feed(page)
        levels = {f"level-{account}": "send" for account in consent.accounts}
        fields = {**dict(consent.fields), **levels, "at_once": "yes", "decision": "allow"}
        page = post("/oauth/consent", [*fields.items(), *(("account", account) for account in consent.accounts)])
    except Outside as answer:
        return str(answer)
    raise RuntimeError("consent did not lead back to the client: " + page[:3000])
