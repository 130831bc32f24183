"""Serves S3 on port 8333 with the bucket afin, where the suite's compose file expects it; until SIGTERM."""

import signal
import threading

import boto3
from moto.server import ThreadedMotoServer

stop = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stop.set())
server = ThreadedMotoServer(ip_address="0.0.0.0", port=8333, verbose=False)
server.start()
store = boto3.client(
    "s3",
    endpoint_url="http://127.0.0.1:8333",
    region_name="us-east-1",
    aws_access_key_id="any",
    aws_secret_access_key="any",
)
store.create_bucket(Bucket="afin")
print("serving", flush=True)
stop.wait()
server.stop()
