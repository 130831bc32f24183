"""Annoy as the indexer uses it: one thread and a seed, so that the same vectors give the same bytes."""

from pathlib import Path

from annoy import AnnoyIndex

from services.contracts.factors import FloatArray, Nearest

# Instead of a number of nodes to look at: trees x how many are asked for.
ANNOYS_OWN = -1


def build_annoy(vectors: FloatArray, trees: int, seed: int) -> AnnoyIndex:
    """A built index of the rows of `vectors`, by angle; of no rows, too."""
    index = AnnoyIndex(vectors.shape[1], "angular")
    index.set_seed(seed)
    for item, vector in enumerate(vectors):  # one by one: as a list of lists all would take ten times their memory
        index.add_item(item, vector.tolist())
    index.build(trees, n_jobs=1)
    return index


def load_annoy(path: Path, width: int) -> AnnoyIndex:
    """Maps a file of vectors of `width` numbers; a damaged one may kill the process: only ever in a child."""
    index = AnnoyIndex(width, "angular")
    index.load(str(path))
    return index


def nearest_in(index: AnnoyIndex, nodes: int) -> Nearest:
    """The search as the recommender asks it, which looks at so many nodes."""

    def nearest(query: FloatArray, count: int) -> list[int]:
        return index.get_nns_by_vector([*query.tolist(), 0.0], count, nodes)

    return nearest
