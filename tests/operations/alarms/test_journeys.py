"""Detectors on a whole plant: defined, rung, acknowledged, analysed over HTTP and in the shell."""

import asyncio

from tests.twins.living.plants import plant, publish, until

import lineshaft
from lineshaft.cli import parser

API = "/api/v1/alarms"
PRESS = "acme/press"
SETTINGS = f"""
[[alarms]]
name = "hot while running"
point = "{PRESS}/oil"
when = "oil > 80 && speed > 10"
wait_s = 0.2
group = "press"
[[alarms]]
name = "valve does not follow"
point = "{PRESS}/open"
discrepancy = {{ command = "{PRESS}/wanted", within_s = 0.5 }}
wait_s = 0.2
group = "press"
[[alarm_groups]]
name = "press"
first_out = true
[alarm_rules]
shelve_s_max = {{ medium = 60 }}
"""


async def known(made, path):
    async def there() -> bool:
        return made.historian.namespace.find(path) is not None

    await until(there)


async def shown(http):
    return {v["alarm"]["name"]: v for v in (await http.get(API)).json()["items"]}


async def test_detectors_of_the_file_ring_once_their_points_are_there(tmp_path):
    async with plant(tmp_path, SETTINGS) as (made, http):
        assert any("oil" in p for p in made.operations.desk.problems())
        await publish(made, (f"{PRESS}/oil", 90.0), (f"{PRESS}/speed", 20.0))
        await publish(made, (f"{PRESS}/open", 0.0), (f"{PRESS}/wanted", 1.0))

        async def both() -> bool:
            # The next sample rings what was not compiled yet when the first came.
            await publish(made, (f"{PRESS}/oil", 90.0), (f"{PRESS}/open", 0.0))
            return all(v["letter"] == "B" for v in (await shown(http)).values())

        await until(both)
        views = await shown(http)
        first = [n for n, v in views.items() if v["state"]["first"]]
        assert len(first) == 1
        (other,) = views.keys() - set(first)
        assert views[other]["after"] == first[0]
        assert made.operations.desk.problems() == []

        ids = {n: v["state"]["event_id"] for n, v in views.items()}
        done = await http.post(f"{API}/acknowledge", json={"event_ids": ids, "comment": "seen"})
        assert done.json() == {"refused": []}
        assert {v["letter"] for v in (await shown(http)).values()} == {"C"}
        answer = {"alarm": first[0], "deed": {"do": "shelve", "seconds": 61}}
        refused = await http.post(f"{API}/answer", json=answer)
        assert "Bad_ShelvingTimeOutOfRange" in refused.json()["detail"]
        report = (await http.get(f"{API}/report?start=-1h")).json()
        assert report["acknowledge"]["medium"]["count"] == 2
        assert report["configured"]["medium"] == 2
        why = (await http.get(f"{API}/rationalisation")).json()["items"]
        assert [w["missing"] for w in why] == [["cause", "consequence", "action", "respond_s"]] * 2
        text = await http.get(f"{API}/rationalisation.csv")
        assert text.headers["content-type"].startswith("text/csv")
        assert "oil > 80 && speed > 10" in text.text


async def test_a_preview_of_an_expression_tells_what_rang(tmp_path):
    alarm = {"name": "a", "point": f"{PRESS}/oil", "when": "oil > 80", "wait_s": 0}
    async with plant(tmp_path) as (made, http):
        for value in (70, 90, 70, 90):
            await publish(made, (f"{PRESS}/oil", value))
        await known(made, f"{PRESS}/oil")
        assert (await http.put(f"{API}?permit=MOC-1", json=alarm)).is_success
        trial = {"alarm": alarm, "start": "-1h"}
        found = (await http.post(f"{API}/preview", json=trial)).json()
        assert (found["rung"], len(found["activations"])) == (2, 2)
        wrong = await http.put(API, json={**alarm, "when": "oil > level"})
        assert wrong.status_code == 400
        assert "unknown name 'level'" in wrong.json()["detail"]


async def test_the_command_line_goes_from_a_file_to_the_figures(tmp_path, capsys):
    file = tmp_path / "alarms.toml"
    file.write_text(
        f'[[alarms]]\nname = "fast"\npoint = "{PRESS}/oil"\nhi = {{ value = 1.0 }}\n'
        'rate = { over = "1s" }\nadvice = { action = "close the valve" }\n'
        f'[[alarms]]\nname = "far"\npoint = "{PRESS}/oil"\ndeviation_from = 50\n'
        "hi = { value = 20 }\n"
    )
    async with plant(tmp_path) as (made, http):
        await publish(made, (f"{PRESS}/oil", 50.0))
        await known(made, f"{PRESS}/oil")
        wish = {"name": "cli", "actions": ["look", "write", "configure"]}
        token = (await http.post("/api/v1/tokens", json=wish)).json()["token"]
        at = ["--url", str(http.base_url).rstrip("/"), "--token", token]

        async def cli(*words: str) -> str:
            args = parser("alarm").parse_args(["alarm", *words, *at])
            assert await asyncio.to_thread(args.call, args) == 0
            return capsys.readouterr().out

        assert await cli("define", str(file), "--permit", "MOC-7") == (
            "fast: defined\nfar: defined\n"
        )

        async def rung() -> bool:
            await publish(made, (f"{PRESS}/oil", 90.0))
            return (await shown(http))["far"]["letter"] == "B"

        await until(rung)
        assert "B Hi" in await cli("list")
        assert "C Hi" in await cli("ack", "far", "--comment", "seen")
        assert "far: would have rung 1 times" in await cli("preview", str(file))
        assert '"unauthorised": 0' in await cli("report", "--start=-1h")
        why = await cli("rationalisation")
        assert "missing: cause, consequence, action, respond_s" in why
        assert "HI 20 (medium) of deviation from 50" in why
        assert (await cli("rationalisation", "--csv")).startswith("name,point,group,priority")

        def client() -> list:
            with lineshaft.connect(str(http.base_url), token) as connected:
                connected.alarms.remove("fast", permit="MOC-8")
                assert connected.alarms.acknowledge_all(comment="all seen") == []
                return connected.alarms.rationalisation()

        assert [w["name"] for w in await asyncio.to_thread(client)] == ["far"]
