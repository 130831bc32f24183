"""Of a bundle in the object store only what histories are made with: codes, clients' keys, and the rules."""

import asyncio
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.contracts import bundle
from services.contracts.bundle import IndexManifest, manifest_of, version_file_key
from services.contracts.bundle_arrays import expected_arrays
from services.contracts.texts import Texts
from services.indexer.adapters.work_folder import disk_errors
from services.indexer.domain.history_model import rules_of
from services.indexer.domain.history_rules import RULES
from services.indexer.domain.training import Selection
from services.indexer.workflow.ports import Versions
from services.indexer.workflow.refresh_ports import CannotRefresh, ServedModel
from services.runtime.checksums import require_sha256
from services.runtime.errors import DataLoss, NotFound
from services.runtime.objects.store import ObjectStore

FILES = (bundle.TEXTS_FILE, bundle.TEXT_OFFSETS_FILE, bundle.TENDENCIES_FILE, bundle.CLIENTS_FILE)
# Two versions can be in service at a time.
REMEMBERED = 2


class ServedModelObjects:
    """See ServedModels. The models of the versions asked for last are kept: 16 bytes a client, 100 a company."""

    def __init__(self, store: ObjectStore, versions: Versions, work_folder: Path) -> None:
        self._store = store
        self._versions = versions
        self._work_folder = work_folder
        self._models: dict[str, ServedModel] = {}

    async def load(self, version: str) -> ServedModel:
        """See ServedModels."""
        model = self._models.pop(version, None) or await self._load(version)
        self._models[version] = model
        for forgotten in list(self._models)[:-REMEMBERED]:
            del self._models[forgotten]
        return model

    async def _load(self, version: str) -> ServedModel:
        builds = [build for build in await self._versions.builds() if build.version == version and build.read_behind]
        try:
            manifest = manifest_of(version, await self._versions.manifest(version))
            _require_known(manifest)
            arrays = await asyncio.to_thread(self._arrays, version, manifest)
        except (NotFound, DataLoss, ValueError) as error:
            raise CannotRefresh(f"{version} is damaged or of another format: {error}") from error
        if not builds:
            raise CannotRefresh(f"of {version} it is not known which payments it was built from")
        newest = max(builds, key=lambda build: build.read_behind.sequence if build.read_behind else 0)
        return _model(version, manifest, arrays, newest)

    def _arrays(self, version: str, manifest: IndexManifest) -> dict[str, NDArray[Any]]:
        """Verified. A file that is damaged must not be remembered: the next try reads it anew."""
        files = {file.name: file for file in manifest.files}
        expected, arrays = expected_arrays(manifest), {}
        with disk_errors(), TemporaryDirectory(prefix="afin-refresh-", dir=self._work_folder) as name:
            for file in FILES:
                path, key = Path(name) / file, version_file_key(version, file)
                self._store.fetch(key, path)
                require_sha256(path, files[file].sha256, key)
                arrays[file] = np.load(path, allow_pickle=False)
                if (arrays[file].dtype, arrays[file].shape) != expected[file]:
                    raise ValueError(f"{file} is {arrays[file].dtype} {arrays[file].shape}, not {expected[file]}")
        return arrays


def _require_known(manifest: IndexManifest) -> None:
    if manifest.histories is None or manifest.histories.rules != RULES:
        raise ValueError(f"its histories follow other rules than {RULES}")


def _model(version: str, manifest: IndexManifest, arrays: dict[str, NDArray[Any]], newest: bundle.Build) -> ServedModel:
    if manifest.histories is None or newest.read_behind is None:
        raise ValueError("checked before")
    codes = Texts(arrays[bundle.TEXTS_FILE], arrays[bundle.TEXT_OFFSETS_FILE]).part(0, manifest.companies)
    told = manifest.parameters
    created_since = str(told.get("created_since", ""))
    return ServedModel(
        version=version,
        codes=tuple(codes.tolist()),
        keys=arrays[bundle.CLIENTS_FILE],
        rules=rules_of(manifest.histories, arrays[bundle.TENDENCIES_FILE], manifest.indexed),
        selection=Selection(
            statuses=tuple(str(told.get("statuses", "paid")).split(",")),
            created_since=datetime.fromisoformat(created_since) if created_since else None,
        ),
        since=manifest.first_payment_at if told.get("max_training_payments") else None,
        behind=newest.read_behind,
        erasures=frozenset(newest.erasures),
    )
