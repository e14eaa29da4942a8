"""Runs a list of tools (MCP tools/list, in the file named) through the converters that public clients have between it and
a model, offline. Nothing of a schema may be lost or refused on the way: names, types, enums, items, required."""
import json
import os
import sys

# a package that would ask the net for a price list
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import mcp.types
from agents.mcp import MCPServerStreamableHttp
from agents.mcp.util import MCPUtil
from anthropic import transform_schema
from autogen_core.utils import schema_to_pydantic_model
from google.genai import _mcp_utils
from langchain_core.tools import StructuredTool
from langchain_google_genai._function_utils import convert_to_genai_function_declarations
from litellm.llms.vertex_ai.gemini.vertex_and_google_ai_studio_gemini import VertexGeminiConfig
from pydantic_ai.profiles.openai import OpenAIJsonSchemaTransformer

with open(sys.argv[1], encoding="utf-8") as file:
    TOOLS = json.load(file)["tools"]
problems = []


def plain(schema):
    """A schema of any of the converters in JSON Schema's words: without nulls, with one type in small letters."""
    if hasattr(schema, "model_dump"):
        schema = schema.model_dump(mode="json", exclude_none=True)
    if not isinstance(schema, dict):
        return schema
    schema = {name: value for name, value in schema.items() if value is not None}
    options = [option for option in schema.get("anyOf", []) if option.get("type") != "null"]
    if len(options) == 1:
        schema = {**schema, **options[0]}
    kinds = schema.get("type")
    kinds = [kind for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind and kind.lower() != "null"]
    schema["type"] = kinds[0].lower() if len(kinds) == 1 else None
    if schema.pop("typed_by_enum", False) and all(isinstance(word, str) for word in schema["enum"]):
        schema["type"] = "string"
    return schema


def compare(at, ours, theirs, strict=False):
    """What a converter made of a schema of ours."""
    theirs = plain(theirs)
    if not isinstance(theirs, dict) or theirs.get("type") != ours["type"]:
        problems.append(f"{at}: type {ours['type']} became {theirs}")
        return
    if ours.get("enum") and theirs.get("enum") != ours["enum"]:
        problems.append(f"{at}: enum {ours['enum']} became {theirs.get('enum')}")
    if strict and "default" in theirs:
        problems.append(f"{at}: a default, which strict modes refuse")
    properties = theirs.get("properties") or {}
    if set(ours.get("properties", {})) != set(properties):
        problems.append(f"{at}: properties became {sorted(properties)}")
        return
    if strict and ours["type"] == "object":
        if theirs.get("additionalProperties") is not False or set(theirs.get("required", [])) != set(properties):
            problems.append(f"{at}: not strict")
    elif ours["type"] == "object" and not set(ours.get("required", [])) <= set(theirs.get("required", [])):
        problems.append(f"{at}: required became {theirs.get('required')}")
    for name, schema in ours.get("properties", {}).items():
        compare(f"{at}.{name}", schema, properties[name], strict)
    if "items" in ours:
        compare(f"{at}[]", ours["items"], theirs.get("items"), strict)


def openai_agents(strict):
    # never connected to
    server = MCPServerStreamableHttp(params={"url": "http://127.0.0.1:9/mcp"})

    def convert(tool):
        made = MCPUtil.to_function_tool(mcp.types.Tool(**tool), server, convert_schemas_to_strict=strict)
        if strict and not made.strict_json_schema:
            raise ValueError("stays without strict")
        return made.params_json_schema

    return convert


def google_genai(tool):
    declaration = _mcp_utils.mcp_to_gemini_tool(mcp.types.Tool(**tool)).function_declarations[0]
    return declaration.parameters or declaration.parameters_json_schema


def litellm_gemini(tool):
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["inputSchema"]}
    made = VertexGeminiConfig()._map_function(value=[{"type": "function", "function": function}], optional_params={})
    declarations = [one for part in made for one in part.get("function_declarations", [])]
    return declarations[0].get("parameters") or declarations[0].get("parameters_json_schema")


def pydantic_ai(tool):
    transformer = OpenAIJsonSchemaTransformer(tool["inputSchema"], strict=True)
    made = transformer.walk()
    if not transformer.is_strict_compatible:
        raise ValueError("is not compatible with strict")
    return made


def langchain_google(tool):
    structured = StructuredTool(
        name=tool["name"], description=tool["description"], args_schema=tool["inputSchema"], func=lambda **_: None
    )
    made = convert_to_genai_function_declarations([structured])
    return made[0].function_declarations[0].parameters


def autogen(tool):
    def whole(schema, definitions):
        """With what its references stand for in their place."""
        if isinstance(schema, list):
            return [whole(one, definitions) for one in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return whole(definitions[schema["$ref"].rsplit("/", 1)[1]], definitions)
        return {name: whole(value, definitions) for name, value in schema.items() if name != "$defs"}

    made = schema_to_pydantic_model(tool["inputSchema"]).model_json_schema()
    return whole(made, made.get("$defs", {}))


def anthropic(tool):
    def marked(schema):
        """Its words alone tell the type of an enum there; elsewhere a missing type is what gets a tool refused."""
        if isinstance(schema, dict):
            schema = {name: marked(value) for name, value in schema.items()}
            return {**schema, "typed_by_enum": True} if "enum" in schema and "type" not in schema else schema
        return [marked(one) for one in schema] if isinstance(schema, list) else schema

    return marked(transform_schema(json.loads(json.dumps(tool["inputSchema"]))))


CONVERTERS = {
    "openai-agents": (openai_agents(False), False),
    "openai-agents strict": (openai_agents(True), True),
    "google-genai": (google_genai, False),
    "litellm gemini": (litellm_gemini, False),
    "pydantic-ai strict": (pydantic_ai, True),
    "langchain-google-genai": (langchain_google, False),
    "autogen": (autogen, False),
    "anthropic": (anthropic, False),
}

for name, (convert, strict) in CONVERTERS.items():
    for tool in TOOLS:
        try:
            compare(f"{name}: {tool['name']}", tool["inputSchema"], convert(tool), strict)
        except Exception as error:  # whatever a converter raises is a tool that its client loses
            problems.append(f"{name}: {tool['name']}: {type(error).__name__}: {error}")

print(json.dumps({"tools": len(TOOLS), "converters": len(CONVERTERS), "problems": problems}, indent=1))
sys.exit(1 if problems else 0)
