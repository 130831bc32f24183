"""`python -m services.runtime.probe host:port [service]`: exits with 0 when the server answers SERVING, else with 1.

For orchestrators without a gRPC probe of their own. Without a service's full name it asks whether the process lives.
"""

import argparse
import sys
from datetime import timedelta

import grpc
from grpc_health.v1 import health_pb2

TIMEOUT = timedelta(seconds=3)
# The health service is asked directly, whatever proxy the environment names for other traffic.
OPTIONS = (("grpc.enable_http_proxy", 0),)


def ask(address: str, service: str = "", timeout: timedelta = TIMEOUT) -> str:
    """What the server at `host:port` says of `service`: a ServingStatus, or the gRPC code of a call that failed."""
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = check(health_pb2.HealthCheckRequest(service=service), timeout=timeout.total_seconds())
        except grpc.RpcError as error:
            return str(error.code().name)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def main(arguments: list[str] | None = None) -> int:
    """Prints the answer and returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m services.runtime.probe", description=__doc__)
    parser.add_argument("address", help="host:port of the gRPC server")
    parser.add_argument("service", nargs="?", default="", help="full name, e.g. afin.warehouse.v1.WarehouseService")
    parsed = parser.parse_args(arguments)
    answer = ask(parsed.address, parsed.service)
    print(answer)
    return 0 if answer == "SERVING" else 1


if __name__ == "__main__":
    sys.exit(main())
