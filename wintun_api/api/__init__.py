"""The HTTP and WebSocket edge: FastAPI, pydantic, security.

app          create_app: routes, lifespan, handlers
server       uvicorn with our WebSocket protocol and an orderly shutdown
security     Host, Origin, token, scope: one check for HTTP and WebSocket
tokens       the admin token, issued tokens, browser cookies
problems     errors to problem+json and close codes: one table
schemas      every pydantic model
adapters  sessions  packets  system  tokens_routes   one router per resource
streams      WebSocket and SSE endpoints: packets, events
connection   one packet client: its subscription, its injections, its control messages
link         bytes to and from one WebSocket client, fast on our server, plain elsewhere
protocol     the uvicorn WebSocket protocol class behind the fast link
page         the dashboard's place, the API docs, the sign-in
"""
