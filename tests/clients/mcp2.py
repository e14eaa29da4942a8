"""PyPI mcp 2.x"""

import asyncio
import json
import os
import urllib.parse

import httpx2
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata
from person import allow

URL, EMAIL, PASSWORD = os.environ["MCP_URL"], os.environ["EMAIL"], os.environ["PASSWORD"]
RECIPIENT, SUBJECT, TERM = os.environ["RECIPIENT"], os.environ["SUBJECT"], os.environ["TERM"]


class Kept:
    """Token storage in memory."""

    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


async def main():
    kept, answer = Kept(), {}

    async def redirect(url):
        answer["url"] = await asyncio.to_thread(allow, url, EMAIL, PASSWORD)

    async def callback():
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer["url"]).query))
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    metadata = OAuthClientMetadata(client_name="End-to-end test", redirect_uris=["http://127.0.0.1:41999/callback"])
    auth = OAuthClientProvider(URL, metadata, kept, redirect, callback)
    async with httpx2.AsyncClient(auth=auth, timeout=60, trust_env=False) as http:
        async with Client(streamable_http_client(URL, http_client=http)) as client:

            async def call(name, **arguments):
                result = await client.call_tool(name, arguments)
                text = "".join(block.text for block in result.content)
                if result.is_error:
                    raise RuntimeError(f"{name}: {text}")
                return json.loads(text)

            tools = [tool.name for tool in (await client.list_tools()).tools]
            accounts = (await call("list_accounts"))["accounts"]
            account = accounts[0]["id"]
            folders = (await call("list_folders", account_id=account, counts=True))["folders"]
            listed = await call("list_messages", account_id=account, limit=50)
            message = await call("get_message", account_id=account, id=listed["messages"][0]["id"])
            found = await call("search_messages", account_id=account, subject=TERM)
            ids = [entry["id"] for entry in listed["messages"][:2]]
            read = await call("mark_read", account_id=account, ids=ids)
            unread = await call("mark_unread", account_id=account, ids=ids)
            send = {"account_id": account, "to": [RECIPIENT], "subject": SUBJECT, "body_text": "Sent by a real client.\n"}
            sent = await call("send_message", **send)
            again = await call("send_message", **send)
    print(json.dumps({
        "refused_without_token": "url" in answer,
        "tools": tools,
        "accounts": len(accounts),
        "folders": [folder.get("role", folder["path"]) for folder in folders],
        "listed": len(listed["messages"]),
        "total": listed["total"],
        "body": message.get("body", ""),
        "found": found["total"],
        "marked": [len(read["done"]), len(unread["done"])],
        "sent": sent,
        "repeated": again["repeated"] and again["message_id"] == sent["message_id"],
        "tokens": {
            "access_token": kept.tokens.access_token,
            "refresh_token": kept.tokens.refresh_token,
            "code": dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer["url"]).query))["code"],
        },
        "client_id": kept.client.client_id,
    }))


asyncio.run(main())
