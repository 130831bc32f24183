"""What `afin demo` shows at its end: the account of the rows, the index beside popularity, three clients."""

from collections.abc import Sequence

from rich.table import Table

from afin.indexer.v1 import indexer_pb2
from cli.recommendations import print_places, strategy_of
from cli.screen import Screen
from demo.main_job.clients import ClientStory
from demo.main_job.figures import ACCOUNT, Figures


def print_account(figures: Figures, screen: Screen) -> None:
    """What became of the rows, and what stands in the warehouse now."""
    account, statistics = figures.account, figures.statistics
    screen.title("Warehouse")
    screen.say(", ".join(f"{name} {getattr(account, name):,}" for name in ACCOUNT))
    if not account.new + account.changed + account.late:
        screen.say("nothing new since the last run: 0 new versions")
    screen.say(f"{statistics.current_payments:,} current payments in {statistics.payment_versions:,} versions")
    screen.say(f"{statistics.current_companies:,} companies; watermark {figures.watermark.isoformat()}")


def print_index(figures: Figures, screen: Screen) -> None:
    """The index in service and its quality beside popularity's."""
    index = figures.index
    screen.title(f"Index {index.version} (epoch {index.epoch})")
    screen.say(f"{index.clients:,} clients, {index.companies:,} companies, {index.indexed_companies:,} with a vector")
    table = Table("on held-back time", "NDCG@10", "popularity", "recall@10", "coverage", box=None, pad_edge=False)
    table.add_row("companies never paid before", *_quality(index.quality.new_companies))
    table.add_row("any company", *_quality(index.quality.any_company))
    screen.console.print(table)


def print_stories(stories: Sequence[ClientStory], screen: Screen) -> None:
    """For each client what it pays, what is recommended, and because of what."""
    for story in stories:
        screen.title(f"Client {story.client_id}")
        screen.say("pays " + ", ".join(f"{name} ({count}×)" for name, count in story.paid))
        screen.say(f"is recommended, {strategy_of(story.recommended)}:")
        print_places(story.recommended, screen)


def _quality(task: indexer_pb2.TaskQuality) -> list[str]:
    return [f"{value:.4f}" for value in (task.ndcg, task.popularity_ndcg, task.recall, task.coverage)]
