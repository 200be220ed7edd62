from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import httpx
import pytest

from shbatch_sync.emulator import DEFAULT_ACCOUNT, Emulator
from shbatch_sync.emulator.grids import GRIDS

PREFIXES = ("/api/v2/batch", "/batch/v2")


def message(answer: httpx.Response) -> str:
    return answer.json()["error"]["message"]


def error(answer: httpx.Response) -> tuple[int, str]:
    body = answer.json()["error"]
    assert body["status"] == answer.status_code
    return body["status"], body["code"]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_both_prefixes_with_and_without_a_slash(sandbox, body, prefix, slash):
    http = sandbox().http
    created = http.post(f"{prefix}/process{slash}", json=body)
    path = f"{prefix}/process/{created.json()['id']}"
    answers = [
        created,
        http.get(f"{prefix}/process{slash}"),
        http.get(f"{path}{slash}"),
        http.put(f"{path}{slash}", json={"description": "x"}),
        http.post(f"{path}/analyse{slash}"),
        http.post(f"{path}/start{slash}"),
        http.post(f"{path}/stop{slash}"),
        http.get(f"{prefix}/tilinggrids{slash}"),
        http.get(f"{prefix}/tilinggrids/0{slash}"),
    ]
    assert [answer.status_code for answer in answers] == [
        201,
        200,
        200,
        200,
        204,
        204,
        204,
        200,
        200,
    ]


def test_a_new_request(sandbox, body):
    made = sandbox()
    answer = made.http.post(made.prefix, json=body)
    task = answer.json()
    request = task.pop("request")
    assert task.pop("id").count("-") == 4
    assert task == {
        "domainAccountId": DEFAULT_ACCOUNT,
        "projectId": DEFAULT_ACCOUNT,
        "status": "CREATED",
        "userAction": "NONE",
        "created": "2025-06-15T15:06:40.000000Z",
        "completionPercentage": 0.0,
        "lastUpdated": "2025-06-15T15:06:40.000000Z",
        "costPU": 0.0,
    }
    assert request["description"] == "May"
    assert answer.headers["content-type"] == "application/json"


def test_no_description_is_no_member(sandbox, body):
    made = sandbox()
    del body["description"]
    request_id = made.create(body)
    assert "description" not in made.task(request_id)["request"]
    made.service.describe(request_id, 'a "quoted" ümlaut\n')
    assert made.task(request_id)["request"]["description"] == 'a "quoted" ümlaut\n'


def test_the_date_is_the_services(sandbox):
    made = sandbox(speed=600.0)
    made.wait(60)
    assert made.http.get(made.prefix).headers["date"] == "Mon, 16 Jun 2025 01:06:40 GMT"


def test_epoch(sandbox):
    made = sandbox(epoch=0.0)
    assert made.service.now().isoformat() == "1970-01-01T00:00:00+00:00"


# --- who is calling -------------------------------------------------------------------------------

FORM = {"grant_type": "client_credentials", "client_id": "a", "client_secret": "s"}
TOKEN_PATHS = [
    "/oauth/token",
    "/auth/realms/main/protocol/openid-connect/token",
    "/auth/realms/CDSE/protocol/openid-connect/token",
]


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_token(sandbox, path):
    answer = sandbox(token_life=600).http.post(path, data=FORM)
    token = answer.json()
    assert (answer.status_code, token["expires_in"], token["token_type"]) == (200, 600, "Bearer")


def test_token_with_basic_authentication(sandbox):
    http = sandbox(credentials={"a": ("s", "account-a"), "id": ("secret", "x")}).http
    form = {"grant_type": "client_credentials"}
    assert http.post("/oauth/token", data=form, auth=("a", "s")).status_code == 200
    assert http.post("/oauth/token", data=form, auth=("a", "x")).status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "name"),
    [
        ({**FORM, "grant_type": "password"}, 400, "unsupported_grant_type"),
        ({}, 400, "unsupported_grant_type"),
        ({**FORM, "client_secret": "wrong"}, 401, "invalid_client"),
        ({**FORM, "client_id": "nobody"}, 401, "invalid_client"),
        ({**FORM, "client_secret": ""}, 401, "invalid_client"),
    ],
)
def test_no_token(sandbox, form, status, name):
    http = sandbox(credentials={"a": ("s", "x"), "id": ("secret", "x")}).http
    answer = http.post("/oauth/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, name)


def test_nobody_without_a_secret(sandbox):
    answer = sandbox().http.post("/oauth/token", data={**FORM, "client_secret": ""})
    assert answer.status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic YTpi"])
def test_unauthorised(sandbox, header):
    made = sandbox()
    answer = made.http.get(made.prefix, headers={"Authorization": header})
    assert error(answer) == (401, "COMMON_UNAUTHORIZED")


def test_a_token_grows_old_in_real_time(sandbox):
    made = sandbox(token_life=100, speed=1000.0)
    made.wait(99)
    assert made.http.get(made.prefix).status_code == 200
    made.wait(1)
    assert made.http.get(made.prefix).status_code == 401


def test_accounts_do_not_see_each_other(sandbox, body):
    made = sandbox(credentials={"id": ("secret", "account-1"), "b": ("b", "account-2")})
    mine = made.create(body)
    assert made.task(mine)["domainAccountId"] == "account-1"
    with closing(made.client("b", "b")) as other:
        assert other.get(made.prefix).json()["data"] == []
        for call in (
            other.get(f"{made.prefix}/{mine}"),
            other.post(f"{made.prefix}/{mine}/start"),
            other.put(f"{made.prefix}/{mine}", json={}),
        ):
            assert error(call) == (404, "COMMON_NOT_FOUND")


# --- calls that make no sense ---------------------------------------------------------------------


def test_unknown_paths_and_methods(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    assert error(made.http.get("/nowhere")) == (404, "COMMON_NOT_FOUND")
    assert error(made.http.get(f"{made.prefix}/not-an-id")) == (404, "COMMON_NOT_FOUND")
    refused = made.http.delete(f"{made.prefix}/{request_id}")
    assert error(refused) == (405, "COMMON_METHOD_NOT_ALLOWED")
    assert refused.headers["allow"] == "GET, HEAD, PUT"
    assert error(made.act(request_id, "cancel")) == (404, "COMMON_NOT_FOUND")
    assert made.http.head(made.prefix).content == b""
    odd = made.http.get(made.prefix, headers={"Host": "a b/c"})
    assert odd.status_code == 200
    assert made.http.get(f"{made.prefix}/{request_id.upper()}").status_code == 200


@pytest.mark.parametrize(
    ("content", "content_type", "status", "text"),
    [
        (b"", "application/json", 400, "Request body should be non-empty."),
        (b"{", "application/json", 400, "Request body is not valid JSON."),
        (b'{"a": NaN}', "application/json", 400, "Request body is not valid JSON."),
        (b"[" * 100_000, "application/json", 400, "Request body is not valid JSON."),
        (b"\xff", "application/json", 400, "Request body is not UTF-8."),
        (b"[]", "application/json", 400, "Request body must be an object, not a list"),
        (b"{}", "text/plain", 415, "Content type 'text/plain' is not supported."),
        (b"{}", "", 415, "Content type 'none' is not supported."),
    ],
)
def test_bodies_that_are_none(sandbox, content, content_type, status, text):
    made = sandbox()
    headers = {"Content-Type": content_type}
    answer = made.http.post(made.prefix, content=content, headers=headers)
    assert (answer.status_code, message(answer)) == (status, text)


def test_a_bad_body_names_its_faults_and_no_secret(sandbox, body):
    made = sandbox()
    keys = {"url": "s3//b", "accessKey": "AKIA", "secretAccessKey": "shh"}
    body["output"]["delivery"] = {"s3": keys}
    answer = made.http.post(made.prefix, json=body)
    assert error(answer) == (400, "COMMON_BAD_PAYLOAD")
    assert answer.json()["error"]["errors"] == [
        {"parameter": "output->delivery->s3->url", "violation": "must look like s3://bucket/path"}
    ]
    assert "shh" not in answer.text
    assert made.listed() == []


def test_multipart(sandbox, body):
    made = sandbox()
    script = body["processRequest"].pop("evalscript")
    parts = {"request": (None, json.dumps(body)), "evalscript": (None, script)}
    answer = made.http.post(made.prefix, files=parts)
    assert answer.json()["request"]["processRequest"]["evalscript"] == script
    as_files = {
        "request": ("r.json", json.dumps(body), "application/json"),
        "evalscript": ("e.js", script, "text/javascript"),
    }
    assert made.http.post(made.prefix, files=as_files).status_code == 201


def test_multipart_that_lacks_a_part(sandbox, body):
    made = sandbox()
    script = body["processRequest"].pop("evalscript")
    assert made.http.post(made.prefix, files={"evalscript": (None, script)}).status_code == 400
    answer = made.http.post(made.prefix, files={"request": (None, json.dumps(body))})
    assert answer.json()["error"]["errors"][0]["parameter"] == "processRequest->evalscript"
    assert made.http.post(made.prefix, files={"request": ("r", b"\xff")}).status_code == 400
    listed = made.http.post(made.prefix, files={"request": (None, "[]"), "evalscript": (None, "x")})
    assert listed.status_code == 400


# --- lists ----------------------------------------------------------------------------------------


def test_paging(sandbox, body):
    made = sandbox(page_size=2)
    made.service.seed([body] * 5)
    pages, url = [], made.prefix
    while url:
        page = made.http.get(url).json()
        pages.append(page)
        url = page["links"].get("next")
    assert [len(page["data"]) for page in pages] == [2, 2, 1]
    ids = [task["id"] for page in pages for task in page["data"]]
    assert ids == sorted(ids)
    assert len(set(ids)) == 5
    base = f"http://batch{made.prefix}?viewtoken="
    assert [page["links"] for page in pages] == [
        {"currentToken": "0", "@id": f"{base}0", "nextToken": "2", "next": f"{base}2"},
        {
            "currentToken": "2",
            "@id": f"{base}2",
            "nextToken": "4",
            "next": f"{base}4",
            "previousToken": "0",
            "previous": f"{base}0",
        },
        {"currentToken": "4", "@id": f"{base}4", "previousToken": "2", "previous": f"{base}2"},
    ]


def test_the_last_page_has_no_next(sandbox, body):
    made = sandbox(page_size=2)
    assert made.page()["data"] == []
    made.service.seed([body] * 2)
    assert "nextToken" not in made.page()["links"]
    assert made.page(viewtoken=7)["data"] == []


def test_count_is_an_upper_limit_that_cannot_be_raised(sandbox, body):
    made = sandbox(page_size=3)
    made.service.seed([body] * 5)
    assert [len(made.listed(count=count)) for count in (1, 3, 100)] == [1, 3, 3]
    assert made.page(count=1)["links"]["next"].endswith("?count=1&viewtoken=1")


def test_a_list_shifts_under_an_offset(sandbox, body):
    made = sandbox(page_size=2, order="created")
    first, second, third = made.service.seed([body] * 3)
    assert made.listed() == [first, second]
    made.service.forget(first)
    assert made.listed(viewtoken=2) == []
    assert made.listed() == [second, third]


@pytest.mark.parametrize(
    "query",
    [
        {"count": "0"},
        {"count": "-1"},
        {"count": "x"},
        {"count": "99999999999"},
        {"viewtoken": "x"},
        {"viewtoken": "-1"},
        {"sort": "name"},
        {"sort": "id"},
    ],
)
def test_queries_that_make_no_sense(sandbox, query):
    made = sandbox()
    assert error(made.http.get(made.prefix, params=query)) == (400, "COMMON_BAD_PAYLOAD")


def test_order(sandbox, body):
    made = sandbox()
    ids = made.service.seed([body] * 6)
    made.act(ids[3], "analyse")
    assert made.listed() == sorted(ids)
    assert made.listed(sort="created") == ids
    assert made.listed(sort="created:desc") == ids[::-1]
    assert made.listed(sort="status")[0] == ids[3]
    assert made.listed(sort="status:desc")[-1] == ids[3]
    assert made.listed(userid="u", search="q") == sorted(ids)
    assert sandbox(order="created").listed() == []


def test_order_by_creation_can_be_the_services_own(sandbox, body):
    made = sandbox(order="created")
    ids = made.service.seed([body] * 6)
    assert made.listed() == ids


def test_created_grows_although_the_clock_stands_still(sandbox, body):
    made = sandbox()
    ids = [made.create(body) for _ in range(5)]
    created = [made.task(one)["created"] for one in ids]
    assert created == sorted(set(created))


def test_lag(sandbox, body):
    made = sandbox(lag=100)
    first = made.create(body)
    made.wait(50)
    second = made.create(body)
    assert (made.listed(), made.task(first)["id"]) == ([], first)
    made.wait(50)
    assert made.listed() == [first]
    made.wait(50)
    assert sorted(made.listed()) == sorted([first, second])
    assert made.listed(sort="created") == [first, second]


def test_lag_by_id(sandbox, body):
    made = sandbox(get_lag=20)
    request_id = made.create(body)
    for call in (made.http.get(f"{made.prefix}/{request_id}"), made.act(request_id, "start")):
        assert error(call) == (404, "COMMON_NOT_FOUND")
    made.wait(20)
    assert made.pair(request_id) == ("CREATED", "NONE")


# --- what happens to a request --------------------------------------------------------------------


def test_a_start_is_taken_in_slowly(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    assert made.act(request_id, "start").content == b""
    assert made.pair(request_id) == ("CREATED", "START")
    refused = made.act(request_id, "stop")
    assert error(refused) == (400, "COMMON_BAD_PAYLOAD")
    assert message(refused) == (
        "Illegal to change userAction from START to STOP with task status CREATED"
    )
    made.wait(5)
    assert made.pair(request_id) == ("ANALYSING", "START")
    assert made.act(request_id, "stop").status_code == 204
    assert made.pair(request_id) == ("ANALYSING", "STOP")
    made.wait(30)
    task = made.task(request_id)
    assert (task["status"], task["stoppedStatusReason"]) == ("STOPPED", "USER_ACTION")


def test_analyse_then_start(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    made.act(request_id, "analyse")
    assert made.pair(request_id) == ("ANALYSING", "ANALYSE")
    made.wait(30)
    assert made.pair(request_id) == ("ANALYSIS_DONE", "ANALYSE")
    assert made.task(request_id)["costPU"] == 0.0
    made.wait(10_000)
    assert made.pair(request_id) == ("ANALYSIS_DONE", "ANALYSE")
    assert made.run(request_id)["status"] == "DONE"


def test_units_are_charged_as_processing_goes_on(sandbox, body):
    made = sandbox(pu_per_job=200, charges=4, processing_seconds=400, pu_balance=5000)
    request_id = made.create(body)
    made.act(request_id, "start")
    made.wait(40)
    seen = []
    for _ in range(5):
        task = made.task(request_id)
        seen.append((task["status"], task["completionPercentage"], task["costPU"]))
        made.wait(100)
    assert seen == [
        ("PROCESSING", 0.0, 0.0),
        ("PROCESSING", 25.0, 50.0),
        ("PROCESSING", 50.0, 100.0),
        ("PROCESSING", 75.0, 150.0),
        ("DONE", 100.0, 200.0),
    ]
    assert made.service.balance() == 4800


def test_nobody_has_to_watch(sandbox, body):
    watched, unwatched = sandbox(), sandbox()
    tasks = []
    for made, step in ((watched, 1), (unwatched, 700)):
        request_id = made.create(body)
        made.act(request_id, "start")
        for _ in range(700 // step):
            made.wait(step)
            task = made.task(request_id)
        tasks.append({**task, "id": "same"})
    assert tasks[0] == tasks[1]
    assert tasks[0]["lastUpdated"] == "2025-06-15T15:17:20.000000Z"


def test_looking_is_written_down(sandbox, body, tmp_path):
    made = sandbox(db=tmp_path / "a.db")
    request_id = made.create(body)
    made.act(request_id, "analyse")
    made.wait(100)
    assert made.page()["data"][0]["status"] == "ANALYSIS_DONE"
    made.wait(-100)
    assert made.pair(request_id) == ("ANALYSIS_DONE", "ANALYSE")


def test_a_stop_charges_what_is_in_flight(sandbox, body):
    made = sandbox(pu_per_job=600, processing_seconds=600)
    request_id = made.create(body)
    made.act(request_id, "start")
    made.wait(40 + 90)
    assert made.act(request_id, "stop").status_code == 204
    assert made.pair(request_id) == ("PROCESSING", "STOP")
    made.wait(5)
    task = made.task(request_id)
    assert (task["status"], task["userAction"], task["costPU"]) == ("STOPPED", "STOP", 95.0)


def test_thirty_minutes_after_a_stop(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    made.act(request_id, "start")
    made.wait(100)
    made.act(request_id, "stop")
    made.wait(1799)
    refused = made.act(request_id, "start")
    assert error(refused) == (400, "COMMON_BAD_PAYLOAD")
    made.wait(1)
    assert made.act(request_id, "start").status_code == 204
    assert made.pair(request_id) == ("STOPPED", "START")
    made.wait(5)
    assert made.pair(request_id) == ("ANALYSIS_DONE", "START")
    made.wait(5)
    task = made.task(request_id)
    assert (task["status"], "stoppedStatusReason" in task) == ("PROCESSING", False)
    made.wait(600)
    assert (made.task(request_id)["status"], made.task(request_id)["costPU"]) == ("DONE", 100.0)


def test_out_of_units(sandbox, body):
    made = sandbox(pu_per_job=600, charges=10, pu_balance=1000)
    first, second = made.service.seed([body] * 2)
    for request_id in (first, second):
        made.act(request_id, "start")
    made.wait(10_000)
    task = made.task(second)
    assert (task["status"], task["userAction"]) == ("STOPPED", "START")
    assert task["stoppedStatusReason"] == "OUT_OF_PU"
    assert made.service.balance() == pytest.approx(40)
    refused = made.http.post(made.prefix, json=body)
    assert error(refused) == (403, "COMMON_INSUFFICIENT_PERMISSIONS")
    made.service.set_balance(5000)
    assert made.run(second)["costPU"] == 600.0


def test_a_create_needs_a_thousand_units(sandbox, body):
    made = sandbox(pu_balance=999)
    assert made.http.post(made.prefix, json=body).status_code == 403
    made.service.set_balance(1000)
    assert made.http.post(made.prefix, json=body).status_code == 201


def test_a_bad_script_fails_in_analysis(sandbox, body):
    made = sandbox()
    body["processRequest"]["evalscript"] = "some evalscript"
    task = made.run(made.create(body))
    assert (task["status"], task["error"]) == ("FAILED", "Failed to evaluate script!")
    assert "error" not in made.task(made.create(body))


def test_files_that_are_there_already(sandbox, body):
    made = sandbox()
    body["output"]["delivery"]["s3"]["url"] = "s3://bucket/<tileName>/<outputId>.tif"
    assert made.run(made.create(body))["costPU"] == 100.0
    again = made.run(made.create(body))
    assert (again["status"], again["costPU"]) == ("FAILED", 0.0)
    body["output"]["skipExisting"] = True
    skipped = made.run(made.create(body))
    assert (skipped["status"], skipped["costPU"]) == ("DONE", 0.0)
    assert skipped["completionPercentage"] == 100.0
    body["output"] |= {"skipExisting": False, "overwrite": True}
    assert made.run(made.create(body))["costPU"] == 100.0


def test_files_of_a_stopped_request_are_skipped(sandbox, body):
    made = sandbox()
    body["output"]["delivery"]["s3"]["url"] = "s3://bucket/<tileName>/<outputId>.tif"
    stopped = made.create(body)
    made.act(stopped, "start")
    made.wait(40 + 295)
    made.act(stopped, "stop")
    made.wait(5)
    assert made.task(stopped)["completionPercentage"] == 50.0
    body["output"]["skipExisting"] = True
    assert made.run(made.create(body))["costPU"] == 50.0


def test_retention(sandbox, body):
    made = sandbox(retention_seconds=1000)
    idle, running = made.service.seed([body] * 2)
    made.wait(900)
    made.act(running, "start")
    made.wait(200)
    assert made.listed() == [running]
    assert made.http.get(f"{made.prefix}/{idle}").status_code == 404
    made.wait(10_000)
    assert made.listed() == []


# --- updates --------------------------------------------------------------------------------------


def test_an_update_changes_the_description_alone(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    before = made.task(request_id)
    answer = made.http.put(
        f"{made.prefix}/{request_id}", json={"description": "new", "input": {"id": 9}}
    )
    after = made.task(request_id)
    assert answer.json() == after["request"]
    assert after["request"] == {**before["request"], "description": "new"}
    assert made.http.put(f"{made.prefix}/{request_id}", json={}).status_code == 200
    assert made.task(request_id)["request"]["description"] == "new"


@pytest.mark.parametrize(("put_body", "length"), [("task", None), ("none", 0)])
def test_what_an_update_answers(sandbox, body, put_body, length):
    made = sandbox(put_body=put_body)
    request_id = made.create(body)
    answer = made.http.put(f"{made.prefix}/{request_id}", json={"description": "new"})
    assert answer.status_code == 200
    if length == 0:
        assert answer.content == b""
    else:
        assert answer.json() == made.task(request_id)


def test_an_update_is_refused_while_waiting_or_processing(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    path = f"{made.prefix}/{request_id}"
    made.act(request_id, "start")
    seen = []
    for seconds in (0, 5, 30, 5, 600):
        made.wait(seconds)
        status = made.task(request_id)["status"]
        seen.append((status, made.http.put(path, json={"description": "x"}).status_code))
    assert seen == [
        ("CREATED", 409),
        ("ANALYSING", 409),
        ("ANALYSIS_DONE", 409),
        ("PROCESSING", 409),
        ("DONE", 200),
    ]
    assert made.http.put(path, json={"description": 1}).status_code == 400
    assert made.http.put(path, content=b"x").status_code == 415


@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 409)])
def test_an_update_during_the_analysis_is_an_option(sandbox, body, allowed, status):
    made = sandbox(put_in_analysing=allowed)
    request_id = made.create(body)
    made.act(request_id, "analyse")
    answer = made.http.put(f"{made.prefix}/{request_id}", json={"description": "x"})
    assert answer.status_code == status


# --- grids, limits, threads -----------------------------------------------------------------------


def test_grids(sandbox):
    http = sandbox().http
    page = http.get("/api/v2/batch/tilinggrids").json()
    assert [grid["id"] for grid in page["data"]] == [0, 1, 2, 3, 6, 7]
    assert page["links"] == {
        "currentToken": "0",
        "@id": "http://batch/api/v2/batch/tilinggrids?viewtoken=0",
    }
    assert http.get("/api/v2/batch/tilinggrids/6").json() == page["data"][4]
    assert error(http.get("/api/v2/batch/tilinggrids/4")) == (400, "COMMON_BAD_PAYLOAD")
    second = http.get("/api/v2/batch/tilinggrids?count=2&viewtoken=2").json()
    assert [grid["id"] for grid in second["data"]] == [2, 3]
    assert second["links"]["nextToken"] == "4"


def test_own_grids(sandbox, body):
    grid = replace(GRIDS[0], resolutions=(10.0, 20.0, 30.0, 60.0))
    made = sandbox(grids=(grid,))
    body["input"]["resolution"] = 30
    assert made.task(made.create(body))["request"]["input"]["resolution"] == 30.0
    assert [one["id"] for one in made.http.get("/batch/v2/tilinggrids").json()["data"]] == [0]


def test_rate_limit(sandbox):
    made = sandbox(requests_per_minute=2)
    statuses = [made.http.get(made.prefix).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
    made.wait(30)
    refused = made.http.get(made.prefix)
    assert error(refused) == (429, "RATE_LIMIT_EXCEEDED")
    assert refused.headers["retry-after"] == "30001"
    made.wait(30.001)
    assert made.http.get(made.prefix).status_code == 200


@pytest.mark.parametrize("db", [":memory:", "a.db"])
def test_threads(sandbox, body, tmp_path, db):
    made = sandbox(db=db if db == ":memory:" else tmp_path / db)

    def work(_: int) -> str:
        with closing(made.client("id", "secret")) as http:
            ids = [http.post(made.prefix, json=body).json()["id"] for _ in range(10)]
            assert http.post(f"{made.prefix}/{ids[0]}/start").status_code == 204
            assert http.get(made.prefix).status_code == 200
            return ids[0]

    with ThreadPoolExecutor(4) as pool:
        started = list(pool.map(work, range(4)))
    assert len(made.service.tasks()) == 40
    assert {made.pair(one) for one in started} == {("CREATED", "START")}


def test_a_broken_database_is_a_server_error(sandbox, body):
    made = sandbox()
    request_id = made.create(body)
    made.emulator._store._db.execute("DROP TABLE echo")
    answer = made.http.get(f"{made.prefix}/{request_id}")
    assert error(answer) == (500, "COMMON_EXCEPTION")


def test_emulator_is_a_context_manager():
    with Emulator() as emulator:
        assert emulator.service.tasks() == []
