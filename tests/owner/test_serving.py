"""A service is one owner and its workers: it takes changes while it answers, and no answer mixes two states."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from graph.messages import SOCKET
from graph.owner import Client
from graph.register import CHECKPOINTS, Register
from tests.owner.records import EXAMPLE, source_of, write_record
from tests.owner.serving import Service, children_of, diaba, serving, start


@pytest.fixture(scope="module")
def service(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Return a service with two workers, shared by the tests that change the register and hurt nothing."""
    data = tmp_path_factory.mktemp("serving") / "data"
    with Register.create(data, pack=None):
        pass
    with serving(data, workers=2) as service:
        yield service


def wait_until(true: object, patience: float = 10.0) -> None:
    until = time.monotonic() + patience
    while not true():  # type: ignore[operator]
        assert time.monotonic() < until
        time.sleep(0.02)


def test_verbs_work_beside_the_service_and_see_what_they_loaded(service: Service, tmp_path: Path) -> None:
    data = ("--data", str(service.data))
    for holder in ("one", "two"):
        file = write_record(tmp_path, "wells", holder)
        loaded = diaba("load", str(file), "--source", source_of("wells"), "--json", *data)
        assert loaded.returncode == 0, loaded.stderr
        revision = json.loads(loaded.stdout)["revision"]
        answer = diaba("who", f"{EXAMPLE}wells/0", "--json", *data)
        assert answer.returncode == 0, answer.stderr
        card = json.loads(answer.stdout)["card"]
        assert card["revision"] == revision
        assert card["lines"]["accountable"]["answers"][0]["holders"][0]["iri"] == EXAMPLE + holder
    assert "wells 0" in diaba("search", "wells", *data).stdout
    assert diaba("rebuild", *data).returncode == 0
    assert "wells 0" in diaba("search", "wells", *data).stdout
    refused = diaba("load", str(tmp_path / "nowhere.ttl"), *data)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "nowhere.ttl" in refused.stderr


def test_a_client_is_never_answered_from_before_its_own_change(service: Service, tmp_path: Path) -> None:
    owner = Client(service.data)
    for number in range(2):
        revision = owner.load(write_record(tmp_path, "roads", f"body{number}"), source_of("roads")).revision
        for _ in range(4):  # whichever worker it is
            answer = service.get("/who", revision, q=f"{EXAMPLE}roads/0")
            assert answer.status_code == 200
            assert int(answer.headers["Diaba-Revision"]) == answer.json()["revision"] >= revision
            assert answer.json()["card"]["revision"] == answer.json()["revision"]
            [holder] = answer.json()["card"]["lines"]["accountable"]["answers"][0]["holders"]
            assert holder["iri"] == f"{EXAMPLE}body{number}"


def test_every_answer_names_its_revision(service: Service) -> None:
    for path in (
        "/",
        "/who?q=x",
        "/search?q=x",
        "/health",
        "/docs",
        "/static/style.css",
        "/nowhere",
        "/datasets-of?q=",
    ):
        assert int(service.get(path).headers["Diaba-Revision"]) >= 1, path
    assert service.get("/search", q="x").json()["revision"] >= 1


def test_a_change_that_is_not_there_in_time_is_503_and_when_to_try_again(service: Service) -> None:
    begun = time.monotonic()
    late = service.get("/health", at_least=10**6)
    assert 1.5 < time.monotonic() - begun < 6
    assert (late.status_code, late.headers["Retry-After"]) == (503, "1")
    assert late.headers["Content-Type"] == "application/problem+json"
    assert "1000000" in late.json()["detail"]
    headers = {"Diaba-Revision-At-Least": "yesterday"}
    wrong = httpx.get(service.address + "/health", headers=headers, trust_env=False)
    assert (wrong.status_code, wrong.json()["detail"]) == (400, "'yesterday' is no revision")


def test_a_change_is_answered_by_every_worker_within_two_seconds(service: Service, tmp_path: Path) -> None:
    owner = Client(service.data)
    revision = owner.load(write_record(tmp_path, "wind"), source_of("wind")).revision
    time.sleep(2.0)
    assert {int(service.get("/health").headers["Diaba-Revision"]) for _ in range(20)} == {revision}


def test_a_second_service_on_the_same_data_is_refused(service: Service) -> None:
    refused = diaba("serve", "--port", "0", "--data", str(service.data))
    assert refused.returncode == 4
    assert str(service.process.pid) in refused.stderr


def test_a_dead_worker_is_replaced(data: Path) -> None:
    with serving(data, workers=2) as service:
        wait_until(lambda: len(service.workers()) == 2)
        before = service.workers()
        for process in before:
            os.kill(process, signal.SIGKILL)
        wait_until(lambda: len(service.workers()) == 2 and not set(service.workers()) & set(before))
        assert service.get("/health").status_code == 200


def test_the_workers_end_with_a_dead_owner_and_the_next_one_takes_their_place(data: Path, tmp_path: Path) -> None:
    service = start(data, workers=2)
    with service.process as process:
        wait_until(lambda: len(service.workers()) == 2)
        revision = Client(data).load(write_record(tmp_path, "wells"), source_of("wells")).revision
        workers = service.workers()
        process.kill()
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    port = int(service.address.rpartition(":")[2])
    again = start(data, port=port)
    with again.process as process:
        assert again.get("/health", revision).json()["revision"] == revision
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_what_is_being_answered_is_finished_and_nothing_is_left_behind(data: Path) -> None:
    with serving(data) as service:
        workers = service.workers()
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=lambda: answers.append(service.get("/health", at_least=99)))
        asking.start()
        time.sleep(0.5)
        service.process.send_signal(signal.SIGTERM)
        asking.join()
        assert answers[0].status_code == 503
        assert service.process.wait(30) == 0
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)
    assert not (data / SOCKET).exists()
    assert not list((data / CHECKPOINTS).iterdir())
    assert not children_of(service.process.pid)


def test_a_service_can_be_told_to_stop_over_its_socket(data: Path) -> None:
    with serving(data) as service:
        Client(data).stop()
        assert service.process.wait(30) == 0
