"""bin/dev: PostgreSQL, Redis, then `bellwire serve` on top; stopped in the opposite order."""

import argparse
import hashlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Final, NoReturn

from stack import bootstrap, postgres_programs, running, script
from stack.errors import StackError
from stack.keeper import SETTLED_S, Keeper
from stack.ports import Listen, is_free
from stack.process import ProcessTree, spawn, wait_until
from stack.progress import note, step
from stack.script import StopRequest
from stack.servers import EmbeddedPostgres, EmbeddedRedis
from stack.supervisor import EmbeddedServer

DEFAULTS: Final[Mapping[str, str]] = {
    "BELLWIRE_LISTEN": "127.0.0.1:8080",
    "BELLWIRE_GATEWAY_LISTEN": "127.0.0.1:8081",
    "BELLWIRE_DEV_ENVIRONMENT": "demo",
    "BELLWIRE_DEV_API_KEY": "bw_dev_key",
    "BELLWIRE_ADMIN_EMAIL": "admin@example.com",
    "BELLWIRE_ADMIN_PASSWORD": "bellwire-dev-admin",
    "BELLWIRE_DEMO": "true",
    "BELLWIRE_DRAIN_S": "0",  # nobody at a terminal waits for sockets to close one by one
}
_DATA_FOR_ROOT: Final = Path("/var/lib/bellwire-dev")
_READY_TIMEOUT_S: Final = 60
_STOP_TIMEOUT_S: Final = 15
_FREE_TIMEOUT_S: Final = 10
_POLL_S: Final = 0.05
_WATCH_S: Final = 0.5

_HELP: Final = """\
Starts PostgreSQL, Redis and Bellwire on this machine, with an environment to play in. The data stays in
.bellwire/ until `--fresh`. Ctrl-C stops everything.

Set any of these to use your own; every other variable of Bellwire is passed on too:
  DATABASE_URL, REDIS_URL      a server of yours instead of the one started here
  BELLWIRE_LISTEN              where the API listens (127.0.0.1:8080; port 0 takes a free one)
  BELLWIRE_GATEWAY_LISTEN      where the websocket gateway listens (127.0.0.1:8081)
  BELLWIRE_POSTGRES_BIN        a directory with other PostgreSQL programs (15 or later)
"""


def main() -> NoReturn:
    parser = argparse.ArgumentParser(
        prog="bin/dev", description=_HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fresh", action="store_true", help="first throw the data of earlier runs away")
    arguments = parser.parse_args()
    script.run("bin/dev", lambda: _enter_and_run(fresh=arguments.fresh), code_if_stopped=0)


def _enter_and_run(*, fresh: bool) -> int:
    # What stands in the way is said before anything is installed.
    running.refuse_a_second(bootstrap.STATE)
    _addresses(os.environ)
    bootstrap.enter("dev")
    bootstrap.make_state_directory()
    return run(bootstrap.STATE, fresh=fresh)


def run(state: Path, *, fresh: bool = False) -> int:
    stop = StopRequest()
    with running.only_one(state), ExitStack() as servers:
        addresses = _addresses(os.environ)
        environment = {**DEFAULTS, **bootstrap.clean_environment()}
        environment |= {address.variable: str(address) for address in addresses}
        if fresh:
            _throw_away(state)
        started: list[EmbeddedServer] = []
        for variable, make in _SERVERS.items():
            if not environment.get(variable) and not stop:
                server = make(state)
                if state not in server.data_dir.parents:
                    note(f"{server.name} keeps its data in {server.data_dir}")
                with step(f"starting {server.name}"):
                    servers.enter_context(server)
                environment[variable] = server.url
                started.append(server)
        if stop:
            return 0
        servers.enter_context(running.telling(state, _told(environment, addresses)))
        return _serve(environment, addresses, Keeper(started), stop)


def _serve(
    environment: Mapping[str, str], addresses: Sequence[Listen], keeper: Keeper, stop: StopRequest
) -> int:
    note("starting Bellwire")
    bellwire = _start(environment)
    try:
        _wait_until_ready(bellwire, addresses, stop)
        started_at = time.monotonic()
        if bellwire.running and not stop:
            print(welcome(environment, *addresses), flush=True)
        while not stop.wait(_WATCH_S):
            keeper.look()
            if (code := bellwire.returncode) is None:
                continue
            # What it ends by itself it has given the reason of; what was killed, another start cures.
            if code >= 0 or time.monotonic() - started_at < SETTLED_S:
                raise StackError(f"Bellwire ended with exit code {code}; its last lines are above.")
            note("Bellwire was killed; starting it again")
            wait_until(lambda: all(is_free(it.host, it.port) for it in addresses), timeout_s=_FREE_TIMEOUT_S)
            bellwire, started_at = _start(environment), time.monotonic()
    finally:
        bellwire.end(signal.SIGTERM, timeout_s=_STOP_TIMEOUT_S, hurry=stop.hurry)
    return 0


def _start(environment: Mapping[str, str]) -> ProcessTree:
    command = [str(bootstrap.VENV_PYTHON), "-m", "app.cli", "serve"]
    return ProcessTree(
        spawn(command, death_signal=signal.SIGTERM, environment=environment, directory=bootstrap.ROOT)
    )


def _wait_until_ready(bellwire: ProcessTree, addresses: Sequence[Listen], stop: StopRequest) -> None:
    """API and gateway; or until it ends, or is to."""
    deadline = time.monotonic() + _READY_TIMEOUT_S
    waiting = list(addresses)
    while waiting and bellwire.running and not stop:
        if _is_ready(waiting[0]):
            del waiting[0]
        elif time.monotonic() > deadline:
            address = waiting[0].reachable
            raise StackError(f"http://{address}/readyz is not ready after {_READY_TIMEOUT_S} s.")
        else:
            stop.wait(_POLL_S)


def _is_ready(address: Listen) -> bool:
    host, _, port = address.reachable.rpartition(":")
    connection = HTTPConnection(host.strip("[]"), int(port), timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _addresses(environment: Mapping[str, str]) -> Sequence[Listen]:
    """Where the API and the gateway are going to listen."""
    api, gateway = (
        Listen.parse(variable, environment.get(variable) or DEFAULTS[variable]).resolved()
        for variable in ("BELLWIRE_LISTEN", "BELLWIRE_GATEWAY_LISTEN")
    )
    if api.port == gateway.port:
        raise StackError(f"{api.variable} and {gateway.variable} need ports of their own.")
    return api, gateway


def _told(environment: Mapping[str, str], addresses: Sequence[Listen]) -> Mapping[str, str]:
    """What bin/bellwire needs to reach this."""
    api, gateway = addresses
    return {
        **{variable: environment[variable] for variable in _SERVERS},
        "BELLWIRE_URL": f"http://{api.reachable}",
        "BELLWIRE_GATEWAY_URL": f"ws://{gateway.reachable}/v1/inbox/ws",
    }


def _postgres(state: Path) -> EmbeddedServer:
    return EmbeddedPostgres(_postgres_data(state), with_password=True)


def _redis(state: Path) -> EmbeddedServer:
    return EmbeddedRedis(state / "redis", with_password=True)


def _postgres_data(state: Path) -> Path:
    """In `.bellwire`, or under /var/lib where that is closed to the user PostgreSQL runs as for root."""
    who = postgres_programs.account()
    if who is None or postgres_programs.can_enter(who, state):
        return state / "postgres"
    digest = hashlib.sha256(str(state).encode()).hexdigest()[:12]
    data = _DATA_FOR_ROOT / f"{state.parent.name}-{digest}"
    data.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    return data


def _throw_away(state: Path) -> None:
    for directory in (_postgres_data(state), state / "redis"):
        if directory.exists():
            shutil.rmtree(directory)


def welcome(environment: Mapping[str, str], api: Listen, gateway: Listen) -> str:
    http = f"http://{api.reachable}"
    slug = environment["BELLWIRE_DEV_ENVIRONMENT"]
    payload = {"title": "Grace replied to you", "body": "It works on my machine."}
    body = json.dumps(
        {"subscriber_id": "ada", "category": "comment", "payload": payload}, separators=(",", ":")
    )
    return f"""
Bellwire runs.

{_demo(environment, http)}  Admin console  {http}/admin  ({_admin(environment)})
  API reference  {http}/docs
  Websocket      ws://{gateway.reachable}/v1/inbox/ws?environment={slug}&subscriber_id=ada
  Health         {http}/readyz

Light a bell:

curl -X POST {http}/v1/notifications \\
  -H 'Authorization: Bearer {environment["BELLWIRE_DEV_API_KEY"]}' \\
  -H 'Content-Type: application/json' \\
  -d '{body}'

Everything else, from another terminal (bin/bellwire --help):

bin/bellwire env create acme

Ctrl-C stops everything. The data stays; bin/dev --fresh starts over.
"""


def _demo(environment: Mapping[str, str], http: str) -> str:
    """The line on it, where it is served."""
    is_served = environment["BELLWIRE_DEMO"].lower() in ("true", "1", "yes", "on")
    return f"  Demo page      {http}/demo\n" if is_served else ""


def _admin(environment: Mapping[str, str]) -> str:
    """Who may log in to the console; a password of the developer's own is not shown."""
    email, password = (environment[f"BELLWIRE_ADMIN_{it}"] for it in ("EMAIL", "PASSWORD"))
    return f"{email} / {password if password == DEFAULTS['BELLWIRE_ADMIN_PASSWORD'] else 'your password'}"


_SERVERS: Final[Mapping[str, Callable[[Path], EmbeddedServer]]] = {
    "DATABASE_URL": _postgres,
    "REDIS_URL": _redis,
}
