"""What every feature of the API needs of HTTP, and no feature's own.

Problem details, identifiers, callers, bodies and their bounds, lanes, replies, and what the OpenAPI document says of
all routes. Import from its modules: only `_reply`, `_schemas` and `_null_characters` need FastAPI or
pydantic, which a process imports while its graphs are loaded.
"""
