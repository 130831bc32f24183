"""`afin eval`: how good the index in service is, as it was judged before it was published."""

from afin.indexer.v1 import indexer_pb2
from afin.recommender.v1 import recommender_pb2
from cli.afin_calls import SHORT, Afin
from cli.calling import calling
from cli.index_screen import print_quality
from cli.screen import Screen
from cli.words import moment


@calling("recommender")
async def evaluation(afin: Afin) -> None:
    """Shows the quality of the index in service: on the last part of time, which was held back, beside popularity."""
    info = await (await afin.recommender()).GetIndexInfo(recommender_pb2.GetIndexInfoRequest(), timeout=SHORT)
    asked = indexer_pb2.GetIndexVersionRequest(version=info.index.version)
    version = (await (await afin.indexer()).GetIndexVersion(asked, timeout=SHORT)).index_version
    afin.show(version, lambda: _print(info, version, afin.screen))


def _print(info: recommender_pb2.GetIndexInfoResponse, version: indexer_pb2.IndexVersion, screen: Screen) -> None:
    screen.fields(
        (
            ("version", f"{version.version}, epoch {info.index.epoch}, published {moment(info.index.published_at)}"),
            ("made of", f"{version.training_payments:,} payments of {version.clients:,} clients"),
            ("watermark", moment(version.watermark)),
            ("search", info.search),
            ("fresh until", f"{moment(info.fresh_through)}, {info.fresh_clients:,} clients newer than the index"),
        )
    )
    print_quality(version.quality, screen)
    screen.say("`make eval` judges it anew beside other methods; docs/adr/0004 tells how")
