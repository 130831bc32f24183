"""`python -m services.indexer.viewing <folder>`: looks into a downloaded bundle, in a process of its own.

It lies in <folder>/version, and what is asked in <folder>/question.json. Prints one Seen as JSON on stdout.
"""

import sys
from pathlib import Path

import numpy as np

from services.contracts import bundle
from services.contracts.bundle_arrays import Arrays, table_in
from services.contracts.companies import CompanyTable
from services.contracts.factors import Factors, History
from services.contracts.ranking import Query, Ranked, rank, reasons
from services.indexer.adapters.bundle_reading import UNREADABLE, disagreements, model_of, read_arrays, read_manifest
from services.indexer.adapters.child_life import die_with_parent
from services.indexer.adapters.viewing_process import QUESTION, VERSION, Seen
from services.indexer.domain.histories import Histories
from services.indexer.domain.plane import clients_of, plane, popularity
from services.indexer.domain.viewing import Answer, Company, CompanyMap, Place, Point, Question, Why

NO_HISTORY = History(np.empty(0, np.int32), np.empty(0, np.float32), np.empty(0, np.float32))


def main(folder: Path) -> None:
    """Prints what is seen, or what stands in its way."""
    question = Question.model_validate_json((folder / QUESTION).read_bytes())
    try:
        seen = look(folder / VERSION, question)
    except UNREADABLE as error:
        seen = Seen(problem=str(error).partition("\n")[0])
    print(seen.model_dump_json(), flush=True)


def look(folder: Path, question: Question) -> Seen:
    """ValueError unless every byte is the one that the manifest means."""
    manifest = read_manifest(folder)
    wrong = next(disagreements(folder, manifest), None)
    if wrong:
        raise ValueError(wrong)
    arrays = read_arrays(folder)
    # Exactly: a search through Annoy is for who serves.
    factors, histories = model_of(manifest, arrays, None)
    table = table_in(arrays)
    if question.about == "map":
        return Seen(map=_map(table, factors, histories, question.most))
    history = _history(table, arrays, histories, question)
    return Seen(answer=_answer(table, factors, history, question))


def _map(table: CompanyTable, factors: Factors, histories: Histories, most: int) -> CompanyMap:
    places, explained = plane(factors.target)
    clients = clients_of(histories.companies, len(table))
    shown = np.argsort(-clients[: len(places)], kind="stable")[:most]
    points = tuple(
        Point(
            company=_company(table, company),
            x=round(float(places[company, 0]), 4),
            y=round(float(places[company, 1]), 4),
            clients=int(clients[company]),
        )
        for company in shown.tolist()
    )
    return CompanyMap(points=points, explained=explained, popularity=tuple(popularity(clients)))


def _history(table: CompanyTable, arrays: Arrays, histories: Histories, question: Question) -> History | None:
    if question.client_key is not None:
        keys = arrays[bundle.CLIENTS_FILE]
        rows = np.flatnonzero((keys == np.array(question.client_key, dtype=np.uint64)).all(axis=1))
        return histories.of(int(rows[0])) if len(rows) else None
    found = [company for company in map(table.find, dict.fromkeys(question.company_codes)) if company is not None]
    weights = np.ones(len(found), dtype=np.float32)
    return History(np.array(found, dtype=np.int32), weights, np.zeros_like(weights)) if found else None


def _answer(table: CompanyTable, factors: Factors, history: History | None, question: Question) -> Answer:
    known = history or NO_HISTORY
    ranked = rank(factors, known, Query(question.most, question.include_paid))
    return Answer(known=history is not None, places=tuple(_place(table, factors, known, each) for each in ranked))


def _place(table: CompanyTable, factors: Factors, history: History, ranked: Ranked) -> Place:
    why = reasons(factors, history, ranked.company) if ranked.from_history and not ranked.already_paid else []
    return Place(
        company=_company(table, ranked.company),
        score=ranked.score,
        modelled=ranked.modelled,
        from_history=ranked.from_history,
        already_paid=ranked.already_paid,
        reasons=tuple(
            Why(code=table.code(each.company), name=table.name(each.company), share=each.share) for each in why
        ),
    )


def _company(table: CompanyTable, company: int) -> Company:
    return Company(
        company_id=table.company_id(company),
        code=table.code(company),
        name=table.name(company),
        category_id=table.category_id(company),
        category_name=table.category_name(company),
    )


if __name__ == "__main__":
    die_with_parent()
    main(Path(sys.argv[1]))
