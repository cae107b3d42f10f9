"""The old prototype's contract."""

import base64
from concurrent.futures import ThreadPoolExecutor

import httpx
from sqlalchemy import Engine

from tests.integration.gateway.workers import fail, png, wait_for, working


def image(content: bytes | None = None) -> dict[str, str]:
    return {"image": base64.b64encode(png() if content is None else content).decode()}


def test_boxes_in_pixels_of_the_image_sent(client: httpx.Client, engine: Engine) -> None:
    with working(engine):
        answer = client.post("/predict", json=image())
    assert (answer.status_code, answer.json()) == (200, {"prediction": [[20, 201, 60, 30]], "count": 1})


def test_it_goes_first(client: httpx.Client, engine: Engine) -> None:
    with working(engine):
        client.post("/predict", json=image())
    assert client.get("/v1/jobs").json()["jobs"][0]["priority"] == "interactive"


def test_bad_images(client: httpx.Client) -> None:
    for body, status, code in (
        ({"image": "%"}, 422, "invalid_base64"),
        ({"image": ""}, 422, "empty_document"),
        ({"picture": "x"}, 422, "invalid_request"),
        (image(b"no image"), 415, "unsupported_type"),
        (image(b"%PDF-1.7"), 415, "unsupported_type"),
    ):
        answer = client.post("/predict", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_a_failed_job_is_a_problem_with_its_code(client: httpx.Client, engine: Engine) -> None:
    def queued() -> list[str]:
        return [job["id"] for job in client.get("/v1/jobs").json()["jobs"]]

    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.post, "/predict", json=image())
        wait_for(lambda: bool(queued()))
        fail(engine, queued()[0], "corrupt_document")
        problem = answer.result()
    assert (problem.status_code, problem.json()["code"]) == (422, "corrupt_document")


def test_one_that_takes_too_long_goes_on(narrow_client: httpx.Client) -> None:
    answer = narrow_client.post("/predict", json=image(png(20, 20)))
    assert (answer.status_code, answer.json()["code"]) == (504, "still_processing")
    job = narrow_client.get(answer.headers["Location"]).json()
    assert (job["status"], job["model"]) == ("queued", "initials")
