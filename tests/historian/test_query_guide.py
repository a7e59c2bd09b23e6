"""What the guide to questions shows works as it stands."""

import argparse
import asyncio
import json
import re
import shlex
from pathlib import Path

import httpx

import lineshaft
from lineshaft.core.clock import NS_PER_S, now_ns
from lineshaft.core.point import Kind, Point
from lineshaft.historian.verbs import verbs

GUIDE = Path(__file__).parent.parent.parent / "docs/guide/query.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def blocks(language):
    return [text for kind, text in BLOCK.findall(GUIDE.read_text("utf-8")) if kind == language]


def _run(client, code):
    exec(compile(code, str(GUIDE), "exec"), {"client": client})


async def test_the_blocks_of_the_guide_are_answered(made, server, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    points = [
        Point(path="hall/press/oil"),
        Point(path="hall/press/speed"),
        Point(path="hall/press/state", kind=Kind.ENUM, names={"0": "Idle", "1": "Executing"}),
    ]
    now = now_ns()
    async with made("parquet", *points) as history:
        await history.add([(p.path, now - i * NS_PER_S, 1) for p in points for i in range(1, 60)])
        async with server(history) as url:
            with lineshaft.connect(url, "ls_all") as client:
                for code in blocks("python"):
                    await asyncio.to_thread(_run, client, code)
            headers = {"Authorization": "Bearer ls_all"}
            async with httpx.AsyncClient(base_url=url + "/api/v1", headers=headers) as http:
                for body in blocks("json"):
                    answer = await http.post("/query", json=json.loads(body))
                    assert answer.status_code == 200, (body, answer.text)
            typed = [line for text in blocks("") for line in text.splitlines()]
            for line in typed:
                parser = argparse.ArgumentParser()
                parser.set_defaults(connect=lambda args: lineshaft.connect(args.url, args.token))
                verbs(parser.add_subparsers())
                words = [*shlex.split(line)[1:], "--url", url, "--token", "ls_all"]
                args = parser.parse_args(words)
                assert await asyncio.to_thread(args.call, args) == 0
    assert len(typed) == 8
    assert len(blocks("json")) == 5
    assert (tmp_path / "hall.parquet").exists()
    assert "rows" in capsys.readouterr().out
