"""A list of recommendations as a person reads it."""

from afin.recommender.v1 import recommender_pb2
from cli.screen import Screen

STRATEGIES = {
    recommender_pb2.STRATEGY_COLLABORATIVE: "from what like clients pay",
    recommender_pb2.STRATEGY_HISTORY: "from its own habits",
    recommender_pb2.STRATEGY_POPULAR: "what most clients pay",
}
CAUSES = {
    recommender_pb2.STRATEGY_CAUSE_HISTORY: "its history speaks for the first place",
    recommender_pb2.STRATEGY_CAUSE_CLIENT_UNKNOWN: "the index does not know whom it is for",
    recommender_pb2.STRATEGY_CAUSE_HISTORY_NOT_INDEXED: "the model knows no company of its history",
    recommender_pb2.STRATEGY_CAUSE_NOTHING_LEFT: "its history speaks for none of the companies asked for",
    recommender_pb2.STRATEGY_CAUSE_POPULARITY_LEADS: "the first place is popular enough without its history",
}
# Services may be of a newer release, or of an older one.
UNKNOWN = "which this version of afin cannot name"


def strategy_of(answer: recommender_pb2.RecommendResponse) -> str:
    """What the list is from, in words."""
    return STRATEGIES.get(answer.strategy, f"by a strategy {UNKNOWN}")


def print_recommendations(answer: recommender_pb2.RecommendResponse, screen: Screen) -> None:
    """The list, what it is from, and why, if that was asked."""
    if answer.recommendations:
        screen.say(f"{strategy_of(answer)}, by index version {answer.index.version}:")
        print_places(answer, screen)
    else:
        screen.say(f"no company of index version {answer.index.version} is left by what was asked for")
    if answer.HasField("explanation"):
        screen.say(_explained(answer.explanation))


def print_places(answer: recommender_pb2.RecommendResponse, screen: Screen) -> None:
    """A line for each company, with what speaks for it."""
    for place, each in enumerate(answer.recommendations, 1):
        screen.say(f"  {place}. {each.company_name} ({each.company_code}{_score(each)}){_because(each)}")


def _score(recommendation: recommender_pb2.Recommendation) -> str:
    """Of a popular company that fills the list the score tells nothing but its place."""
    return f", score {recommendation.score:.3f}" if recommendation.score > 0 else ""


def _because(recommendation: recommender_pb2.Recommendation) -> str:
    names = [reason.company_name for reason in recommendation.reasons[:2]]
    return f" — because this client pays {' and '.join(names)}" if names else ""


def _explained(why: recommender_pb2.StrategyExplanation) -> str:
    indexed, companies = why.history_indexed, why.history_companies
    known = f"; the model knows {indexed} of {companies} companies of the history" if companies else ""
    filled = f"; popular companies from place {why.popular_from} on" if why.popular_from else ""
    return f"why: {CAUSES.get(why.cause, f'a cause {UNKNOWN}')}{known}{filled}"
