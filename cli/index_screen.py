"""Index versions as a person reads them."""

from rich.text import Text

from afin.indexer.v1 import indexer_pb2
from cli.paging import more
from cli.screen import Screen
from cli.words import listed, moment, size

HEADS = (
    "VERSION",
    "BUILT",
    "SERVICE",
    ">EPOCH",
    ">CLIENTS",
    ">COMPANIES",
    ">NDCG NEW",
    ">POPULARITY",
    ">ANY",
    "CHECKS",
)
QUALITY_HEADS = ("JUDGED BY", ">CLIENTS", ">NDCG", "95 %", ">POPULARITY", ">RECALL", ">HIT", ">COVERAGE")


def print_versions(answer: indexer_pb2.ListIndexVersionsResponse, screen: Screen) -> None:
    """A line a version."""
    rows = [_row(each) for each in answer.index_versions]
    none = "no index yet; `afin run recommendations --watch` builds one"
    screen.listing(HEADS, rows, none=none, more=more(answer))


def print_version(version: indexer_pb2.IndexVersion, screen: Screen) -> None:
    """All of one version."""
    screen.fields(
        (
            ("version", version.version),
            ("built", f"{moment(version.built_at)} by {version.code_version}"),
            ("service", _service(version)),
            ("epoch", str(version.epoch) if version.epoch else "never published"),
            ("clients", f"{version.clients:,}"),
            ("companies", f"{version.companies:,}, {version.indexed_companies:,} with a vector of {version.dimension}"),
            ("payments", f"{version.training_payments:,}"),
            ("paid", f"{moment(version.first_payment_at)} to {moment(version.last_payment_at)}"),
            ("watermark", moment(version.watermark)),
            ("size", size(version.size_bytes)),
        )
    )
    print_quality(version.quality, screen)
    if version.HasField("validation"):
        _print_validation(version.validation, screen)


def print_quality(quality: indexer_pb2.Quality, screen: Screen) -> None:
    """How good lists of k companies were on the held-back last part of time, beside popularity."""
    screen.title(f"Quality of {quality.k} companies, paid after {moment(quality.cut)}")
    tasks = (("companies never paid before", quality.new_companies), ("any company", quality.any_company))
    screen.table(QUALITY_HEADS, [_quality(name, task) for name, task in tasks])


def print_publications(answer: indexer_pb2.ListPublicationsResponse, screen: Screen) -> None:
    """A line a publication."""
    rows = [
        (str(each.epoch), moment(each.published_at), each.version, _experiment(each), each.reason)
        for each in answer.publications
    ]
    heads = (">EPOCH", "PUBLISHED", "VERSION", "EXPERIMENT", "REASON")
    screen.listing(heads, rows, none="nothing was published yet", more=more(answer))


def print_comparison(answer: indexer_pb2.CompareIndexVersionsResponse, screen: Screen) -> None:
    """Two versions side by side, and what of it matters."""
    base, version, found = answer.base, answer.version, answer.comparison
    screen.table(
        ("", "BASE", "VERSION"),
        [
            ("version", base.version, version.version),
            ("built", moment(base.built_at), moment(version.built_at)),
            ("payments", f"{base.training_payments:,}", f"{version.training_payments:,}"),
            *((setting.name, setting.base or "-", setting.version or "-") for setting in answer.settings),
        ],
    )
    sets = (
        ("clients", found.clients),
        ("companies", found.companies),
        ("with a vector", found.indexed_companies),
        ("most popular", found.popular_companies),
    )
    screen.title("What they know")
    screen.table(("", ">BASE", ">VERSION", ">CAME", ">WENT", "FOR EXAMPLE"), [_turnover(*each) for each in sets])
    screen.title("Quality on the clients that both were judged by")
    pairs = (("companies never paid before", found.new_companies), ("any company", found.any_company))
    heads = ("", ">CLIENTS", ">BASE NDCG", ">NDCG", ">DIFFERENCE", "95 %")
    screen.table(heads, [_pair(name, pair) for name, pair in pairs if pair.clients])
    if found.sample_clients:
        overlap = f"{found.new_overlap:.0%} (new) and {found.any_overlap:.0%} (any)"
        screen.say(f"of {found.sample_clients} clients' ten companies both give {overlap}")


def _row(version: indexer_pb2.IndexVersion) -> tuple[str | Text, ...]:
    new, any_company = version.quality.new_companies, version.quality.any_company
    quality = (f"{new.ndcg:.4f}", f"{new.popularity_ndcg:.4f}", f"{any_company.ndcg:.4f}")
    counts = (str(version.epoch or "-"), f"{version.clients:,}", f"{version.companies:,}")
    return version.version, moment(version.built_at), _service(version), *counts, *quality, _verdict(version)


def _service(version: indexer_pb2.IndexVersion) -> Text:
    if version.in_service:
        return Text("in service", "green")
    return Text(f"experiment {version.experiment}" if version.experiment else "")


def _verdict(version: indexer_pb2.IndexVersion) -> Text:
    if not version.HasField("validation"):
        return Text("not validated", "dim")
    failed = [check.name for check in version.validation.checks if not check.passed]
    return Text(listed(failed), "red") if failed else Text("passed", "green")


def _print_validation(validation: indexer_pb2.Validation, screen: Screen) -> None:
    screen.title(f"Validation of {moment(validation.validated_at)}: {'passed' if validation.passed else 'failed'}")
    marks = {True: Text("✓", "green"), False: Text("✗", "red")}
    screen.table(("", "CHECK", "FOUND"), [(marks[each.passed], each.name, each.detail) for each in validation.checks])
    if validation.override_reason:
        screen.say(f"published all the same: {validation.override_reason}")


def _quality(name: str, task: indexer_pb2.TaskQuality) -> tuple[str, ...]:
    interval = f"{task.ndcg_low:.4f} to {task.ndcg_high:.4f}"
    shares = (f"{task.popularity_ndcg:.4f}", f"{task.recall:.4f}", f"{task.hit:.4f}", f"{task.coverage:.4f}")
    return name, f"{task.clients:,}", f"{task.ndcg:.4f}", interval, *shares


def _experiment(publication: indexer_pb2.Publication) -> str:
    running = publication.experiment
    return f"{running.name}: {running.version} to {running.share:.0%}" if running.name else ""


def _turnover(name: str, found: indexer_pb2.Turnover) -> tuple[str, ...]:
    examples = [f"+{code}" for code in found.came_examples[:3]] + [f"-{code}" for code in found.went_examples[:3]]
    counts = (found.before, found.after, found.came, found.went)
    return name, *(f"{count:,}" for count in counts), listed(examples, none="")


def _pair(name: str, pair: indexer_pb2.PairedQuality) -> tuple[str, ...]:
    interval = f"{pair.difference_low:+.4f} to {pair.difference_high:+.4f}"
    return name, f"{pair.clients:,}", f"{pair.base_ndcg:.4f}", f"{pair.ndcg:.4f}", f"{pair.difference:+.4f}", interval
