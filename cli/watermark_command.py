"""`afin watermark`: up to when everything is surely in the warehouse."""

from datetime import UTC

from afin.ingest.v1 import ingest_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.screen import Screen
from cli.words import moment, seconds
from services.runtime.clock import utc_now


@calling("ingest")
async def watermark(afin: Afin) -> None:
    """Shows the newest time whose rows are surely in the warehouse, and where the next pass starts."""
    answer = await (await afin.ingest()).GetWatermark(ingest_pb2.GetWatermarkRequest(), timeout=SHORT)
    afin.show(answer, lambda: _print(answer, afin.screen))


def _print(answer: ingest_pb2.GetWatermarkResponse, screen: Screen) -> None:
    behind = ""
    if answer.HasField("payments"):
        lag = (utc_now() - answer.payments.ToDatetime(tzinfo=UTC)).total_seconds()
        behind = f" ({seconds(lag)} ago)"
    screen.fields(
        (
            ("payments", f"{moment(answer.payments)}{behind}"),
            ("companies", moment(answer.companies)),
            ("next pass asks for", f"updates after {answer.next_since}" if answer.next_since else ""),
            ("overlap", seconds(answer.overlap.ToTimedelta().total_seconds())),
        )
    )
