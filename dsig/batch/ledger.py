"""The ledger: a SQLite file with one row for each input, so that a run killed at any moment can go on.

An input is entered as begun before a worker sees it and as done when its output is in place. What the next run finds
begun was in flight: an output there may be whole or missing, never partial, and is made again; a file that is signed
in place is asked whether it has the signature that was meant for it. Done is what was done and still looks as it did
then: the same input, and the same output on the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import glob
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from dsig.batch import records
from dsig.batch.outcome import Outcome
from dsig.batch.purpose import Purpose
from dsig.batch.work import Answer, Identity, Job, Work, digested, identity
from dsig.errors import DsigError, KeySourceError, OutputError, PluginError, UsageError, Where
from dsig.model import FileReport

__all__ = ["COLUMNS", "Ledger", "Locked", "facts", "rows"]

SCHEMA = "dsig.ledger/1"
PATIENCE = 15.0
"""Seconds to wait for the workers of a run that was killed."""
_MAGIC = b"SQLite format 3\0"

COLUMNS = (
    "path",
    "state",
    "verdict",
    "size",
    "mtime_ns",
    "digest",
    "output",
    "output_size",
    "output_mtime_ns",
    "output_digest",
    "uid",
    "error_code",
    "error",
    "exit_status",
    "recorded",
)
"""What `dsig ledger export` gives of each input."""

_TABLES = """
create table if not exists ledger (key text primary key, value text not null) without rowid;
create table if not exists inputs (
    path primary key,           -- absolute; text, or a blob if it is not UTF-8
    state text not null,        -- begun, done
    verdict text,               -- passed, failed, indeterminate, unsigned, error, or one of VERDICTS
    size integer, mtime_ns integer, ctime_ns integer, inode integer, digest text,   -- of the input; SHA-256
    output, output_size integer, output_mtime_ns integer, output_ctime_ns integer, output_inode integer,
    output_digest text,
    uid text,                   -- of the signature made in place
    error_code text, error text, exit_status integer not null default 0,
    report text,                -- of a verification, as JSON
    recorded text not null      -- when, ISO 8601 in UTC
) without rowid;
"""


class Ledger:
    """The ledger of one run; `close` it. Not for use by threads."""

    def __init__(self, path: str, purpose: Purpose) -> None:
        """Open or make it. Raises `UsageError` if it is another command's, or in use; `OutputError`."""
        self.path = path
        self.purpose = purpose
        self.earlier = 0
        """Inputs found done."""
        self.changed = 0
        """Inputs or outputs found done but changed since, and done again."""
        with _told(path):
            self._lock = _locked(path)
            try:
                with contextlib.ExitStack() as opened:
                    self._base = opened.enter_context(contextlib.closing(sqlite3.connect(path, isolation_level=None)))
                    self.run = self._prepared()
                    opened.pop_all()
            except BaseException:
                self._lock.close()
                raise
            fcntl.flock(self._lock, fcntl.LOCK_SH)  # workers of this run come in, other runs stay out

    def _prepared(self) -> str:
        execute = self._base.execute
        tables = {name for (name,) in execute("select name from sqlite_master where type = 'table'")}
        if tables and "ledger" not in tables:
            raise _no_ledger(self.path, "it is another database")
        known = dict(execute("select key, value from ledger").fetchall()) if tables else {}
        wanted = {"schema": SCHEMA, "verb": self.purpose.verb, "settings": json.dumps(dict(self.purpose.settings))}
        if known:
            _refuse_other(self.path, known, wanted)
        execute("pragma journal_mode = wal")
        execute("pragma synchronous = full")
        self._base.executescript(_TABLES)
        run = os.urandom(8).hex()
        created = {"created": datetime.now(UTC).isoformat(timespec="seconds")} if not known else {}
        with self._transaction():
            self._base.executemany(
                "insert or replace into ledger values (?, ?)", [*(wanted | created | {"run": run}).items()]
            )
        return run

    def close(self) -> None:
        """Let go of it, as one file: who only reads it later need not be able to write beside it."""
        with contextlib.suppress(sqlite3.Error):
            self._base.execute("pragma journal_mode = delete")
        with contextlib.suppress(sqlite3.Error):
            self._base.close()
        self._lock.close()
        if (here := _holding.pop(self.run, None)) is not None:
            here.close()  # this process did the work itself, and may run again

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with _told(self.path):
            self._base.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._base.execute("rollback")
                raise
            self._base.execute("commit")

    # ------------------------------------------------------------------------------------------------------ before

    def decide(self, job: Job) -> Job | Outcome:
        """The job, if it has to be done, or what became of it in an earlier run."""
        with _told(self.path):
            row = self._base.execute("select * from inputs where path = ?", (_key(job.source),))
            names = [column[0] for column in row.description]
            values = row.fetchone()
        if values is None:
            return job
        found = dict(zip(names, values, strict=True))
        if found["state"] != "done":
            self._sweep(job)
            # the signature that the killed run meant for this file, should it be there already
            return replace(job, uid=found["uid"]) if found["uid"] and job.uid else job
        if found["verdict"] == "error":
            return job
        earlier = self._still(job, found)
        if earlier is None:
            self.changed += 1
            return job
        self.earlier += 1
        return earlier

    def _still(self, job: Job, row: dict[str, Any]) -> Outcome | None:
        """What was done, if input and output are what they were."""
        source, output = (
            Identity(*(row[f"{of}{name}"] for name in ("size", "mtime_ns", "inode", "digest", "ctime_ns")))
            for of in ("", "output_")
        )
        shown = job.shown or job.source
        if self.purpose.in_place:
            same = _same(output, job.before, job.source) or (
                self.purpose.verb == "sign" and row["uid"] and _has_signature(job.source, row["uid"])
            )
            return Outcome(shown, job, earlier=True) if same else None
        if not _same(source, job.before, job.source):
            return None
        if self.purpose.verb == "verify":
            report = records.loaded(FileReport, row["report"])
            return Outcome(shown, job, replace(report, path=shown), earlier=True)
        if job.target is None or not _same(output, identity(job.target), job.target):
            return None
        return Outcome(shown, job, earlier=True)

    def _sweep(self, job: Job) -> None:
        """Remove what a killed run has left of an output it was writing."""
        target = Path(os.path.realpath(job.target or job.source))
        if self.purpose.verb == "verify":
            return
        for left in target.parent.glob(f".{glob.escape(target.name[:40])}.{'[0-9a-f]' * 16}.part"):
            with contextlib.suppress(OSError):
                left.unlink()

    def begin(self, jobs: Sequence[Job]) -> None:
        """Enter jobs that are about to be given to a worker."""
        if not jobs:
            return
        now = _now()
        with self._transaction():
            self._base.executemany(
                "insert or replace into inputs (path, state, output, uid, recorded) values (?, 'begun', ?, ?, ?)",
                [(_key(j.source), _key(j.target) if j.target else None, j.uid or None, now) for j in jobs],
            )

    # ------------------------------------------------------------------------------------------------------- after

    def finish(self, jobs: Sequence[Job], answers: Sequence[Answer]) -> None:
        """Enter what became of them. Trouble with key or plugin is about all files: they stay to be done."""
        now = _now()
        with self._transaction():
            for job, answer in zip(jobs, answers, strict=True):
                if answer.skipped is not None:
                    self._base.execute("delete from inputs where path = ?", (_key(job.source),))
                elif not isinstance(answer.error, (KeySourceError, PluginError)):
                    row = {"path": _key(job.source), "state": "done", "recorded": now} | self._row(job, answer)
                    self._base.execute(
                        f"insert or replace into inputs ({', '.join(row)}) values ({', '.join('?' * len(row))})",  # noqa: S608 - our own names
                        list(row.values()),
                    )

    def _row(self, job: Job, answer: Answer) -> dict[str, Any]:
        source, output, result = answer.source or job.before, answer.output, answer.result
        row: dict[str, Any] = {}
        if source is not None:
            row |= {"size": source.size, "mtime_ns": source.mtime_ns, "inode": source.inode}
            row |= {"digest": source.digest or None, "ctime_ns": source.ctime_ns}
        if answer.unforeseen:
            return row | {"verdict": "error", "error_code": "internal", "error": answer.unforeseen, "exit_status": 70}
        if answer.error is not None:
            row |= {"verdict": "error", "error_code": answer.error.code, "error": _text(str(answer.error))}
            return row | {"exit_status": answer.error.exit_status}
        if isinstance(result, FileReport):
            row |= {"verdict": result.verdict.value, "report": records.dumped(result)}
            if result.error is not None:
                row |= {"error_code": result.error.code, "error": _text(result.error.message), "exit_status": 5}
            return row
        row["verdict"] = VERDICTS[self.purpose.verb]
        if output is not None:
            row |= {"output": _key(job.target or job.source), "output_digest": output.digest or None}
            row |= {"output_size": output.size, "output_mtime_ns": output.mtime_ns, "output_inode": output.inode}
            row |= {"output_ctime_ns": output.ctime_ns}
        uid = getattr(result, "uid", "") or job.uid
        return row | {"uid": uid or None}


VERDICTS = {
    "sign": "signed",
    "remove": "removed",
    "timestamp fetch": "timestamped",
    "timestamp attach": "timestamped",
    "timestamp query": "queried",
}


# ------------------------------------------------------------------------------------------------------- looking at it


def facts(path: str) -> dict[str, str]:
    """What the ledger is for, and when it was made. Raises `UsageError` for a file that is none."""
    with contextlib.closing(_opened(path)) as base, _told(path, reading=True):
        known = dict(base.execute("select key, value from ledger").fetchall())
    if known and known.get("schema") != SCHEMA:
        raise _no_ledger(path, f"it is no {SCHEMA}")
    return known


def rows(path: str, verdicts: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
    """All inputs by path, `COLUMNS` of each; those with these verdicts only, if any are given."""
    only = f" where coalesce(verdict, state) in ({', '.join('?' * len(verdicts))})" if verdicts else ""
    with contextlib.closing(_opened(path)) as base, _told(path, reading=True):
        query = f"select {', '.join(COLUMNS)} from inputs{only} order by path"  # noqa: S608 - our own names
        for row in base.execute(query, list(verdicts)):
            yield dict(zip(COLUMNS, (_text(os.fsdecode(v)) if isinstance(v, bytes) else v for v in row), strict=True))


def _opened(path: str) -> sqlite3.Connection:
    _refuse_foreign(path, missing_ok=False)
    uri = f"{Path(path).absolute().as_uri()}?mode=ro"
    with _told(path, reading=True):
        base = sqlite3.connect(uri, uri=True)
        try:
            base.execute("select count(*) from sqlite_master").fetchone()
        except sqlite3.Error as error:
            base.close()
            if not isinstance(error, sqlite3.OperationalError) or Path(f"{path}-wal").exists():
                raise
            # where nothing can be written there is no room for what readers share; nor is there anybody who writes
            return sqlite3.connect(f"{uri}&immutable=1", uri=True)
        return base


# -------------------------------------------------------------------------------------------------------------- locks


@dataclass(frozen=True, slots=True)
class Locked:
    """Work that is done only for the run that has the ledger: a worker that outlives it does nothing more."""

    work: Work
    path: str
    run: str

    def __call__(self, jobs: tuple[Job, ...]) -> list[Answer]:
        """The answers."""
        if self.run not in _holding:
            _holding[self.run] = _joined(self.path, self.run)
        return self.work(jobs)


_holding: dict[str, IO[bytes]] = {}
"""By run, the ledger as this process has it open; closing it would give up the lock."""


def _joined(path: str, run: str) -> IO[bytes]:
    file = Path(path).open("rb")  # noqa: SIM115 - until the process ends
    fcntl.flock(file, fcntl.LOCK_SH)
    if facts(path).get("run") != run:
        os._exit(1)  # another run has begun: this process is a leftover
    return file


def _locked(path: str) -> IO[bytes]:
    """The file, locked for us alone. Raises `UsageError` if another run has it."""
    _refuse_foreign(path, missing_ok=True)
    file = Path(path).open("ab")  # noqa: SIM115 - until the run ends
    until = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            file.close()
            raise UsageError(
                "another run is using the ledger",
                code="ledger-in-use",
                where=Where(path),
                hint="wait until it has ended, or use a ledger of its own",
            ) from None
        return file


# ------------------------------------------------------------------------------------------------------------- helpers


def _refuse_foreign(path: str, *, missing_ok: bool) -> None:
    try:
        with Path(path).open("rb") as file:
            head = file.read(len(_MAGIC))
    except FileNotFoundError:
        if missing_ok:
            return
        raise _no_ledger(path, "there is no such file") from None
    except OSError as error:
        raise _no_ledger(path, error.strerror or "cannot be read") from None
    if head and head != _MAGIC:
        raise _no_ledger(path, "it is no ledger")


def _refuse_other(path: str, known: Mapping[str, str], wanted: Mapping[str, str]) -> None:
    if known.get("schema") != SCHEMA:
        raise _no_ledger(path, f"it is no {SCHEMA}")
    before, now = json.loads(known["settings"]), json.loads(wanted["settings"])
    differ = sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k))
    reason = f"{', '.join(differ)} differ{'s' if len(differ) == 1 else ''}"
    if known["verb"] != wanted["verb"]:
        reason = f"dsig {known['verb']}"
    if differ or known["verb"] != wanted["verb"]:
        raise UsageError(
            f"the ledger was begun with another command: {reason}",
            code="ledger-options",
            where=Where(path),
            hint="give the same command again, or use another ledger",
        )


def _no_ledger(path: str, reason: str) -> UsageError:
    return UsageError(
        f"the ledger cannot be used: {reason}", code="ledger", where=Where(path), hint="name another file"
    )


@contextlib.contextmanager
def _told(path: str, *, reading: bool = False) -> Iterator[None]:
    """What SQLite says, as our errors."""
    try:
        yield
    except DsigError:
        raise
    except sqlite3.DatabaseError as error:
        if str(error).startswith("no such "):
            raise _no_ledger(path, f"it is no {SCHEMA}: {error}") from None
        if isinstance(error, sqlite3.OperationalError) and not reading:
            raise OutputError(
                f"the ledger cannot be written: {error}",
                code="ledger-not-written",
                where=Where(path),
                hint="give the same command again when that is cured",
            ) from None
        raise _no_ledger(path, str(error)) from None
    except OSError as error:
        raise OutputError(
            f"the ledger cannot be written: {error.strerror}", code="ledger-not-written", where=Where(path)
        ) from None


def _same(recorded: Identity, now: Identity | None, path: str) -> bool:
    """Whether a file is what it was: by its looks, or, if only those have changed, by its bytes.

    Whoever can write to a file can set its time back, but not the time of its last change.
    """
    if now is None or recorded.size != now.size:
        return False
    if recorded.same_file(now) and recorded.ctime_ns == now.ctime_ns:
        return True
    return bool(recorded.digest) and (found := digested(path)) is not None and found.digest == recorded.digest


def _has_signature(path: str, uid: str) -> bool:
    """Whether a file still has the signature that was made in place."""
    from dsig.dicom.file import open_dicom
    from dsig.dicom.source import open_source
    from dsig.limits import DEFAULT
    from dsig.signature.signatures import find_signatures

    try:
        with open_source(path) as source, open_dicom(source) as file:
            return any(found.item.uid == uid for found in find_signatures(file, file.main(), DEFAULT))
    except DsigError:
        return False


def _key(path: str) -> str | bytes:
    """An absolute path as SQLite takes it: text if it can be, else bytes."""
    raw = os.fsencode(os.path.abspath(path))
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
