"""Envoy as edge and gateway, and the hub's end of it."""

import os

# gRPC reads it when it is imported, which is after this.  With its own default whoever knocks
# without a certificate writes a line into the hub's log.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
