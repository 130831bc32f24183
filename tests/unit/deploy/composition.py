"""A compose file as Compose would put it together: includes, extended services, defaults of variables."""

import re
from pathlib import Path
from typing import Any

import yaml

Model = dict[str, Any]
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def compose(path: Path) -> Model:
    """The model of all files together; ValueError for what this does not know."""
    own = _parse(path)
    model: Model = {"services": {}, "secrets": {}, "volumes": {}}
    parts = [compose(path.parent / name) for name in own.pop("include", [])]
    own["services"] = {name: _extended(service, path, own) for name, service in own["services"].items()}
    for part in [*parts, own]:
        for kind, found in part.items():
            if isinstance(found, dict) and kind in model:
                if twice := model[kind].keys() & found.keys():
                    raise ValueError(f"{path.name}: {kind} {sorted(twice)} are there twice")
                model[kind] |= found
            elif kind not in model:
                model[kind] = found
    return model


def _parse(path: Path) -> Model:
    return dict(yaml.safe_load(DEFAULT.sub(r"\1", path.read_text())))


def _extended(service: Model, path: Path, file: Model) -> Model:
    service = dict(service)
    extends = service.pop("extends", None)
    if extends is None:
        return service
    if isinstance(extends, str):
        extends = {"service": extends}
    if "file" in extends:
        path = path.parent / extends["file"]
        file = _parse(path)
    return dict(_merged(_extended(file["services"][extends["service"]], path, file), service))


def _merged(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {key: _merged(below.get(key), above.get(key, below.get(key))) for key in [*below, *above]}
    if isinstance(below, list) and isinstance(above, list) and below is not above:
        raise ValueError(f"Compose would append {above} to {below}; say it once")
    return above
