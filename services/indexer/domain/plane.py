"""Companies on a plane: the directions of their factors, seen from where they differ most."""

import numpy as np
from numpy.typing import NDArray

from services.contracts.factors import FloatArray

Floats = NDArray[np.float64]
MOST_RANKS = 200


def plane(target: FloatArray) -> tuple[Floats, float]:
    """Of targets, (companies, d), the last number popularity's: places, (companies, 2) from -1 to 1, and the share of
    the variance that they show. Principal components of unit rows; the same rows give the same signs.
    """
    directions = target[:, :-1].astype(np.float64)
    lengths = np.linalg.norm(directions, axis=1, keepdims=True)
    directions /= np.where(lengths > 0, lengths, 1)
    centred = directions - directions.mean(axis=0) if len(directions) else directions
    values, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, ::-1][:, :2]
    places = np.zeros((len(directions), 2))
    places[:, : axes.shape[1]] = centred @ (axes * _signs(axes))
    reach = np.abs(places).max(axis=0, initial=0.0)
    total = float(values.clip(min=0).sum())
    explained = float(values[::-1][:2].clip(min=0).sum()) / total if total else 0.0
    return places / np.where(reach > 0, reach, 1), explained


def clients_of(companies: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """How many clients each of `count` companies has, of histories in which a client has each once."""
    return np.bincount(companies, minlength=count).astype(np.int64)


def popularity(clients: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranks from 1, at most MOST_RANKS of them and dense where clients are many, each with its company's clients."""
    ordered = np.sort(clients)[::-1]
    if not len(ordered):
        return []
    ranks = np.unique(np.geomspace(1, len(ordered), MOST_RANKS).round().astype(np.int64))
    return [(int(rank), int(ordered[rank - 1])) for rank in ranks]


def _signs(axes: Floats) -> Floats:
    """An axis may point either way: its largest number points up."""
    if not axes.size:
        return np.ones(axes.shape[1])
    largest = axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])]
    return np.where(largest < 0, -1.0, 1.0)
