"""How a service of ours calls another that asks who it is."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from structlog.testing import capture_logs

from services.runtime.access.keys import AccessFileError, line_of, make_key
from services.runtime.access.proof import Proof
from services.runtime.channels import open_channel
from services.runtime.peers import CallingSettings, open_peer
from tests.integration.runtime.access.authority import Authority
from tests.integration.runtime.access.doors import INFO, RELOAD, WATCH, keys_in, open_doors, until


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file that lets in the key of `key_file` to operate."""
    made = keys_in(tmp_path / "keys")
    _write(tmp_path / "key", made["operate"])
    return tmp_path / "keys"


@pytest.fixture
def key_file(keys: Path) -> Path:
    """Where the caller keeps its key."""
    return keys.with_name("key")


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(f"{text}\n")
    path.chmod(mode)


async def called(channel: grpc.aio.Channel, path: str) -> grpc.StatusCode:
    """How a call ended, of a stream of answers or of one."""
    try:
        if path == WATCH:
            stream: Any = channel.unary_stream(path)
            async for _ in stream(b"", timeout=20):
                pass
        else:
            unary: Any = channel.unary_unary(path)
            await unary(b"", timeout=20)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("path", [RELOAD, WATCH])
async def test_the_key_goes_with_calls_of_each_kind(keys: Path, key_file: Path, path: str) -> None:
    async with open_doors("aio", api_keys_file=keys) as door, _channel(door.port, Proof(api_key_file=key_file)) as ours:
        assert await called(ours, path) == grpc.StatusCode.OK


async def test_key_and_certificate_go_together(keys: Path, key_file: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    server, own = authority.issue("localhost"), authority.issue("ingest")
    settings = {
        "tls_cert_file": server.certificate,
        "tls_key_file": server.key,
        "tls_client_ca_file": authority.certificate,
    }
    proof = Proof(authority.certificate, own.certificate, own.key, key_file)
    async with open_doors("aio", api_keys_file=keys, **settings) as door, _channel(door.port, proof) as ours:
        assert await called(ours, RELOAD) == grpc.StatusCode.OK


async def test_a_caller_takes_up_its_new_key_without_a_restart(keys: Path, key_file: Path) -> None:
    async with open_doors("aio", api_keys_file=keys) as door, _channel(door.port, Proof(api_key_file=key_file)) as ours:
        new = make_key()
        _write(keys, line_of(new, "ingest", "operate"), 0o644)

        async def is_refused() -> bool:
            return await called(ours, INFO) == grpc.StatusCode.UNAUTHENTICATED

        await until(is_refused)
        _write(key_file, new)
        assert await called(ours, INFO) == grpc.StatusCode.OK


async def test_a_key_file_that_breaks_leaves_the_key_and_is_told(keys: Path, key_file: Path) -> None:
    async with open_doors("aio", api_keys_file=keys) as door, _channel(door.port, Proof(api_key_file=key_file)) as ours:
        _write(key_file, "")
        with capture_logs() as logs:
            assert await called(ours, INFO) == grpc.StatusCode.OK

    assert [entry["file"] for entry in logs if entry["event"].startswith("access file unusable")] == ["peers_api_key"]


@pytest.mark.parametrize("content", ["", "two words", "zwölf", None])
def test_a_file_without_a_key_is_told_in_one_line_that_does_not_repeat_it(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    settings = CallingSettings(peers_api_key_file=tmp_path / "key")

    with pytest.raises(SystemExit, match=rf"access: {tmp_path / 'key'}: ") as caught:
        open_peer("127.0.0.1:1", settings, "afin.indexer.v1.IndexerService")

    assert "\n" not in str(caught.value)
    assert not content or content not in str(caught.value)


def test_an_authority_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "ca").write_text("nobody")

    with pytest.raises(AccessFileError, match="holds no certificate of an authority"):
        open_channel("127.0.0.1:1", Proof(ca_file=tmp_path / "ca"))


@pytest.mark.parametrize(("mode", "told"), [(0o600, []), (0o440, []), (0o644, ["0644"]), (0o660, ["0660"])])
async def test_a_secret_that_others_may_read_or_change_is_told(key_file: Path, mode: int, told: list[str]) -> None:
    _write(key_file, make_key(), mode)

    with capture_logs() as logs:
        async with _channel(1, Proof(api_key_file=key_file)):
            pass

    assert [entry["mode"] for entry in logs if entry["event"] == "file is open to others"] == told


def _channel(port: int, proof: Proof) -> grpc.aio.Channel:
    return open_channel(f"127.0.0.1:{port}", proof)
