"""OTLP over gRPC: the same requests as OTLP over HTTP, on a port of their own.

listener    whether and where gRPC is listened on, starting and stopping; says why it is off
server      the server of grpcio, its bounds, and which method is which signal
export      one call: authorize, limit, decode, make durable, reply
status      refusals as statuses of gRPC

Messages are bytes here, compressed ones too: they are handled like HTTP bodies, with the same limits. Only
``server`` and ``export`` import grpcio, which is an extra; ``listener`` imports them when it starts.
"""
