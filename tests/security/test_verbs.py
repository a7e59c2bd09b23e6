"""The command line on a stopped plant."""

import argparse
import asyncio
import sqlite3
from contextlib import asynccontextmanager

import pytest

from lineshaft.core.access import Action
from lineshaft.core.errors import Invalid, Missing, SettingsError
from lineshaft.core.plugin import build
from lineshaft.records import Records
from lineshaft.security import COLLECTIONS, Config
from lineshaft.security.gate import Security
from lineshaft.security.verbs import verbs

ADDRESS = "10.0.0.7"


@pytest.fixture
def table(tmp_path):
    return {"kind": "sqlite", "path": str(tmp_path / "records.db")}


@pytest.fixture
def lineshaft(table, capsys):
    """Runs a verb as the program does; returns its exit code and what it printed."""

    @asynccontextmanager
    async def open_records(_):
        records = build(Records, table)
        async with records.opened(COLLECTIONS):
            yield records

    parser = argparse.ArgumentParser()
    verbs(parser.add_subparsers(required=True))
    parser.set_defaults(open_records=open_records)

    def run(*words):
        args = parser.parse_args(words)
        return args.call(args), capsys.readouterr().out

    return run


@pytest.fixture
def ask(table):
    """Runs what is asked of a security on the same records."""

    def run(question):
        async def go():
            records = build(Records, table)
            async with records.opened(COLLECTIONS):
                security = Security(Config(), records)
                await security.start()
                return await question(security)

        return asyncio.run(go())

    return run


def test_a_user_is_made_and_can_log_in(lineshaft, ask):
    code, said = lineshaft("user", "add", "eva", "--role", "operator", "--branch", "a/b")
    assert code == 0
    assert "made the user admin" in said
    password = said.split()[-1]
    _, who = ask(lambda s: s.login("eva", password, address=ADDRESS))
    assert who.branches == ("a/b",)
    _, said = lineshaft("user", "list")
    assert "admin" in said
    assert "eva" in said
    assert "sees a/b" in said
    with pytest.raises(Invalid, match="already"):
        lineshaft("user", "add", "eva")


def test_a_forgotten_password_is_replaced(lineshaft, ask):
    lineshaft("user", "list")
    code, said = lineshaft("user", "reset-password", "admin")
    assert code == 0
    _, who = ask(lambda s: s.login("admin", said.split()[-1], address=ADDRESS))
    assert who.actions == {Action.OWN}
    with pytest.raises(Missing):
        lineshaft("user", "reset-password", "nobody")


def test_a_user_is_disabled_and_enabled(lineshaft):
    lineshaft("user", "add", "eva")
    assert lineshaft("user", "disable", "eva")[0] == 0
    assert "disabled" in lineshaft("user", "list")[1]
    assert lineshaft("user", "enable", "eva")[0] == 0
    assert "disabled" not in lineshaft("user", "list")[1]


def test_a_token_is_made(lineshaft, ask):
    lineshaft("user", "list")
    code, said = lineshaft("token", "create", "admin", "script", "--action", "configure")
    assert code == 0
    who = ask(lambda s: s.identify(session="", token=said.strip(), address=ADDRESS))
    assert who.actions == {Action.OWN, Action.CONFIGURE}
    assert who.name == "admin/script"


def test_the_log_is_checked(lineshaft, table):
    lineshaft("user", "add", "eva")
    code, said = lineshaft("audit", "verify")
    assert code == 0
    assert "the log is whole: 2 events" in said
    db = sqlite3.connect(table["path"])
    db.execute("UPDATE events SET actor = 'nobody' WHERE seq = 1")
    db.commit()
    db.close()
    code, said = lineshaft("audit", "verify")
    assert code == 1
    assert "event 1" in said


def test_a_running_plant_is_told(lineshaft, ask):
    async def meanwhile(_):
        with pytest.raises(SettingsError, match="in use by process"):
            await asyncio.to_thread(lineshaft, "user", "list")

    ask(meanwhile)
