"""Sessions are sealed: what a browser keeps tells nothing, and cannot be made up or changed."""

from datetime import timedelta

from console.sessions import Session, SessionSeal

KEY = "afin_secret"
SECRET = "s" * 32
LASTING = timedelta(hours=1)


def test_a_session_comes_back_from_its_cookie() -> None:
    seal = SessionSeal(SECRET, LASTING)
    session = seal.begin(KEY)

    assert seal.open(seal.seal(session)) == session


def test_a_cookie_does_not_tell_the_key() -> None:
    seal = SessionSeal(SECRET, LASTING)

    assert KEY not in seal.seal(seal.begin(KEY))


def test_replicas_with_one_secret_know_each_others_sessions_and_nobody_elses() -> None:
    cookie = SessionSeal(SECRET, LASTING).seal(Session(KEY, "token"))

    assert SessionSeal(SECRET, LASTING).open(cookie) == Session(KEY, "token")
    assert SessionSeal("t" * 32, LASTING).open(cookie) is None
    assert SessionSeal(None, LASTING).open(cookie) is None


def test_a_changed_or_ended_cookie_is_no_session() -> None:
    seal = SessionSeal(SECRET, LASTING)
    cookie = seal.seal(seal.begin(KEY))

    assert seal.open(cookie[:-6] + "AAAAA=") is None
    assert seal.open("") is None
    assert SessionSeal(SECRET, timedelta(seconds=-1)).open(cookie) is None


def test_a_form_of_another_session_is_not_allowed() -> None:
    seal = SessionSeal(SECRET, LASTING)
    session, other = seal.begin(), seal.begin()

    assert session.allows(session.token)
    assert not session.allows(other.token)
    assert not session.allows("")
