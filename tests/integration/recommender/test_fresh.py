"""Fresh histories in the store reach answers at the next look; a damaged object, or no store, changes nothing."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from afin.recommender.v1 import recommender_pb2 as pb
from services.contracts.bundle import LedgerPlace, Publication
from services.contracts.client_keys import client_key
from services.contracts.fresh import Fresh, FreshColumns, FreshHeader, fresh_key
from services.recommender.adapters.bundle_cache import BundleCache
from services.runtime.objects.local import LocalObjectStore
from tests.integration.recommender.bundles import StoredVersion, client_of, code_of, planted, publish, publish_world
from tests.integration.recommender.serving import SERVING, Recommender, serving, serving_published

LOADED_AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
EVERYTHING = 26


@pytest.fixture
def published(object_store: LocalObjectStore, tmp_path: Path) -> Publication:
    """The planted world in service."""
    return publish_world(object_store, tmp_path / "bundle", epoch=1)


def fresh(version: str, number: int, histories: dict[str, Sequence[int]], barred: Sequence[int] = ()) -> Fresh:
    """Histories of weight 1."""
    rows = sorted((client_key(client), tuple(paid)) for client, paid in histories.items())
    companies = np.array([company for _, paid in rows for company in paid], dtype=np.int32)
    ones = np.ones(len(companies), dtype=np.float32)
    header = FreshHeader(
        version=version,
        number=number,
        behind=LedgerPlace(sequence=number, load_id="run", committed_at=LOADED_AT),
        erasures=(),
        changed_at=LOADED_AT,
        clients=len(rows),
        pairs=len(companies),
        barred=len(barred),
    )
    columns = FreshColumns(
        keys=np.array([key for key, _ in rows], dtype=np.uint64).reshape(-1, 2),
        offsets=np.cumsum([0, *(len(paid) for _, paid in rows)], dtype=np.int64),
        companies=companies,
        weights=ones,
        habits=ones,
        barred=np.array(barred, dtype=np.int32),
        successors=np.full(len(barred), -1, dtype=np.int32),
    )
    return Fresh(header, columns)


def put(store: LocalObjectStore, told: Fresh, *, damaged: bool = False) -> None:
    content = bytearray(told.to_bytes())
    content[-1] ^= damaged
    store.put_if_absent(fresh_key(told.header.version, told.header.number), bytes(content))


async def codes(recommender: Recommender, client: str) -> set[str]:
    answer = await recommender.recommend(client_id=client, max_results=EVERYTHING)
    return {each.company_code for each in answer.recommendations}


async def info(recommender: Recommender) -> pb.GetIndexInfoResponse:
    return await recommender.stub.GetIndexInfo(pb.GetIndexInfoRequest(), timeout=20)


async def test_a_newer_history_reaches_answers_at_the_next_look(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        before = await codes(recommender, client_of(0))
        put(object_store, fresh(published.version, 5, {client_of(0): [20], "newcomer": [0]}))
        changed = (await recommender.reload()).changed
        after, told = await codes(recommender, client_of(0)), await info(recommender)
        newcomer = await recommender.recommend(client_id="newcomer")

    assert {code_of(0), code_of(20)} - before == {code_of(0)}
    assert {code_of(0), code_of(20)} - after == {code_of(20)}
    assert not changed
    assert newcomer.client_known
    assert (told.fresh_clients, told.barred_companies) == (2, 0)
    assert told.fresh_through.ToDatetime(tzinfo=UTC) == LOADED_AT


async def test_the_newest_object_replaces_all_before_it(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {"newcomer": [0]}, barred=[3]))
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        assert code_of(3) not in await codes(recommender, "nobody")
        put(object_store, fresh(published.version, 6, {}))
        await recommender.reload()

        assert code_of(3) in await codes(recommender, "nobody")
        assert not (await recommender.recommend(client_id="newcomer")).client_known


async def test_a_company_that_went_is_recommended_to_nobody(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {}, barred=[3, 25]))
    similar = pb.SimilarCompaniesRequest(company_code=code_of(4), max_results=EVERYTHING)
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        found = {
            *await codes(recommender, client_of(0)),
            *await codes(recommender, "nobody"),
            *(each.company_code for each in (await recommender.stub.SimilarCompanies(similar, timeout=20)).companies),
        }

    assert code_of(4) in found
    assert not {code_of(3), code_of(25)} & found


async def test_a_damaged_object_leaves_what_there_was_until_the_next_one(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {"newcomer": [0]}))
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        put(object_store, fresh(published.version, 6, {}), damaged=True)
        await recommender.reload()
        assert (await recommender.recommend(client_id="newcomer")).client_known

        put(object_store, fresh(published.version, 7, {"another": [1]}))
        await recommender.reload()
        assert (await recommender.recommend(client_id="another")).client_known


async def test_a_publication_of_the_same_version_beside_a_damaged_object_loses_nothing(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {"newcomer": [0]}))
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        put(object_store, fresh(published.version, 6, {}), damaged=True)
        await recommender.reload()
        publish(object_store, 2, StoredVersion(published.version, published.manifest_sha256))
        assert (await recommender.reload()).changed
        assert (await recommender.recommend(client_id="newcomer")).client_known


@pytest.mark.parametrize("told", [fresh("20260301T120000Z-0123456789ab", 5, {"newcomer": [0]})])
async def test_an_object_of_another_version_is_refused(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication, told: Fresh
) -> None:
    object_store.put_if_absent(fresh_key(published.version, 5), told.to_bytes())
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        assert not (await recommender.recommend(client_id="newcomer")).client_known


async def test_after_a_restart_without_the_store_it_knows_what_it_knew(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {"newcomer": [0]}, barred=[3]))
    async with serving_published(object_store, tmp_path / "cache"):
        pass
    (tmp_path / "objects").rename(tmp_path / "away")

    async with serving(object_store, tmp_path / "cache") as recommender:
        await recommender.becomes(SERVING)
        assert (await recommender.recommend(client_id="newcomer")).client_known
        assert code_of(3) not in await codes(recommender, "nobody")


async def test_a_damaged_copy_on_disk_is_fetched_again(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {"newcomer": [0]}))
    async with serving_published(object_store, tmp_path / "cache"):
        pass
    (copy,) = (tmp_path / "cache" / "fresh" / published.version).iterdir()
    copy.write_bytes(b"something else")

    async with serving_published(object_store, tmp_path / "cache") as recommender:
        assert (await recommender.recommend(client_id="newcomer")).client_known


async def test_the_disk_keeps_only_the_newest_of_versions_that_it_holds(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {"newcomer": [0]}))
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        put(object_store, fresh(published.version, 6, {"newcomer": [0]}))
        await recommender.reload()
        folder = tmp_path / "cache" / "fresh"
        assert [path.name for path in (folder / published.version).iterdir()] == [f"{6:016d}"]
        for epoch, label in ((2, "B"), (3, "C")):
            later = publish_world(object_store, tmp_path / label, epoch, planted(label))
            put(object_store, fresh(later.version, 6, {}))
            await recommender.reload()

    assert published.version not in [path.name for path in folder.iterdir()]


async def test_nothing_is_removed_from_the_disk_while_another_process_loads(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    put(object_store, fresh(published.version, 5, {"newcomer": [0]}))
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        folder = tmp_path / "cache" / "fresh" / published.version
        with BundleCache(tmp_path / "cache").loading():
            put(object_store, fresh(published.version, 6, {"newcomer": [0]}))
            await recommender.reload()
            assert sorted(path.name for path in folder.iterdir()) == [f"{number:016d}" for number in (5, 6)]
        put(object_store, fresh(published.version, 7, {"newcomer": [0]}))
        await recommender.reload()

    assert [path.name for path in folder.iterdir()] == [f"{7:016d}"]


async def test_a_list_made_ahead_is_not_given_where_it_is_out_of_date(
    object_store: LocalObjectStore, tmp_path: Path, published: Publication
) -> None:
    async with serving_published(object_store, tmp_path / "cache") as recommender:
        before = await shortlists(recommender)
        gone, paid = before[0][0], before[1][0]
        put(object_store, fresh(published.version, 5, {client_of(1): [dense_of(paid)]}, barred=[dense_of(gone)]))
        await recommender.reload()
        after = await shortlists(recommender)

    assert gone not in after[0]
    assert paid not in after[1]
    assert after[2] == before[2]
    assert [len(codes) for codes in after] == [3, 3, 3]


async def shortlists(recommender: Recommender) -> list[list[str]]:
    """Of a client of each group."""
    answers = [await recommender.recommend(client_id=client_of(group), max_results=3) for group in range(3)]
    return [[each.company_code for each in answer.recommendations] for answer in answers]


def dense_of(code: str) -> int:
    """The dense id of a company."""
    return next(dense for dense in range(EVERYTHING) if code_of(dense) == code)
