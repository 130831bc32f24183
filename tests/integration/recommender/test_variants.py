"""Two published indexes at once: who is answered by which, and what happens where one of them is of no use."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts import bundle
from services.contracts.client_keys import client_key
from services.contracts.recommendation_ids import decoded
from services.contracts.variants import Split
from services.recommender.domain.recommending import Strategy
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import (
    StoredVersion,
    code_of,
    planted,
    publish,
    upload,
    write,
)
from tests.integration.recommender.serving import SERVING, Recommender, serving, serving_published
from tests.integration.recommender.test_outages import take_away
from tests.integration.recommender.test_publications import labels_of

CLIENTS = [f"client-{number}" for number in range(30)] + [f"nobody-{number}" for number in range(30)]
TAKEN = {client for client in CLIENTS if Split("try", 0.5).takes(client_key(client))}


@pytest.fixture
def versions(object_store: LocalObjectStore, tmp_path: Path) -> dict[str, StoredVersion]:
    """Of three worlds, whose names begin with their labels; stored, and not published."""
    return {
        label: upload(object_store, tmp_path / label, write(tmp_path / label, planted(label)))
        for label in ("A", "B", "C")
    }


async def variants_of(recommender: Recommender) -> dict[str, tuple[str, str]]:
    """By client: the variant, and the labels of the companies that were recommended."""
    found = {}
    for client in CLIENTS:
        answer = await recommender.recommend(client_id=client, with_reasons=True)
        found[client] = (answer.variant, ",".join(sorted(labels_of(answer) - {f"epoch-{answer.index.epoch}"})))
    return found


def expected(main: str, challenger: str) -> dict[str, tuple[str, str]]:
    return {client: ("try", challenger) if client in TAKEN else ("main", main) for client in CLIENTS}


async def test_each_client_is_answered_by_the_variant_that_the_split_gives(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"], versions["B"])
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        found = await variants_of(recommender)

    assert found == expected("A", "B")
    assert {variant for variant, _ in found.values()} == {"main", "try"}


async def test_a_client_keeps_its_variant_in_another_replica_and_behind_a_nightly_publication(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"], versions["B"])
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        publish(object_store, 2, versions["C"], versions["B"])
        await recommender.reload()
        first = await variants_of(recommender)
    async with serving_published(object_store, tmp_path / "other") as replica:
        second = await variants_of(replica)

    assert first == second == expected("C", "B")


async def test_an_answer_names_variant_and_version_and_its_id_says_the_same(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 6, versions["A"], versions["B"])
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        theirs = await recommender.recommend(client_id=min(TAKEN))
        main = await recommender.recommend(client_id=min(set(CLIENTS) - TAKEN))

    assert (theirs.variant, theirs.index.epoch, theirs.index.version) == ("try", 6, versions["B"].version)
    assert (main.variant, main.index.epoch, main.index.version) == ("main", 6, versions["A"].version)
    ids = [decoded(answer.recommendation_id) for answer in (theirs, main)]
    assert [(each.role, each.epoch, each.experiment) for each in ids] == [("challenger", 6, 6), ("main", 6, 6)]


async def test_baskets_and_similar_companies_are_the_main_versions(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"], versions["B"])
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        baskets = [await recommender.recommend(company_codes=[code_of(dense)]) for dense in range(8)]
        request = pb.SimilarCompaniesRequest(company_code=code_of(0), max_results=3)
        similar = await recommender.stub.SimilarCompanies(request, timeout=20)

    assert {basket.variant for basket in baskets} == {"main"}
    assert similar.index.version == versions["A"].version


async def test_of_a_batch_each_client_gets_its_variant(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"], versions["B"])
    requests = [pb.RecommendRequest(client_id=client, max_results=3) for client in CLIENTS]
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        answers = await recommender.stub.BatchRecommend(pb.BatchRecommendRequest(requests=requests), timeout=20)

    given = [answer.variant == "try" for answer in answers.responses]
    assert given == [client in TAKEN for client in CLIENTS]


async def test_index_information_tells_both_variants(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"], versions["B"], share=0.25)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        info = await recommender.stub.GetIndexInfo(pb.GetIndexInfoRequest(), timeout=20)

    assert info.index.version == versions["A"].version
    assert [(each.name, each.share, each.index.version, each.problem) for each in info.variants] == [
        ("main", 0.75, versions["A"].version, ""),
        ("try", 0.25, versions["B"].version, ""),
    ]


@pytest.mark.parametrize("damage", ["missing", "flipped"])
async def test_a_challenger_of_no_use_leaves_the_main_version_to_everybody_until_it_is_sound(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion], damage: str
) -> None:
    key = bundle.version_file_key(versions["B"].version, bundle.TARGET_FILE)
    content = object_store.get(key)
    object_store.delete(key)
    if damage == "flipped":
        object_store.put_if_absent(key, bytes([content[0] ^ 1]) + content[1:])
    publish(object_store, 1, versions["A"], versions["B"])
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        found = await variants_of(recommender)
        info = await recommender.stub.GetIndexInfo(pb.GetIndexInfoRequest(), timeout=20)
        unchanged = await recommender.reload()
        object_store.delete(key)
        object_store.put_if_absent(key, content)
        mended = await recommender.reload()
        again = await variants_of(recommender)

    assert set(found.values()) == {("main", "A")}
    assert [(each.name, each.share) for each in info.variants] == [("main", 1.0), ("try", 0.0)]
    assert bundle.TARGET_FILE in info.variants[1].problem
    assert (unchanged.changed, mended.changed) == (False, True)
    assert again == expected("A", "B")


async def test_a_damaged_main_version_is_not_replaced_by_its_challenger(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"])
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        object_store.delete(bundle.version_file_key(versions["C"].version, bundle.TARGET_FILE))
        publish(object_store, 2, versions["C"], versions["B"])
        await asyncio.gather(recommender.reload(), return_exceptions=True)
        found = await variants_of(recommender)

    assert set(found.values()) == {("main", "A")}


async def test_both_versions_outlive_the_object_store(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"], versions["B"])
    async with serving_published(object_store, tmp_path / "cache"):
        pass
    take_away(tmp_path / "objects")
    async with serving(object_store, tmp_path / "cache") as recommender:
        await recommender.becomes(SERVING)
        found = await variants_of(recommender)

    assert found == expected("A", "B")


async def test_lists_are_counted_by_who_gave_them(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    publish(object_store, 1, versions["A"], versions["B"])
    before = {role: counted(role) for role in ("main", "challenger")}
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        await variants_of(recommender)

    assert counted("challenger") - before["challenger"] == len(TAKEN)
    assert counted("main") - before["main"] == len(CLIENTS) - len(TAKEN)


async def test_calls_never_fail_and_never_mix_two_publications_while_experiments_come_and_go(
    object_store: LocalObjectStore, tmp_path: Path, versions: dict[str, StoredVersion]
) -> None:
    plan: list[tuple[str, str]] = [("A", ""), ("A", "B"), ("C", "B"), ("C", "A"), ("B", ""), ("B", "C")]
    publish(object_store, 1, versions["A"])
    over = asyncio.Event()
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        batches = [await batch_of_all(recommender)]
        callers = [asyncio.create_task(batches_until(over, recommender)) for _ in range(4)]
        for epoch, (main, challenger) in enumerate(plan[1:], 2):
            publish(object_store, epoch, versions[main], versions.get(challenger))
            await recommender.reload()
            batches.append(await batch_of_all(recommender))
        over.set()
        batches += [batch for caller in callers for batch in await caller]

    labels = {stored.version: label for label, stored in versions.items()}
    assert {epoch for epoch, _ in batches} == set(range(1, len(plan) + 1))
    for epoch, answered in batches:
        main, challenger = plan[epoch - 1]
        assert [labels[version] for version in answered] == [
            challenger if challenger and client in TAKEN else main for client in CLIENTS
        ]


async def batches_until(over: asyncio.Event, recommender: Recommender) -> list[tuple[int, list[str]]]:
    """One after the other."""
    batches = []
    while not over.is_set():
        batches.append(await batch_of_all(recommender))
    return batches


async def batch_of_all(recommender: Recommender) -> tuple[int, list[str]]:
    """The epoch, which must be one, and the version that answered each client."""
    requests = [pb.RecommendRequest(client_id=client, max_results=3) for client in CLIENTS]
    answers = await recommender.stub.BatchRecommend(pb.BatchRecommendRequest(requests=requests), timeout=20)
    (epoch,) = {answer.index.epoch for answer in answers.responses}
    return epoch, [answer.index.version for answer in answers.responses]


def counted(role: str) -> float:
    """Lists of all strategies."""
    samples = (
        REGISTRY.get_sample_value(
            "afin_recommender_recommendations_total", {"strategy": strategy.name.lower(), "variant": role}
        )
        for strategy in Strategy
    )
    return sum(each or 0.0 for each in samples)
