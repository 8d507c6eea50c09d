"""Trains in two processes that are forked from one: it has imported everything, which takes longer than to train.

`python -m tests.runtime.engine.ranks JOB...`: a job is JSON, `{"arguments": [...], "log": FILE, "dies": RANK}`, with
the arguments of `layergraph train`, the file for what is printed, and the process that raises at its third step, if
any. The exit codes of its processes are a line of the output.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

import sklearn.datasets  # noqa: F401 - with pandas: for the processes, as is what follows

import compiler.lower.lower  # noqa: F401
import runtime.engine.trainer  # noqa: F401
from layergraph.__main__ import main
from runtime.engine.progress import ProgressCallback
from runtime.engine.trainer_state import TrainerState

PROCESSES = 2


def run(job: dict[str, Any]) -> list[int]:
    """Train in all processes; returns their exit codes."""
    port = _free_port()
    children = []
    for rank in range(PROCESSES):
        child = os.fork()
        if not child:
            _be(rank, port, job)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(one, 0)[1]) for one in children]


def _be(rank: int, port: int, job: dict[str, Any]) -> None:
    """Train as one of the processes, by the variables that torchrun sets, and end."""
    os.environ["LOCAL_RANK"], os.environ["NODE_RANK"] = str(rank), "0"
    os.environ["WORLD_SIZE"] = str(PROCESSES)
    os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = "127.0.0.1", str(port)
    log = os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if job["dies"] == rank:
        ProgressCallback.on_step_end = _die  # type: ignore[method-assign]
    sys.argv = ["layergraph", "train", *job["arguments"], "--accelerator", "cpu"]
    main()
    sys.exit(0)


def _die(callback: ProgressCallback, state: TrainerState, losses: object) -> None:
    if state.step == 3:
        raise ValueError("the end of one process")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


if __name__ == "__main__":
    for text in sys.argv[1:]:
        sys.stdout.write(f"{run(json.loads(text))}\n")
