"""Bare A, what all figures are compared with: a server that reads, gunzips and parses a request, and then forgets it.

Its cost is the price of receiving OTLP in Python with the usual parts: aiohttp, zlib and opentelemetry-proto.
"""

import asyncio
import zlib

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

MOST_BYTES = 64 << 20


async def receive(request: web.Request) -> web.Response:
    ExportTraceServiceRequest.FromString(zlib.decompress(await request.read(), wbits=31))
    return web.Response(content_type="application/x-protobuf")


async def main() -> None:
    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/v1/traces", receive)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("listening: http://{}:{}".format(*runner.addresses[0]), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
